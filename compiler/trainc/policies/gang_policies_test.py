"""The two gang policies: PodGroups, their numbers, and how pods join them."""

from __future__ import annotations

from typing import Any

import pytest

from trainc.sample import (
    REFERENCE,
    Compiled,
    Refusal,
    TestCase,
    compiled,
    replicated_job,
    runtime,
    trainjob,
)

PRIORITY = "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: high}\n"


def gang(policy: str, *, pod: str = "", container: str = "", annotations: str = "") -> str:
    """A runtime of two nodes and a gang policy."""
    jobs = replicated_job(pod=pod, container=container)
    text = runtime("{numNodes: 2, torch: {}}", jobs=jobs)
    note = f"    metadata: {{annotations: {{{annotations}}}}}\n" if annotations else ""
    return text.replace("  template:\n", f"  podGroupPolicy: {{{policy}}}\n  template:\n{note}", 1)


def spec(made: Compiled) -> Any:
    return made.objects["PodGroup"]["spec"]


def member(made: Compiled) -> Any:
    metadata = made.job()["template"]["spec"]["template"]["metadata"]
    return {key: metadata[key] for key in ("labels", "annotations") if key in metadata}


QUEUE = "scheduling.volcano.sh/queue-name"
BUSY = "resources: {requests: {cpu: 250m, memory: 100Mi}, limits: {nvidia.com/gpu: 1}}"

CASES = [
    TestCase("all pods together or none", (trainjob(), gang("coscheduling: {}", container=BUSY)),
             spec, {"minMember": 2, "minResources": {"cpu": "500m", "memory": "200Mi"},
                    "scheduleTimeoutSeconds": 60}),
    TestCase("nothing asked for is an empty mapping", (trainjob(),
             gang("coscheduling: {scheduleTimeoutSeconds: 0}")), spec,
             {"minMember": 2, "minResources": {}, "scheduleTimeoutSeconds": 0}),
    TestCase("coscheduling knows its pods by a label", (trainjob(), gang("coscheduling: {}")),
             member, {"labels": {"scheduling.x-k8s.io/pod-group": "m"}}),
    TestCase("volcano knows them by an annotation", (trainjob(), gang("volcano: {}")),
             member, {"annotations": {"scheduling.k8s.io/group-name": "m"}}),
    TestCase("volcano takes the queue of the annotation", (trainjob(),
             gang("volcano: {}", annotations=f"{QUEUE}: fast")),
             lambda made: spec(made)["queue"], "fast"),
    TestCase("volcano takes the class of the pods", (trainjob(),
             gang("volcano: {}", pod="priorityClassName: high"), PRIORITY),
             lambda made: (spec(made)["priorityClassName"], made.problems), ("high", ())),
    TestCase("topology as the schema fills it in", (trainjob(),
             gang("volcano: {networkTopology: {}}")),
             lambda made: spec(made)["networkTopology"],
             {"mode": "hard", "highestTierAllowed": 1}),
    TestCase("topology as it is written", (trainjob(),
             gang("volcano: {networkTopology: {mode: soft, highestTierAllowed: 2}}")),
             lambda made: spec(made)["networkTopology"],
             {"mode": "soft", "highestTierAllowed": 2}),
    TestCase("a class every cluster has is not looked for", (trainjob(),
             gang("volcano: {}", pod="priorityClassName: system-node-critical")),
             lambda made: made.problems, ()),
]  # fmt: skip

REFUSALS = [
    Refusal("an annotation that names no queue", (trainjob(),
            gang("volcano: {}", annotations=f"{QUEUE}: ''")), f"spec.annotations[{QUEUE}]: "),
    Refusal("a topology that does not exist", (trainjob(),
            gang("volcano: {networkTopology: {mode: near}}")),
            "spec.podGroupPolicy.volcano.networkTopology.mode: "),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_compiles(case: TestCase) -> None:
    made = compiled(*case.texts)
    assert not made.errors
    assert case.look(made) == case.want


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case.name)
def test_refuses(case: Refusal) -> None:
    made = compiled(*case.texts)
    assert [e for e in made.errors if e.startswith(case.want)], made.errors
    assert not made.objects


def test_an_unknown_class_is_a_warning_here_and_an_error_in_the_reference() -> None:
    texts = (trainjob(), gang("volcano: {}", pod="priorityClassName: high"))
    sound = compiled(*texts)
    assert not sound.errors
    assert [p.field for p in sound.problems] == ["spec.templateSpec.priorityClassName"]
    (error,) = compiled(*texts, compat=REFERENCE).errors
    assert error.startswith("spec.templateSpec.priorityClassName: ")
