from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from trainc.kube.gotypes import normalise
from trainc.kube.merge import MergeError, Rules, merge

DATA = Path(__file__).parents[3] / "tests" / "data" / "strategic_merge.json.gz"


def vectors() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(gzip.decompress(DATA.read_bytes()))
    return found


def without_nulls(value: Any) -> Any:
    """A patch as the compiler merges it: nulls mean absent before it gets here."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def directed(value: Any) -> bool:
    return '"$' in json.dumps(value)


def repeats(value: Any) -> bool:
    """Whether a finalizer stands twice in one list, which upstream orders by the accident."""
    if isinstance(value, dict):
        finalizers = value.get("finalizers", [])
        return len(set(finalizers)) < len(finalizers) or any(map(repeats, value.values()))
    return isinstance(value, list) and any(map(repeats, value))


def test_merges_as_apimachinery_does() -> None:
    plain = [v for v in vectors() if "merged" in v and not directed(v["patch"])]
    assert len(plain) > 700
    for vector in plain:
        got = merge(vector["base"], without_nulls(vector["patch"]), "JobSetSpec")
        want = normalise(vector["merged"], "JobSetSpec")
        assert normalise(got, "JobSetSpec") == want, json.dumps(vector["patch"])


def test_refuses_what_apimachinery_refuses() -> None:
    refused = [v for v in vectors() if "error" in v]
    assert refused
    for vector in refused:
        with pytest.raises(MergeError):
            merge(vector["base"], without_nulls(vector["patch"]), "JobSetSpec")


def test_directives_merge_as_apimachinery_does() -> None:
    tried = 0
    for vector in vectors():
        if "merged" not in vector or not directed(vector["patch"]) or repeats(vector["base"]):
            continue
        try:
            got = merge(vector["base"], without_nulls(vector["patch"]), "JobSetSpec")
        except MergeError as error:
            # A key that apimachinery keeps as a plain label, which no label may be.
            assert "is not a merge directive" in str(error)
            continue
        tried += 1
        want = normalise(vector["merged"], "JobSetSpec")
        assert normalise(got, "JobSetSpec") == want, json.dumps(vector["patch"])
    assert tried > 200


def test_strict_merges_refuse_what_upstream_lets_pass() -> None:
    patch = {"containers": [{"name": "new", "env": [{"name": "A", "$retainKeys": ["x"]}]}]}
    assert merge({"containers": [{"name": "old"}]}, patch, "PodSpec")["containers"]
    with pytest.raises(MergeError) as caught:
        merge({"containers": [{"name": "old"}]}, patch, "PodSpec", Rules())
    assert caught.value.path == ("containers", 0, "env", 0, "$retainKeys")


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    type_name: str
    base: dict[str, Any]
    patch: dict[str, Any]
    want: dict[str, Any]


UNIONS = [
    TestCase(
        name="a volume's source is replaced",
        type_name="PodSpec",
        base={"volumes": [{"name": "v", "emptyDir": {}}]},
        patch={"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]},
        want={"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]},
    ),
    TestCase(
        name="the same source merges",
        type_name="PodSpec",
        base={"volumes": [{"name": "v", "emptyDir": {"medium": "Memory"}}]},
        patch={"volumes": [{"name": "v", "emptyDir": {"sizeLimit": "1Gi"}}]},
        want={"volumes": [{"name": "v", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}}]},
    ),
    TestCase(
        name="an env's value gives way to a source",
        type_name="Container",
        base={"env": [{"name": "A", "value": "1"}]},
        patch={"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "p"}}}]},
        want={"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "p"}}}]},
    ),
    TestCase(
        name="a source gives way to a source of another kind",
        type_name="Container",
        base={"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "p"}}}]},
        patch={"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]},
        want={"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]},
    ),
]


@pytest.mark.parametrize("case", UNIONS, ids=lambda case: case.name)
def test_unions(case: TestCase) -> None:
    assert merge(case.base, case.patch, case.type_name, Rules(unions=True)) == case.want


def test_neither_argument_changes() -> None:
    base = {"volumes": [{"name": "v", "emptyDir": {}}]}
    patch = {"volumes": [{"name": "w", "emptyDir": {}}]}
    before = json.dumps([base, patch])
    merge(base, patch, "PodSpec")
    assert json.dumps([base, patch]) == before


def test_an_error_names_its_place_in_the_patch() -> None:
    patch = {"nodeSelector": {"$patch": "remove"}}
    with pytest.raises(MergeError) as caught:
        merge({"nodeSelector": {"a": "b"}}, patch, "PodSpec")
    assert caught.value.path == ("nodeSelector", "$patch")


def test_many_directed_items_merge_in_linear_time() -> None:
    env = [{"name": f"a{n}", "value": "1"} for n in range(20_000)]
    patch = [{"name": f"a{n}", "$patch": "delete"} for n in range(1, 20_000)]
    merged = merge({"env": env}, {"env": patch}, "Container", Rules(items=True))
    assert merged == {"env": env[:1]}
