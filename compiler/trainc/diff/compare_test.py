"""What becomes of each object, why, and what it means for what runs."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from trainc.diff.change import Change, Verdict
from trainc.diff.compare import RECREATED, compared
from trainc.errors import field_path

Json = dict[str, Any]


def jobset(name: str = "m", **spec: Any) -> Json:
    containers = [{"name": "node", "image": "a:1", "args": ["--lr=1"]}]
    pod = {"spec": {"containers": containers}}
    job = {"name": "node", "template": {"spec": {"template": pod}}}
    note = {"trainc.dev/job": '{"digest":"sha256:1","trainjob":"m"}'}
    return {
        "apiVersion": "jobset.x-k8s.io/v1alpha2",
        "kind": "JobSet",
        "metadata": {"name": name, "namespace": "team", "annotations": note},
        "spec": {"replicatedJobs": [job], "suspend": False, **spec},
    }


def container(manifest: Json) -> Json:
    pod = manifest["spec"]["replicatedJobs"][0]["template"]["spec"]["template"]["spec"]
    found: Json = pod["containers"][0]
    return found


def image(manifest: Json) -> None:
    container(manifest)["image"] = "a:2"
    manifest["metadata"]["annotations"]["trainc.dev/job"] = '{"digest":"sha256:2","trainjob":"m"}'


def suspend(manifest: Json) -> None:
    manifest["spec"]["suspend"] = True


def recreated(manifest: Json) -> None:
    image(manifest)
    manifest["metadata"]["annotations"]["kustomize.toolkit.fluxcd.io/force"] = "enabled"


def defaults(manifest: Json) -> None:
    manifest["spec"]["successPolicy"] = {"operator": "All"}
    manifest["spec"]["replicatedJobs"][0]["replicas"] = 1


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    change: Callable[[Json], Any]
    verdict: Verdict | None
    fields: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    kills: bool = False
    old: Json | None = None


IMAGE = "spec.replicatedJobs[0].template.spec.template.spec.containers[0].image"
KILLED = "a running job would be killed"
FINISHED = {"conditions": [{"type": "Completed", "status": "True"}]}
CASES = [
    TestCase("nothing", lambda manifest: None, None),
    TestCase("defaults in words", defaults, None),
    TestCase("the pods' image", image, Verdict.REPLACE, (IMAGE,), (KILLED,), True),
    TestCase(
        "the image of a suspended job",
        image,
        Verdict.REPLACE,
        (IMAGE,),
        ("it is suspended: no pod runs",),
        old=jobset(suspend=True),
    ),
    TestCase(
        "the image of a finished job",
        image,
        Verdict.REPLACE,
        (IMAGE,),
        ("the job has finished; it would run again",),
        old={**jobset(), "status": FINISHED},
    ),
    TestCase(
        "the image, and a tool that recreates it",
        recreated,
        Verdict.REPLACE,
        ("metadata.annotations.kustomize.toolkit.fluxcd.io/force", IMAGE),
        (KILLED, RECREATED),
        True,
    ),
    TestCase(
        "suspended",
        suspend,
        Verdict.CHANGE,
        ("spec.suspend",),
        ("it is suspended: its running pods are removed",),
        True,
    ),
    TestCase(
        "resumed",
        lambda manifest: manifest["spec"].update(suspend=False),
        Verdict.CHANGE,
        ("spec.suspend",),
        ("it is resumed: its pods start",),
        old=jobset(suspend=True),
    ),
    TestCase(
        "a label",
        lambda manifest: manifest["metadata"].update(labels={"a": "b"}),
        Verdict.CHANGE,
        ("metadata.labels",),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_compared(case: TestCase) -> None:
    old = case.old or jobset()
    new = copy.deepcopy(old)
    case.change(new)
    changes = compared([old], [new])
    if case.verdict is None:
        assert changes == ()
        return
    (change,) = changes
    assert change.verdict is case.verdict
    assert tuple(field_path(field.path) for field in change.fields) == case.fields
    assert change.effects == case.effects
    assert change.kills is case.kills
    assert bool(change.refusals) is (case.verdict is Verdict.REPLACE)


def test_what_ends_jobs_comes_first() -> None:
    old = [jobset("a"), jobset("b"), jobset("c"), jobset("d")]
    new = [copy.deepcopy(each) for each in (old[0], old[2], old[3])] + [jobset("e")]
    suspend(new[0])
    image(new[1])
    new[2]["metadata"]["labels"] = {"x": "y"}
    found = [(each.identity.name, each.verdict.value) for each in compared(old, new)]
    assert found == [
        ("c", "replace"),
        ("b", "prune"),
        ("a", "change"),
        ("e", "create"),
        ("d", "change"),
    ]


def test_renamed_jobs_are_shown_beside_each_other() -> None:
    old, new = jobset("train-0123abcd"), jobset("train-4567cdef")
    container(old)["args"] = ["--url=http://train-0123abcd-node-0-0.train-0123abcd"]
    container(new)["args"] = ["--url=http://train-4567cdef-node-0-0.train-4567cdef"]
    image(new)
    changes: dict[str, Change] = {
        each.identity.name: each for each in compared([old], [new], renames=True)
    }
    gone, come = changes["train-0123abcd"], changes["train-4567cdef"]
    assert (gone.verdict, gone.partner) == (Verdict.PRUNE, come.identity)
    assert (come.verdict, come.partner) == (Verdict.CREATE, gone.identity)
    assert [field_path(field.path) for field in come.fields] == ["metadata.name", IMAGE][1:]
    assert all(each.partner is None for each in compared([old], [new]))


def test_a_kind_nobody_knows_may_be_refused() -> None:
    old = {"apiVersion": "x.io/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": {"a": 1}}
    (change,) = compared([old], [{**old, "spec": {"a": 2}}])
    assert change.verdict is Verdict.CHANGE
    assert "does not know" in change.effects[0]


FORCED = {"argocd.argoproj.io/sync-options": "Prune=false,Force=true,Replace=true"}


def test_what_argo_cd_recreates_at_every_sync_is_counted() -> None:
    old = [jobset("a"), jobset("b"), jobset("c")]
    for each in old[:2]:
        each["metadata"].setdefault("annotations", {}).update(FORCED)
    new = copy.deepcopy(old)
    assert compared(old, new) == ()
    new[1]["metadata"]["labels"] = {"x": "y"}
    new.append(jobset("d"))
    found = [(each.identity.name, each.verdict.value, each.kills) for each in compared(old, new)]
    assert found == [("a", "replace", True), ("b", "replace", True), ("d", "create", False)]
