"""The Go types behind TrainJob, JobSet, Job and Pod, as facts: what a typed round trip keeps.

``gotypes.json`` is printed by ``tests/oracle/gotypes`` from the reference's own types: for each
type its fields in the order of declaration, each with name, type, ``omitempty`` and, where the
type has one, the patch strategy and merge key. The API server and the reference decode every
object into these types and print it again; ``normalise`` does the same to plain data.
"""

import json
import os.path
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from trainc.kube.quantity import canonical

# Empty structs of these names carry nothing, in any printer's opinion.
_HOLLOW: Final = frozenset({"metadata", "resources", "strategy", "status"})
_SCALARS: Final = frozenset({"str", "bool", "int", "time", "bytes", "any", "intstr", "num"})
# Fields that no schema requires and no ``omitempty`` leaves out: their zero is printed.
_PRINTED: Final = {
    ("ResourceFieldSelector", "divisor"): "0",
    ("PodFailurePolicyOnPodConditionsPattern", "status"): "",
}
_ZEROS: Final[dict[str, Any]] = {"str": "", "bool": False, "int": 0, "bytes": ""}


class Field(NamedTuple):
    """One field of a Go struct.

    Attributes:
        name: The JSON name.
        type: The Go type without a leading ``*``: a scalar word, a struct's name, ``[]T`` or
        ``{}T``.
        pointer: Whether zero and absent are told apart.
        omitempty: Whether a zero value is left out of the JSON.
        strategy: ``patchStrategy`` (``merge``, ``retainKeys``, ...), empty where there is none.
        key: ``patchMergeKey``, empty for lists of scalars.
    """

    name: str
    type: str
    pointer: bool
    omitempty: bool
    strategy: str
    key: str


@cache
def fields(type_name: str) -> dict[str, Field]:
    """The fields of a struct by JSON name, in the order of their declaration; else none.

    A list, a map and a scalar have none: where somebody wrote a map in place of one, its keys are
    merged as they are, and the schema tells of it.
    """
    if type_name in _SCALARS or type_name in ("", "quantity") or type_name[:2] in ("[]", "{}"):
        return {}
    return {row[0]: _field(row) for row in _table()[type_name]}


def normalise(value: Any, type_name: str) -> Any:
    """What is left of ``value`` after a Go program has decoded it as ``type_name`` and printed it.

    Zero values that ``omitempty`` drops are gone, quantities are canonical, keys stand in the order
    of the declaration. The argument is not changed; unknown keys are dropped.
    """
    if type_name in _SCALARS:
        return value
    if type_name == "quantity":
        return canonical(str(value))
    if type_name.startswith("[]"):
        return [normalise(item, type_name[2:].lstrip("*")) for item in value]
    if type_name.startswith("{}"):
        return {key: normalise(item, type_name[2:]) for key, item in value.items()}
    return _struct(value, type_name)


def with_quantities(value: Any, type_name: str) -> Any:
    """A copy of ``value`` whose quantities are text in canonical form; all else is as written.

    A typed round trip prints ``8`` as ``"8"``, ``1.0`` of an integer as ``1``, and a divisor where
    there is none: these are the values it changes or adds, and no webhook takes any away.
    """
    if type_name == "quantity":
        return canonical(str(value))
    if type_name == "int" and isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [with_quantities(item, type_name[2:].lstrip("*")) for item in value]
    if not isinstance(value, Mapping):
        return value
    if type_name.startswith("{}"):
        return {key: with_quantities(item, type_name[2:]) for key, item in value.items()}
    known = fields(type_name)
    out = {
        key: with_quantities(item, known[key].type if key in known else "any")
        for key, item in value.items()
    }
    if type_name == "ResourceFieldSelector" and out.get("divisor") is None:
        out["divisor"] = _PRINTED[type_name, "divisor"]
    return out


def _struct(value: Mapping[str, Any], type_name: str) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, field in fields(type_name).items():
        given = value.get(name)
        if given is None:
            if (type_name, name) in _PRINTED:
                out[name] = _PRINTED[type_name, name]
            elif not field.pointer and name in ("template", "spec") and name not in _HOLLOW:
                out[name] = _struct({}, field.type)
            continue
        item = normalise(given, field.type)
        if not _dropped(item, field):
            out[name] = item
    return out


def _dropped(item: Any, field: Field) -> bool:
    if item in ({}, []):
        return (not field.pointer and field.type[:2] in ("[]", "{}")) or field.name in _HOLLOW
    if field.pointer or not field.omitempty:
        return False
    return bool(item == _ZEROS.get(field.type))


def _field(row: list[Any]) -> Field:
    type_name = row[1]
    pointer = type_name.startswith("*")
    strategy, key = (row[3], row[4]) if len(row) > 3 else ("", "")
    return Field(row[0], type_name.lstrip("*"), pointer, bool(row[2]), strategy, key)


@cache
def _table() -> dict[str, list[list[Any]]]:
    with open(os.path.join(os.path.dirname(__file__), "gotypes.json"), "rb") as file:
        table: dict[str, list[list[Any]]] = json.load(file)
    return table
