"""The values that the API's fields hold, as types that check what the CRDs demand of them.

In: what YAML gave. Out: the value, or pydantic's error. The same verdicts as the generated schemas,
which ``tests/admission/models_test.py`` proves.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic.alias_generators import to_camel

T = TypeVar("T")

QUANTITY_PATTERN = (
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
    r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?[0-9]+))?$"
)
TIME_PATTERN = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"


class ApiType(BaseModel):
    """What the types of the API have in common: camelCase keys, no others, null is absent."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        regex_engine="rust-regex",
    )

    @model_validator(mode="before")
    @classmethod
    def _absent_nulls(cls, data: Any) -> Any:
        """Drops nulls of known fields, so that their defaults hold, as the API server does."""
        if not isinstance(data, dict):
            return data
        known = {field.alias for field in cls.model_fields.values()}
        return {key: value for key, value in data.items() if value is not None or key not in known}


class NonEmpty(ApiType):
    """A type that must hold at least one field (``minProperties: 1``)."""

    @model_validator(mode="after")
    def _holds_a_field(self) -> NonEmpty:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise ValueError("must hold at least 1 field")
        return self


def integral(value: Any) -> Any:
    """Gives ``1.0`` as 1, which is what YAML to JSON makes of it."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _no_nulls(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: child for key, child in value.items() if child is not None}


def _empty_nulls(value: Any) -> Any:
    """Gives null as the empty text, as Go decodes it into a map of texts."""
    if not isinstance(value, dict):
        return value
    return {key: "" if child is None else child for key, child in value.items()}


def _calendar(value: str) -> str:
    datetime.fromisoformat(value)
    return value


def unique(*keys: str) -> Callable[[list[T]], list[T]]:
    """Gives a validator: no two items have equal keys, or are equal where no key is named."""

    def check(items: list[T]) -> list[T]:
        seen: dict[str, int] = {}
        for index, item in enumerate(items):
            first = seen.setdefault(_identity(item, keys), index)
            if first != index:
                raise ValueError(f"item {index} must be unique: item {first} has its key")
        return items

    return check


def _identity(item: Any, keys: tuple[str, ...]) -> str:
    if not keys:
        return json.dumps(item, sort_keys=True)
    get = item.get if isinstance(item, dict) else lambda key: getattr(item, key)
    return json.dumps([get(key) for key in keys])


Int32: TypeAlias = Annotated[int, BeforeValidator(integral), Field(ge=-(2**31), le=2**31 - 1)]
Int64: TypeAlias = Annotated[int, BeforeValidator(integral), Field(ge=-(2**63), le=2**63 - 1)]
Count: TypeAlias = Annotated[int, BeforeValidator(integral), Field(ge=0, le=2**31 - 1)]
Time: TypeAlias = Annotated[str, Field(pattern=TIME_PATTERN), AfterValidator(_calendar)]
Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=253)]
Quantity: TypeAlias = Int64 | Annotated[str, Field(pattern=QUANTITY_PATTERN)]
Quantities: TypeAlias = Annotated[dict[str, Quantity], BeforeValidator(_no_nulls)]
Strings: TypeAlias = Annotated[dict[str, str], BeforeValidator(_no_nulls)]
Labels: TypeAlias = Annotated[dict[str, str], BeforeValidator(_empty_nulls)]
Argument: TypeAlias = Annotated[str, Field(max_length=1048576)]
Plain: TypeAlias = dict[str, Any]
"""A part of the Pod, Job or JobSet API, kept as it is written."""
