"""``from trainc import build``: every kind of source, and objects that are the caller's own."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import trainc
from trainc.sample import replicated_job, runtime, trainjob
from trainc.source.parse import parse

JOB, RT = trainjob(), runtime("{numNodes: 2, torch: {}}")
STOCK = JOB.replace("{name: rt}", "{name: torch-distributed}")


def mapping(text: str) -> dict[str, Any]:
    documents, _ = parse(text.encode(), "f.yaml")
    root: dict[str, Any] = documents[0].root
    return root


def containers(value: Any) -> list[int]:
    """The identity of every mapping and list in a value."""
    if not isinstance(value, dict | list):
        return []
    items = value.values() if isinstance(value, dict) else value
    return [id(value), *(inner for item in items for inner in containers(item))]


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    sources: Callable[[Path], Any]
    runtimes: Callable[[Path], Any] = lambda _: ()


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


CASES = [
    TestCase("texts", lambda _: [JOB, RT]),
    TestCase("one text of many documents", lambda _: f"{JOB}---\n{RT}"),
    TestCase("mappings", lambda _: [mapping(JOB), mapping(RT)]),
    TestCase("a path and a text", lambda folder: [write(folder, "job.yaml", JOB), RT]),
    TestCase("a path as text", lambda folder: [str(write(folder, "job.yaml", JOB)), RT]),
    TestCase("a folder", lambda folder: (
        write(folder, "in/a.yaml", JOB), write(folder, "in/b.yml", RT), folder / "in")[2]),
    TestCase("a runtime to fall back on", lambda _: JOB, lambda _: RT),
    TestCase("a folder of runtimes", lambda _: mapping(JOB),
             lambda folder: write(folder, "rt/rt.yaml", RT).parent),
    TestCase("a generator", lambda _: (text for text in (JOB, RT))),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_same_comes_of_every_kind_of_source(case: TestCase, tmp_path: Path) -> None:
    made = trainc.build(case.sources(tmp_path), runtimes=case.runtimes(tmp_path))
    assert made.problems == ()
    assert made.ok
    assert made.objects == trainc.build([JOB, RT]).objects
    assert [item["kind"] for item in made.objects] == ["JobSet"]


def test_a_stock_runtime_needs_no_source() -> None:
    assert trainc.build(STOCK).ok
    (problem,) = trainc.build(STOCK, compat="v2.3.0").problems
    assert problem.field == "spec.runtimeRef"


def test_the_mappings_given_are_not_changed() -> None:
    sources = [mapping(JOB), mapping(RT)]
    before = copy.deepcopy(sources)
    assert trainc.build(sources).ok
    assert sources == before


def test_a_mapping_may_be_used_twice_and_hold_its_parts_twice() -> None:
    shared = {"name": "rt"}
    job = {**mapping(JOB), "spec": {"runtimeRef": shared, "trainer": {}}}
    first, second = trainc.build([job, RT]), trainc.build([job, RT])
    assert first.objects == second.objects
    assert shared == {"name": "rt"}


def test_objects_share_nothing() -> None:
    other = JOB.replace("name: m,", "name: b,")
    extra = runtime("{torch: {}}", jobs=replicated_job() + replicated_job("extra", label=""))
    made = trainc.build([JOB, other, extra])
    assert made.ok
    found = [identity for item in made.objects for identity in containers(item)]
    assert len(found) == len(set(found))
    untouched = trainc.build([JOB, other, extra]).objects
    made.objects[0]["spec"]["replicatedJobs"].clear()
    assert trainc.build([JOB, other, extra]).objects == untouched


def test_an_error_leaves_no_objects() -> None:
    made = trainc.build([JOB, RT, JOB.replace("name: m,", "name: b,").replace("rt}", "nope}")])
    assert not made.ok
    assert made.objects == ()
    (problem,) = made.problems
    assert (problem.mark and problem.mark.file, problem.object) == ("<source 2>", "TrainJob/b")


def test_a_warning_leaves_them() -> None:
    old = RT.replace("{name: rt}", "{name: rt, labels: {trainer.kubeflow.org/support: deprecated}}")
    made = trainc.build([JOB, old])
    assert made.ok
    assert {problem.severity for problem in made.problems} == {"warning"}
    assert len(made.objects) == 1


def test_secrets_and_features() -> None:
    mpi = runtime("{mpi: {}}")
    kinds = [item["kind"] for item in trainc.build([JOB, mpi], secrets="inline").objects]
    assert kinds == ["ConfigMap", "Secret", "JobSet"]
    kinds = [item["kind"] for item in trainc.build([JOB, mpi]).objects]
    assert kinds == ["ConfigMap", "JobSet"]
    (item,) = trainc.build([JOB, RT], features=["TrainJobStatus"]).objects
    assert "KUBEFLOW_TRAINER_SERVER_URL" in str(item)


def test_a_job_names_a_variable_twice_and_gets_two() -> None:
    env = [{"name": "A", "value": "b"}]
    spec = {"runtimeRef": {"name": "rt"}, "trainer": {"env": env}}
    twice = runtime("{numNodes: 2, torch: {}}", jobs=replicated_job() + replicated_job("extra"))
    made = trainc.build([{**mapping(JOB), "spec": spec}, twice])
    assert str(made.objects).count("'name': 'A'") == 2
    found = [identity for item in made.objects for identity in containers(item)]
    assert len(found) == len(set(found))


@dataclass(frozen=True)
class Odd:
    name: str
    source: Any
    want: str
    severity: str = "error"


def deep() -> dict[str, Any]:
    inner: dict[str, Any] = {}
    for _ in range(100_000):
        inner = {"a": inner}
    return {**mapping(JOB), "spec": inner}


def cyclic() -> dict[str, Any]:
    job = mapping(JOB)
    job["spec"]["trainer"] = job
    return job


ODD = [
    Odd("nested deeply", deep(), "nested deeper than 200 levels"),
    Odd("holds itself", cyclic(), "nested deeper than 200 levels"),
    Odd("no object", {"a": 1}, "no Kubernetes object: apiVersion and kind missing"),
    Odd("empty", {}, "no Kubernetes object: apiVersion and kind missing"),
    Odd("another kind", {"apiVersion": "v1", "kind": "Pod"}, "passed over", "note"),
    Odd("another version", {**mapping(JOB), "apiVersion": "trainer.kubeflow.org/v2"},
        "unknown version 'trainer.kubeflow.org/v2'"),
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.name)
def test_an_odd_mapping_is_told_as_in_a_file(odd: Odd) -> None:
    (problem,) = trainc.build(odd.source).problems
    assert (problem.message, problem.severity) == (odd.want, odd.severity)
    assert problem.mark and problem.mark.file == "<source 0>"


def test_a_list_as_a_mapping_is_its_items() -> None:
    items = {"apiVersion": "v1", "kind": "List", "items": [mapping(JOB), mapping(RT)]}
    assert trainc.build(items).objects
    assert trainc.build(items).objects == trainc.build([JOB, RT]).objects


@pytest.mark.parametrize("source", [[None], [5], [b"job.yaml"], [[JOB]]])
def test_what_is_no_source_is_a_type_error(source: Any) -> None:
    with pytest.raises(TypeError, match="a path, text or a mapping"):
        trainc.build(source)


@pytest.mark.parametrize("sources", ["a\nb: [", [{}], [{"kind": "TrainJob"}], [{1: 2}], "\n", []])
def test_odd_sources_are_problems_or_nothing(sources: Any) -> None:
    made = trainc.build(sources)
    assert made.objects == ()
    assert all(problem.message for problem in made.problems)


def test_a_release_that_is_not_known() -> None:
    with pytest.raises(ValueError, match="compat must be one of v2.3.0"):
        trainc.build(JOB, compat="v9")  # type: ignore[arg-type]


def test_a_feature_that_is_not_known() -> None:
    (problem,) = trainc.build([JOB, RT], features=["Nope"]).problems
    assert problem.message == 'no feature is called "Nope"'


def test_two_of_one_name() -> None:
    made = trainc.build([JOB, JOB, RT])
    assert not made.ok
