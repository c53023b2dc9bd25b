"""Turns CustomResourceDefinitions into the small JSON schemas that stand on the hot path.

In: folders of CRD YAML files. Out: for each kind, minified JSON in ``schemas/`` here.
The CRDs hold the whole pod and Job tree of the right version, so nothing is written by hand;
1 MB of YAML becomes about 35 kB of JSON that loads and compiles in two milliseconds.

Run as ``python -m trainc.kube.generate CRDS DIR``, where CRDS has the reference's
(``tests/corpora.py`` unpacks them) and DIR has Volcano's (``python -m tests.cluster.volcano``).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from ruamel.yaml import YAML

from trainc.kube.schema import FILES, FOLDER
from trainc.kube.share import share
from trainc.kube.walk import atomics, defaults, lists

_PLAIN: Final = (
    "minLength",
    "maxLength",
    "pattern",
    "enum",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "minimum",
    "maximum",
)
_BITS: Final = {"int32": 31, "int64": 63}
_STRING: Final = {"type": "string"}
_STRINGS: Final = {"type": "object", "additionalProperties": {**_STRING, "default": ""}}
# RFC 3339 as Go reads it: capital T and Z, no leap second. ``format`` then checks the calendar.
_TIME: Final = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d(\.\d+)?(Z|[+-]\d\d:\d\d)$",
}
# The CRDs let the exponent of a quantity have a fraction; the parser behind them does not.
_EXPONENT: Final = (r"[eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))", r"[eE](\+|-)?[0-9]+")
_INT64: Final = {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}

# What the API server decodes of the metadata of an object (apimachinery, ObjectMeta). Unknown keys
# are dropped there without a word, so they are let pass here.
_OBJECT_META: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "name": _STRING,
        "generateName": _STRING,
        "namespace": _STRING,
        "selfLink": _STRING,
        "uid": _STRING,
        "resourceVersion": _STRING,
        "generation": _INT64,
        "creationTimestamp": {**_TIME, "type": ["string", "null"]},
        "deletionTimestamp": {**_TIME, "type": ["string", "null"]},
        "deletionGracePeriodSeconds": _INT64,
        "labels": _STRINGS,
        "annotations": _STRINGS,
        "finalizers": {"type": "array", "items": _STRING},
        "ownerReferences": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "apiVersion": _STRING,
                    "kind": _STRING,
                    "name": _STRING,
                    "uid": _STRING,
                    "controller": {"type": "boolean"},
                    "blockOwnerDeletion": {"type": "boolean"},
                },
            },
        },
        "managedFields": {"type": "array", "items": {"type": "object"}},
    },
}


class Rule(NamedTuple):
    """A CEL rule of a CRD.

    Attributes:
        schema: File name of the schema (``trainjob``).
        path: Where it stands: ``spec.runtimePatches[].manager``, empty for the whole object.
        cel: Its text.
        message: What the API server says when it is broken.
    """

    schema: str
    path: str
    cel: str
    message: str


def generate(*crds: Path) -> dict[str, str]:
    """Gives the text of every generated file by its name.

    Args:
        crds: Folders of CRD YAML files; those of kinds not in ``FILES`` are passed over.

    Raises:
        ValueError: Two kinds that share a file have different schemas.
    """
    files: dict[str, str] = {}
    rules: set[Rule] = set()
    for kind, crd in (found for folder in crds for found in _crds(folder)):
        name = FILES[kind]
        for file, content in _files(name, crd).items():
            text = json.dumps(content, separators=(",", ":"), ensure_ascii=False) + "\n"
            if files.setdefault(file, text) != text:
                raise ValueError(f"{kind} no longer shares the schema {name!r}")
        rules.update(_rules(name, crd))
    files["rules.json"] = json.dumps([rule._asdict() for rule in sorted(rules)], indent=1) + "\n"
    return files


def main() -> None:
    """Writes the files anew."""
    for file, text in generate(*map(Path, sys.argv[1:])).items():
        (Path(FOLDER) / file).write_text(text, encoding="utf-8")


def _crds(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields kind and root schema of each CRD we know, by file name."""
    yaml = YAML(typ="safe", pure=False)
    for path in sorted(folder.glob("*.yaml")):
        spec = yaml.load(path.read_text(encoding="utf-8"))["spec"]
        kind = spec["names"]["kind"]
        qualified = f"{kind}.{spec['group']}"
        kind = qualified if qualified in FILES else kind
        if kind in FILES:
            # One version each; the first is the one the reference uses.
            yield kind, spec["versions"][0]["schema"]["openAPIV3Schema"]


