"""OpenAPI schemas of our kinds, put together again from the generated tables.

In: a kind. Out: the ``openAPIV3Schema`` of its CustomResourceDefinition. The compiler's schema, its
list keys, its defaults and the CEL rules are the one source; so what ``trainc build`` admits and
what a cluster admits cannot part.
"""

from __future__ import annotations

import json
import os.path
from collections.abc import Mapping
from typing import Any, Final

from trainc.kube.schema import FILES, FOLDER, Table, resolve, tree, walk

Json = dict[str, Any]

_INT32: Final = (-(2**31), 2**31 - 1)
_INT64: Final = (-(2**63), 2**63 - 1)
_KEPT: Final = (
    "enum",
    "maxItems",
    "maxLength",
    "maxProperties",
    "minItems",
    "minLength",
    "minProperties",
    "pattern",
)
# trainc refuses a fraction in a quantity's exponent, as the parser does; the CRDs let it pass.
_EXPONENT: Final = (r"[eE](\+|-)?[0-9]+", r"[eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))")


def open_api(kind: str) -> Json:
    """The schema of a kind as a CustomResourceDefinition holds it."""
    tables = _Tables(kind)
    root = tables.node(tree(kind), "", len(tables.lists) - 1, *tables.roots)
    # The API server itself checks what every object has.
    for key in ("apiVersion", "kind"):
        root["properties"][key] = {"type": "string"}
    root["properties"]["metadata"] = {"type": "object"}
    return root


class _Tables:
    """Everything generated of one kind."""

    def __init__(self, kind: str) -> None:
        file = FILES[kind]
        self._tree = tree(kind)
        self.lists, self._defaults = walk(kind)
        self._atomic: Table = _read(f"{file}.atomic.json")
        self._rules = _rules(file)
        self.roots = (len(self._defaults) - 1, len(self._atomic) - 1)

    def node(
        self,
        schema: Json,
        path: str,
        keys: int | None,
        values: int | None,
        atomic: int | None,
    ) -> Json:
        """One node and all below it; the numbers are its places in the three tables."""
        schema = resolve(self._tree, schema)
        out = _scalar(schema)
        if path in self._rules:
            out["x-kubernetes-validations"] = self._rules[path]
        if "items" in schema:
            return self._list(out, schema, path, keys, values, atomic)
        if atomic is not None and self._atomic[atomic][0]:
            out["x-kubernetes-map-type"] = "atomic"
        fields = self._fields(schema, path, keys, values, atomic)
        if fields:
            out["properties"] = fields
        if schema.get("required"):
            out["required"] = sorted(schema["required"])
        further = schema.get("additionalProperties")
        if isinstance(further, dict):
            out["additionalProperties"] = self.node(further, f"{path}{{}}", None, None, None)
        elif out.get("type") == "object" and further is None:
            out["x-kubernetes-preserve-unknown-fields"] = True
        return out

    def _list(
        self,
        out: Json,
        schema: Json,
        path: str,
        keys: int | None,
        values: int | None,
        atomic: int | None,
    ) -> Json:
        told = None if keys is None else self.lists[keys][0]
        out["items"] = self.node(schema["items"], f"{path}[]", keys, values, atomic)
        if isinstance(told, dict):
            out["x-kubernetes-list-type"] = "map"
            out["x-kubernetes-list-map-keys"] = sorted(told)
            needed = {key for key, value in told.items() if value is None}
            required = {*out["items"].get("required", ()), *needed}
            if required:
                out["items"]["required"] = sorted(required)
        else:
            out["x-kubernetes-list-type"] = "set" if told else "atomic"
        return out

    def _fields(
        self,
        schema: Json,
        path: str,
        keys: int | None,
        values: int | None,
        atomic: int | None,
    ) -> Json:
        defaults = {} if values is None else self._defaults[values][0]
        out: Json = {}
        for name, child in sorted(schema.get("properties", {}).items()):
            field = self.node(
                child,
                f"{path}.{name}".lstrip("."),
                _below(self.lists, keys, name),
                _below(self._defaults, values, name),
                _below(self._atomic, atomic, name),
            )
            if name in defaults:
                field["default"] = defaults[name]
            out[name] = field
        return out


def _scalar(schema: Json) -> Json:
    """Type, format and bounds of a node, as Kubernetes writes them."""
    kinds = schema.get("type", [])
    kinds = kinds if isinstance(kinds, list) else [kinds]
    out: Json = {key: schema[key] for key in _KEPT if key in schema}
    if "pattern" in out:
        out["pattern"] = out["pattern"].replace(*_EXPONENT)
    if "null" in kinds:
        out["nullable"] = True
    kinds = [kind for kind in kinds if kind != "null"]
    if len(kinds) == 2:
        out |= {
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "x-kubernetes-int-or-string": True,
        }
        return out
    if kinds:
        out["type"] = kinds[0]
    if schema.get("format") == "date-time":
        out["format"] = "date-time"
        del out["pattern"]  # says of the format what the API server knows
    return out | _range(schema) if kinds == ["integer"] else out


def _range(schema: Json) -> Json:
    """A Go type's range is its format; what is narrower stands beside it."""
    low, high = schema["minimum"], schema["maximum"]
    out: Json = {"format": "int64" if high > _INT32[1] or low < _INT32[0] else "int32"}
    least, most = _INT64 if out["format"] == "int64" else _INT32
    if low != least:
        out["minimum"] = low
    if high != most:
        out["maximum"] = high
    return out


def _below(table: Table, number: int | None, name: str) -> int | None:
    return None if number is None else table[number][1].get(name)


def _rules(file: str) -> Mapping[str, list[Json]]:
    """The CEL rules of a schema by the path they stand at."""
    out: dict[str, list[Json]] = {}
    for rule in _read("rules.json"):
        if rule["schema"] == file:
            said = {"rule": rule["cel"], "message": rule["message"]}
            out.setdefault(rule["path"], []).append(said)
    return out


def _read(file: str) -> Any:
    with open(os.path.join(FOLDER, file), encoding="utf-8") as text:
        return json.load(text)
