"""Settings dataclasses: the schema says what decoding takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from annotated_types import Ge, Gt, Interval, Le, Len, Lt, MaxLen, MinLen, MultipleOf, Predicate

from trainc.settings import decode, schema


@dataclass(frozen=True)
class Inner:
    """A mapping inside a list."""

    deep_name: str
    on: bool = False


@dataclass(frozen=True)
class Settings:
    """One field of every kind."""

    many: Annotated[int, Interval(ge=2, le=64)] = 2
    rate: Annotated[float, Gt(0), Lt(1)] = 0.5
    step: Annotated[int, Ge(0), Le(8), MultipleOf(2)] = 0
    short_name: Annotated[str, Len(1, 3)] = "a"
    inner: Inner | None = None
    items: Annotated[tuple[Inner, ...], MaxLen(2)] = ()
    words: Annotated[tuple[str, ...], MinLen(1)] = ("w",)
    maybe: Annotated[int, Ge(1)] | None = None


INNER = {
    "type": "object",
    "properties": {"deepName": {"type": "string"}, "on": {"type": "boolean"}},
    "additionalProperties": False,
    "required": ["deepName"],
}


def test_the_schema_says_every_bound() -> None:
    assert schema(Settings) == {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "many": {"type": "integer", "minimum": 2, "maximum": 64},
            "rate": {
                "type": "number", "minimum": 0, "exclusiveMinimum": True,
                "maximum": 1, "exclusiveMaximum": True,
            },
            "step": {"type": "integer", "minimum": 0, "maximum": 8, "multipleOf": 2},
            "shortName": {"type": "string", "minLength": 1, "maxLength": 3},
            "inner": INNER,
            "items": {"type": "array", "items": INNER, "maxItems": 2},
            "words": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "maybe": {"type": "integer", "minimum": 1},
        },
    }  # fmt: skip


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    written: dict[str, Any]
    want: Settings


@pytest.mark.parametrize(
    "case",
    [
        TestCase("nothing written", {}, Settings()),
        TestCase("null is not written", {"many": None}, Settings()),
        TestCase("scalars", {"many": 3, "shortName": "bc"}, Settings(many=3, short_name="bc")),
        TestCase("a mapping", {"inner": {"deepName": "x"}}, Settings(inner=Inner("x"))),
        TestCase("an empty list", {"words": []}, Settings(words=())),
        TestCase(
            "a list of mappings",
            {"items": [{"deepName": "x", "on": True}, {"deepName": "y"}]},
            Settings(items=(Inner("x", on=True), Inner("y"))),
        ),
    ],
    ids=lambda case: case.name,
)
def test_decodes(case: TestCase) -> None:
    assert decode(Settings, case.written) == case.want


@dataclass(frozen=True)
class OddType:
    """A field no YAML can hold."""

    field: complex = 0j


@dataclass(frozen=True)
class OddBound:
    """A bound no schema can say."""

    field: Annotated[int, Predicate(bool)] = 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [(OddType, "cannot be of type"), (OddBound, "cannot be bound by")],
    ids=["a field that no YAML can hold", "a bound that no schema can say"],
)
def test_a_mistake_of_the_policys_author_is_told(settings: type[Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        schema(settings)