def _files(name: str, crd: dict[str, Any]) -> dict[str, Any]:
    schema = convert(crd)
    schema["properties"]["metadata"] = _OBJECT_META
    return {
        f"{name}.schema.json": share(schema),
        f"{name}.walk.json": {"lists": lists(crd), "defaults": defaults(crd)},
        # Only the CRDs that we ship need it: a file of its own, which no build reads.
        f"{name}.atomic.json": atomics(crd),
    }


def convert(crd: dict[str, Any]) -> dict[str, Any]:
    """Gives the JSON schema (draft 4, where ``1.0`` is no integer) of a node of a CRD schema."""
    kind = crd.get("type")
    if crd.get("x-kubernetes-int-or-string"):
        kind = ["integer", "string"]
    if crd.get("nullable"):
        kind = [*(kind if isinstance(kind, list) else [kind]), "null"]
    out: dict[str, Any] = {"type": kind} if kind else {}
    out |= {key: crd[key] for key in _PLAIN if key in crd}
    out |= _bounds(crd)
    if crd.get("format") == "date-time":
        out |= _TIME
    if "pattern" in out:
        out["pattern"] = out["pattern"].replace(*_EXPONENT)
    if "items" in crd:
        out["items"] = convert(crd["items"])
    if kind == "object":
        out |= _fields(crd)
    return out


def _bounds(crd: dict[str, Any]) -> dict[str, int]:
    """Gives the range of the Go type behind an integer."""
    # An integer without format is Go's int, of 64 bits on every machine that runs a cluster.
    bits = _BITS.get(crd.get("format", "int64"), 0) if crd.get("type") == "integer" else 0
    if crd.get("x-kubernetes-int-or-string"):
        # A quantity has a pattern and takes any int64; a port (IntOrString) is an int32.
        bits = 63 if "pattern" in crd else 31
    if not bits:
        return {}
    return {
        "minimum": crd.get("minimum", -(2**bits)),
        "maximum": crd.get("maximum", 2**bits - 1),
    }


def _fields(crd: dict[str, Any]) -> dict[str, Any]:
    """Gives the fields of an object; a field nobody named is refused, as strict decoding does."""
    out: dict[str, Any] = {}
    fields = crd.get("properties", {})
    if fields:
        out["properties"] = {key: convert(child) for key, child in fields.items()}
    values = crd.get("additionalProperties")
    if isinstance(values, dict):
        out["additionalProperties"] = convert(values)
    elif not crd.get("x-kubernetes-preserve-unknown-fields"):
        out["additionalProperties"] = False
    # Defaults are applied before required fields are missed.
    required = [key for key in crd.get("required", []) if "default" not in fields[key]]
    if required:
        out["required"] = required
    return out


def _rules(schema: str, crd: dict[str, Any], path: str = "") -> Iterator[Rule]:
    for rule in crd.get("x-kubernetes-validations", []):
        yield Rule(schema, path, rule["rule"], rule["message"])
    for key, child in crd.get("properties", {}).items():
        yield from _rules(schema, child, f"{path}.{key}".lstrip("."))
    if "items" in crd:
        yield from _rules(schema, crd["items"], f"{path}[]")


if __name__ == "__main__":
    main()
