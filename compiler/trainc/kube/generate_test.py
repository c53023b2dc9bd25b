"""The committed schemas are those of the CRDs, and small."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests import corpora

from trainc.kube.generate import generate
from trainc.kube.schema import FILES, FOLDER, tree, walk
from trainc.kube.share import share


def test_committed_schemas_are_those_of_the_crds() -> None:
    # Volcano's is compared where it is made: tests/cluster/volcano_test.py.
    paths = [path for path in Path(FOLDER).glob("*.json") if not path.name.startswith("volcano")]
    committed = {path.name: path.read_text() for path in paths}
    wanted = generate(corpora.crds())
    stale = sorted(name for name in wanted if committed.get(name) != wanted[name])
    assert (stale, sorted(committed)) == ([], sorted(wanted)), (
        "run: python -m trainc.kube.generate CRDS, with the folder of the CRDs"
    )


@pytest.mark.parametrize("kind", sorted(FILES))
def test_every_object_says_what_it_holds(kind: str) -> None:
    root = tree(kind)
    parts = [root, *root.get("definitions", {}).values()]
    open_ended = [
        node
        for part in parts
        for node in _nodes(part)
        if node.get("type") == "object" and "additionalProperties" not in node
    ]
    # ObjectMeta, its owners and its managers: decoding drops what it does not know.
    metadata = root["properties"]["metadata"]
    owners = metadata["properties"]["ownerReferences"]["items"]
    managers = metadata["properties"]["managedFields"]["items"]
    assert open_ended == [metadata, owners, managers]


def test_parts_that_repeat_stand_once() -> None:
    part = {"type": "object", "properties": {name * 20: {"type": "string"} for name in "abc"}}
    other = {"type": "string"}
    folded = share({"properties": {"one": part, "two": {"items": part}, "three": other}})
    assert folded == {
        "properties": {
            "one": {"$ref": "#/definitions/0"},
            "two": {"items": {"$ref": "#/definitions/0"}},
            "three": other,
        },
        "definitions": {"0": part},
    }


def test_trainjob_walks_only_where_there_is_something_to_do() -> None:
    table = walk("TrainJob").lists
    _, children = table[-1]
    _, below_spec = table[children["spec"]]
    assert sorted(below_spec) == ["initializer", "runtimePatches", "trainer"]
    keys, _ = table[below_spec["runtimePatches"]]
    assert keys == {"manager": None}


def _nodes(node: dict[str, Any]) -> list[dict[str, Any]]:
    children = [*node.get("properties", {}).values()]
    children += [node[key] for key in ("items", "additionalProperties") if node.get(key)]
    return [node, *(found for child in children for found in _nodes(child))]
