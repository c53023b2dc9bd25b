"""Says what a schema found wrong as the API server would place it, in words with a remedy.

In: an error of the JSON schema validator. Out: ``Violation``s. The validator's own words name
JSON schema keywords; a person who edits YAML needs the value, the bound and the way out.
"""

import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

from trainc.spec.remedy import text_hint, type_hint

Path = tuple[str | int, ...]


class Violation(NamedTuple):
    """A rule of the schema that a document breaks.

    Attributes:
        path: The field: names of map entries and numbers of list items, from the root.
        message: What is wrong, with the value.
        hint: How to mend it, empty where there is no one way.
    """

    path: Path
    message: str
    hint: str = ""


class SchemaError(Protocol):
    """What is read of an error of jsonschema-rs."""

    instance_path: list[str | int]
    instance: Any
    kind: Any


def violation(error: SchemaError) -> Violation:
    """Gives what an error of the validator means; unknown fields are ``unknown.py``'s."""
    path = tuple(error.instance_path)
    details = error.kind.as_dict()
    keyword = error.kind.name
    if keyword == "required":
        return Violation((*path, details["property"]), "must be set")
    if keyword == "type":
        return _wrong_type(path, error.instance, details["types"])
    return _WORDS[keyword](path, error.instance, details)


def shown(value: object) -> str:
    """Gives a value as an error shows it: short, on one line."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:76]} ..."


_NOUNS: Final = {
    "string": "a string",
    "integer": "an integer",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
    "number": "a number",
}


def _wrong_type(path: Path, value: object, types: list[str]) -> Violation:
    nouns = " or ".join(_NOUNS[name] for name in types if name != "null")
    return Violation(path, f"must be {nouns}, got {shown(value)}", type_hint(value, types))


_Details = dict[str, Any]


def _below(path: Path, value: Any, details: _Details) -> Violation:
    limit = details["limit"]
    if limit <= -(2**31):
        return _overflow(path, value, -limit)
    return Violation(path, f"must be at least {limit}, got {value}")


def _above(path: Path, value: Any, details: _Details) -> Violation:
    limit = details["limit"]
    if limit >= 2**31 - 1:
        return _overflow(path, value, limit + 1)
    return Violation(path, f"must be at most {limit}, got {value}")


def _not_above(path: Path, value: Any, details: _Details) -> Violation:
    return Violation(path, f"must be more than {details['limit']}, got {value}")


def _not_below(path: Path, value: Any, details: _Details) -> Violation:
    return Violation(path, f"must be less than {details['limit']}, got {value}")


def _no_multiple(path: Path, value: Any, details: _Details) -> Violation:
    return Violation(path, f"must be a multiple of {details['multiple_of']}, got {value}")


def _overflow(path: Path, value: Any, size: int) -> Violation:
    return Violation(path, f"must fit in {size.bit_length()} bits, got {shown(value)}")


def _too_short(path: Path, value: Any, details: _Details) -> Violation:
    if details["limit"] == 1:
        return Violation(path, "must not be empty")
    return Violation(path, f"must have at least {details['limit']} characters, got {shown(value)}")


def _too_long(path: Path, value: Any, details: _Details) -> Violation:
    return Violation(path, f"must have at most {details['limit']} characters, got {len(value)}")


def _too_few(path: Path, value: Any, details: _Details) -> Violation:
    return Violation(path, f"must hold at least {_count(details, 'item')}, got {len(value)}")


def _too_many(path: Path, value: Any, details: _Details) -> Violation:
    return Violation(path, f"must hold at most {_count(details, 'item')}, got {len(value)}")


def too_few_fields(path: Path, value: Any, details: _Details) -> Violation:
    """Gives the violation of a mapping that holds too little."""
    return Violation(path, f"must hold at least {_count(details, 'field')}, got {len(value)}")


def _too_many_fields(path: Path, value: Any, details: _Details) -> Violation:
    return Violation(path, f"must hold at most {_count(details, 'field')}, got {len(value)}")


def _count(details: _Details, noun: str) -> str:
    limit: int = details["limit"]
    return f"{limit} {noun}{'s' if limit != 1 else ''}"


def _not_listed(path: Path, value: Any, details: _Details) -> Violation:
    options = ", ".join(json.dumps(option) for option in details["options"])
    return Violation(path, f"must be one of {options}, got {shown(value)}")


def _repeated(path: Path, value: Any, _details: _Details) -> Violation:
    again = next(item for index, item in enumerate(value) if item in value[:index])
    return Violation(path, f"must not hold the same twice, got {shown(again)}")


def _wrong_form(path: Path, value: Any, details: _Details) -> Violation:
    pattern = details["pattern"]
    if "[KMGTPE]i" in pattern:
        wanted = "must be a quantity such as 500m, 2 or 16Gi"
    elif r"\d{4}-" in pattern:
        wanted = _TIME
    else:
        wanted = f"must match {pattern}"
    return Violation(path, f"{wanted}, got {shown(value)}", text_hint(value, pattern))


def _wrong_format(path: Path, value: Any, _details: _Details) -> Violation:
    return Violation(path, f"{_TIME}, got {shown(value)}")


_TIME: Final = "must be a time such as 2026-01-31T10:00:00Z"

_WORDS: Final[dict[str, Callable[[Path, Any, _Details], Violation]]] = {
    "minimum": _below,
    "maximum": _above,
    "exclusiveMinimum": _not_above,
    "exclusiveMaximum": _not_below,
    "multipleOf": _no_multiple,
    "minLength": _too_short,
    "maxLength": _too_long,
    "minItems": _too_few,
    "maxItems": _too_many,
    "minProperties": too_few_fields,
    "maxProperties": _too_many_fields,
    "uniqueItems": _repeated,
    "enum": _not_listed,
    "pattern": _wrong_form,
    "format": _wrong_format,
}
