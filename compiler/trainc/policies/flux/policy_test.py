"""The flux policy: what is wrapped, mounted and asked for. The scripts have tests of their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from trainc.sample import (
    Compiled,
    Refusal,
    TestCase,
    compiled,
    replicated_job,
    runtime,
    trainjob,
)

GPUS = "resources: {limits: {nvidia.com/gpu: 4}}"


def script(name: str) -> Callable[[Compiled], str]:
    return lambda made: made.objects["ConfigMap"]["data"][name]


def line(name: str, start: str) -> Callable[[Compiled], str]:
    """The first line of a script that holds a text, from there on."""

    def look(made: Compiled) -> str:
        text = script(name)(made)
        return text[text.index(start) :].partition("\n")[0]

    return look


CASES = [
    TestCase("the entry point runs the runtime's command and args", (trainjob(),
             runtime("{flux: {}}", jobs=replicated_job(container="command: [a], args: [b, c]"))),
             lambda made: (made.container()["command"], made.container()["args"]),
             (["/bin/bash", "/etc/flux-config/entrypoint.sh"], ["a", "b", "c"])),
    TestCase("the job's command and args come in their place", (
             trainjob(trainer="{command: [v], args: [w]}"),
             runtime("{flux: {}}", jobs=replicated_job(container="command: [a], args: [b]"))),
             lambda made: made.container()["args"], ["v", "w"]),
    TestCase("an installer unpacks flux first", (trainjob(), runtime("{flux: {}}")),
             lambda made: [(c["name"], c["command"], c["image"].rpartition(":")[2])
                           for c in made.pod()["initContainers"]],
             [("flux-installer", ["/bin/bash", "/etc/flux-config/init.sh"], "tag-jammy")]),
    TestCase("the view's image can be set", (trainjob(
             trainer="{env: [{name: FLUX_VIEW_IMAGE, value: 'example.com/view:1'}]}"),
             runtime("{flux: {}}")),
             lambda made: made.pod()["initContainers"][0]["image"], "example.com/view:1"),
    TestCase("the job's settings win over the runtime's", (trainjob(
             trainer="{env: [{name: FLUX_NETWORK_DEVICE, value: ib0}]}"), runtime("{flux: {}}",
             jobs=replicated_job(container="env: [{name: FLUX_NETWORK_DEVICE, value: eth9}]"))),
             line("init.sh", "default_bind"), 'default_bind = "tcp://ib0:%p"'),
    TestCase("nodes and tasks", (trainjob(trainer="{numNodes: 4, numProcPerNode: 2}"),
             runtime("{flux: {}}")), line("entrypoint.sh", "flux run"),
             'flux run -N 4 -n 8 "$@"'),
    TestCase("the runtime counts where the job does not", (trainjob(),
             runtime("{numNodes: 3, flux: {numProcPerNode: 2}}")),
             line("entrypoint.sh", "flux run"), 'flux run -N 3 -n 6 "$@"'),
    TestCase("a share too small for a GPU asks for none", (
             trainjob(trainer="{numProcPerNode: 8}"),
             runtime("{flux: {}}", jobs=replicated_job(container=GPUS))),
             line("entrypoint.sh", "flux run"), 'flux run -N 1 -n 8 "$@"'),
    TestCase("the lead is the real first host", (trainjob(), runtime(
             "{flux: {}}", jobs=replicated_job("worker"), template="network: {subdomain: s}")),
             line("entrypoint.sh", "if [ \"$(hostname)"),
             "if [ \"$(hostname)\" = 'm-worker-0-0' ]; then"),
    TestCase("brokers meet under the real subdomain", (trainjob(), runtime(
             "{flux: {}}", template="network: {subdomain: s}")),
             line("init.sh", "default_connect"),
             'default_connect = "tcp://%h.s.team.svc.cluster.local:%p"'),
    TestCase("volumes in their order", (trainjob(), runtime("{flux: {}}")),
             lambda made: [v["name"] for v in made.pod()["volumes"]],
             ["spack-install", "flux-install", "m-flux-entrypoint", "shared-memory",
              "flux-curve"]),
]  # fmt: skip

REFUSALS = [
    Refusal("a runtime that brings its own installer", (trainjob(), runtime(
            "{flux: {}}", jobs=replicated_job(
                pod="initContainers: [{name: flux-installer, image: x}]"))),
            "spec.trainer.initContainers: "),
    Refusal("no tasks", (trainjob(trainer="{numProcPerNode: 0}"), runtime("{flux: {}}")),
            "spec.trainer.numProcPerNode: "),
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
