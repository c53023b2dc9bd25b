"""Lints on MPI: a launcher whose settings do not reach its workers, workers that never end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from trainc import names
from trainc.errors import Problem
from trainc.info.podset import Container, PodSet
from trainc.lint.launcher import Call, calls
from trainc.lint.lint import Job, Lint

# What a worker does that waits for its launcher, for ever.
_WAITS: Final = re.compile(r"\bsshd\b|\bsleep\s+inf|\btail\s+-f\s+/dev/null")
# Variables that Open MPI's own daemons hand on.
_HANDED_ON: Final = ("OMPI_", "PMIX_", "PRTE_")
# Settings and flags that name the variables to hand on, in one word.
_LISTS: Final = ("mca_base_env_list", "env_list", "genvlist", "envlist")


def never_ends(job: Job) -> Iterator[Problem]:
    """Workers that wait for ssh for ever, in a JobSet that is complete when all its jobs are."""
    pair = _pair(job)
    if pair is None or not _waits(pair[1].node):
        return
    launcher, workers = pair
    policy = job.jobset["spec"].get("successPolicy")
    if _ends(policy, launcher.name, workers.name):
        return
    path = ("spec", "successPolicy") if policy else ("spec",)
    yield job.at(
        path,
        f"{workers.name} waits for ssh for ever, and the job is complete when {workers.name} is: "
        f"finished jobs keep their GPUs",
        f"set successPolicy: {{operator: All, targetReplicatedJobs: [{launcher.name}]}}",
    )


def _waits(node: Container | None) -> bool:
    """Whether a worker waits for ever, as far as its command says; images alone run sshd."""
    if node is None:
        return False
    words = " ".join((*(node.command or ()), *(node.args or ())))
    return not words or _WAITS.search(words) is not None


def _ends(policy: Mapping[str, Any] | None, launcher: str, workers: str) -> bool:
    """Whether the JobSet is complete when the launcher is."""
    if not policy:
        return False
    targets = policy.get("targetReplicatedJobs") or (launcher, workers)
    if policy.get("operator") == "Any":
        return launcher in targets
    return workers not in targets


def lone_image(job: Job) -> Iterator[Problem]:
    """The job's image on the launcher, and another one on the workers."""
    pair = _pair(job)
    image = job.info.spec.job.spec.get("trainer", {}).get("image")
    if pair is None or not image:
        return
    launcher, workers = pair
    first, second = launcher.node, workers.node
    if first is None or second is None or not second.image:
        return
    if first.image == image and second.image != image:
        yield job.in_job(
            ("spec", "trainer", "image"),
            f"reaches {launcher.name} only: {workers.name} runs {second.image}, and so does each "
            "rank on it",
            "leave it out, and write a runtime of your own with the image in both jobs",
        )


def lost_env(job: Job) -> Iterator[Problem]:
    """Variables of the job that mpirun does not hand on to the ranks of other nodes."""
    pair = _pair(job)
    env = job.info.spec.job.env
    if pair is None or not env or pair[0].node is None:
        return
    found = calls(pair[0].node)
    if not found or any(call.program not in ("mpirun", *_QUIET) for call in found):
        return
    runs = [call for call in found if call.program == "mpirun"]
    if not runs or any(map(_hands_all_on, runs)):
        return
    passed = set.intersection(*(_passed(call) for call in runs))
    lost = [
        (index, item["name"])
        for index, item in enumerate(env)
        if item["name"] not in passed and not item["name"].startswith(_HANDED_ON)
    ]
    if lost:
        written = [name for _, name in lost]
        one = len(written) == 1
        yield job.in_job(
            ("spec", "trainer", "env", lost[0][0]),
            f"{', '.join(written)} {'does' if one else 'do'} not reach the ranks on other nodes: "
            "ssh hands nothing on",
            f"add {' '.join(f'-x {name}' for name in written)} to mpirun",
        )


# Programs beside mpirun in a launcher's script that change nothing of what its ranks get.
_QUIET: Final = (
    "cat", "cd", "date", "echo", "exit", "export", "hostname", "ls", "mkdir", "pwd", "set", "sleep",
)  # fmt: skip


def _passed(call: Call) -> set[str]:
    """The variables that mpirun is told to hand on."""
    names = {flag.value.partition("=")[0] for flag in call.flags if flag.name == "x"}
    for index, word in enumerate(call.words[:-1]):
        if word.lstrip("-") in _LISTS:
            names |= {each.partition("=")[0] for each in re.split("[;,]", call.words[index + 1])}
    return names


def _hands_all_on(call: Call) -> bool:
    """Whether a launcher of another family hands on all it has, or something unreadable."""
    return call.flag("genvall", "envall") is not None or any("$" in name for name in _passed(call))


def _pair(job: Job) -> tuple[PodSet, PodSet] | None:
    """Launcher and workers of an MPI job; None where it has not both."""
    if "mpi" not in (job.info.spec.runtime.ml_policy or {}):
        return None
    launcher, workers = job.info.pod_set(names.LAUNCHER), job.info.pod_set(names.NODE)
    if launcher is None or workers is None or not workers.count * workers.replicas:
        return None
    return launcher, workers


LINTS = (
    Lint("TRC207", "warning", lone_image),
    Lint("TRC208", "warning", lost_env),
    Lint("TRC409", "warning", never_ends),
)
