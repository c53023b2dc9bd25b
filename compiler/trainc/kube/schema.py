"""Loads the generated schemas: each is read and built once a process, when first asked for.

In: the kind of an object. Out: its validator and its walk tables. Kept apart from the checks, so
that a build of TrainJobs alone never pays for the pod tree of the runtimes.
"""

import json
import os.path
from functools import cache
from typing import Any, Final, NamedTuple

from trainc.kube.engine import Draft4Validator, RegexOptions
from trainc.kube.quantity import MAX_QUANTITY

# Policies that are not of the reference bring the schema of their own settings:
# (("mlPolicy.name", JSON schema as text), ...).
Extensions = tuple[tuple[str, str], ...]

# Number of a node -> (own, {field: number of the node below}); see kube/walk.py.
Table = list[tuple[Any, dict[str, int]]]

FOLDER: Final = os.path.join(os.path.dirname(__file__), "schemas")
# Both runtimes have one schema; ``trainc.kube.generate`` fails when that ends.
# A kind that two groups have is named ``Kind.group`` for the second one.
FILES: Final = {
    "TrainJob": "trainjob",
    "TrainingRuntime": "runtime",
    "ClusterTrainingRuntime": "runtime",
    "JobSet": "jobset",
    "LeaderWorkerSet": "leaderworkerset",
    "PodGroup": "podgroup",
    "PodGroup.scheduling.volcano.sh": "volcanopodgroup",
}


class Walk(NamedTuple):
    """What JSON schema cannot say; the last node of each table is the root."""

    lists: Table
    defaults: Table


def validator(kind: str, extensions: Extensions = ()) -> Draft4Validator:
    """Gives the validator of a kind, with the settings of further policies allowed."""
    return _validator(FILES[kind], extensions)


def tree(kind: str, extensions: Extensions = ()) -> dict[str, Any]:
    """Gives the JSON schema of a kind; to be read, not changed."""
    return _tree(FILES[kind], extensions)


def walk(kind: str) -> Walk:
    """Gives the list keys and defaults of a kind."""
    return _walk(FILES[kind])


def resolve(root: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """Gives the part of a JSON schema that a node stands for, its reference followed."""
    reference = node.get("$ref")
    if reference is None:
        return node
    part: dict[str, Any] = root["definitions"][reference.rpartition("/")[2]]
    return part


@cache
def _validator(file: str, extensions: Extensions) -> Draft4Validator:
    return Draft4Validator(
        _bounded(_tree(file, extensions)),
        validate_formats=True,
        # Linear time whatever the text, as Go's; the patterns need nothing more.
        pattern_options=RegexOptions(),
    )


def _bounded(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema whose quantities are of a length that can be computed with.

    The API server takes longer ones; a text of thousands of digits is none that a person writes.
    """
    parts = schema.get("definitions", {})
    shorter = {
        name: {**part, "maxLength": MAX_QUANTITY} if _is_quantity(part) else part
        for name, part in parts.items()
    }
    return {**schema, "definitions": shorter} if parts else schema


def _is_quantity(part: dict[str, Any]) -> bool:
    return str(part.get("pattern", "")).startswith(_QUANTITY)


_QUANTITY: Final = r"^(\+|-)?(([0-9]+"  # the pattern that controller-gen writes


@cache
def _tree(file: str, extensions: Extensions) -> dict[str, Any]:
    schema: dict[str, Any] = _read(f"{file}.schema.json")
    for path, text in extensions:
        *above, key = path.split(".")
        node = schema
        for name in ("spec", *above):
            node = resolve(schema, node["properties"][name])
        node["properties"][key] = json.loads(text, object_hook=_draft_4)
    return schema


def _draft_4(node: dict[str, Any]) -> dict[str, Any]:
    """Writes exclusive bounds as draft 4 does: a word beside the bound."""
    for bound, word in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if type(node.get(word)) in (int, float):
            node |= {bound: node[word], word: True}
    return node


@cache
def _walk(file: str) -> Walk:
    return Walk(**_read(f"{file}.walk.json"))


def _read(name: str) -> Any:
    with open(os.path.join(FOLDER, name), "rb") as stream:
        return json.loads(stream.read())
