"""A policy's settings dataclass: the JSON schema derived from it, and how YAML becomes one.

Field names are snake_case in Python and camelCase in YAML. Bounds are those of ``annotated_types``;
the schema says the same of them, so what the schema admits decodes.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Hashable, Mapping
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

S = TypeVar("S")

_SCALARS: dict[Any, dict[str, Any]] = {
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    bool: {"type": "boolean"},
}


def schema(settings: type[Any]) -> dict[str, Any]:
    """The JSON schema of what may be written for a settings dataclass.

    Raises:
        TypeError: A field has a type that no YAML can hold; a mistake of the policy's author.
    """
    properties, required = {}, []
    hints = _hints(cast(Hashable, settings))
    for field in dataclasses.fields(settings):
        properties[_camel(field.name)] = _schema_of(hints[field.name])
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            required.append(_camel(field.name))
    out: dict[str, Any] = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    if required:
        out["required"] = required
    return out


def decode(settings: type[S], written: Mapping[str, Any]) -> S:
    """The settings as an object; ``written`` has passed the schema."""
    values = {}
    for field in dataclasses.fields(cast(Any, settings)):
        value = written.get(_camel(field.name))
        if isinstance(value, dict | list):
            value = _value(_hints(cast(Hashable, settings))[field.name], value)
        if value is not None:
            values[field.name] = value
    return settings(**values)


@cache
def _hints(settings: Hashable) -> dict[str, Any]:
    import annotated_types  # 10 ms, which a policy that needs no hints must not cost a build

    bounds = vars(annotated_types)
    return get_type_hints(cast(type[Any], settings), localns=bounds, include_extras=True)


def _value(hint: Any, value: Any) -> Any:
    hint = _bare(hint)
    if dataclasses.is_dataclass(hint):
        return decode(cast(type[Any], hint), value)
    if get_origin(hint) is tuple:
        return tuple(_value(get_args(hint)[0], item) for item in value)
    return value


def _bare(hint: Any) -> Any:
    """The hint without Annotated and without ``| None``."""
    if hasattr(hint, "__metadata__"):
        hint = get_args(hint)[0]
    if get_origin(hint) in (Union, types.UnionType):
        return _bare(next(arg for arg in get_args(hint) if arg is not type(None)))
    return hint


def _schema_of(hint: Any) -> dict[str, Any]:
    bare = _bare(hint)
    if dataclasses.is_dataclass(bare):
        out = schema(cast(type[Any], bare))
    elif get_origin(bare) is tuple:
        out = {"type": "array", "items": _schema_of(get_args(bare)[0])}
    elif bare in _SCALARS:
        out = dict(_SCALARS[bare])
    else:
        raise TypeError(f"a policy's setting cannot be of type {hint}")
    for bound in _bounds(hint):
        out.update(_bound(bound, bare))
    return out


def _bounds(hint: Any) -> list[Any]:
    flat: list[Any] = []
    for item in getattr(hint, "__metadata__", ()):
        flat.extend(item if hasattr(item, "__iter__") and not isinstance(item, str) else [item])
    if get_origin(hint) in (Union, types.UnionType):
        for arg in get_args(hint):
            flat.extend(_bounds(arg))
    return flat


def _bound(bound: Any, bare: Any) -> dict[str, Any]:
    kind = type(bound).__name__
    # Draft 4, as the API server's own schemas: "exclusive" there is a word beside the bound.
    if kind == "Ge":
        return {"minimum": bound.ge}
    if kind == "Gt":
        return {"minimum": bound.gt, "exclusiveMinimum": True}
    if kind == "Le":
        return {"maximum": bound.le}
    if kind == "Lt":
        return {"maximum": bound.lt, "exclusiveMaximum": True}
    if kind == "MultipleOf":
        return {"multipleOf": bound.multiple_of}
    size = "Items" if get_origin(bare) is tuple else "Length"
    if kind == "MinLen":
        return {f"min{size}": bound.min_length}
    if kind == "MaxLen":
        return {f"max{size}": bound.max_length}
    raise TypeError(f"a policy's setting cannot be bound by {bound!r}")


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)
