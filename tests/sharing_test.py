"""A job compiles as if it were alone, whatever other jobs stand in its build.

A build does work once for all jobs that share a part: checks, pod sets, text. Here jobs and
runtimes of the conformance corpus are paired anew, hundreds in one build, and each job is compared
with itself compiled alone: bytes and problems.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import NamedTuple

import pytest

from tests.corpus import cases
from trainc import names
from trainc.compile import Inputs, compile_documents
from trainc.errors import Problem
from trainc.lint.lint import Asked, inspector
from trainc.manifest.emit import Emitter
from trainc.plan.plan import Output
from trainc.source.document import Document
from trainc.source.parse import parse
from trainc.spec.compat import SOUND, VERSIONS, Compat
from trainc.spec.spec import Settings

# Of the jobs' names: some leave room for every Pod's name, some for none, most stand at the edge.
LENGTHS = (8, 20, 30, *range(34, 56), 63)
JOBS = 300
RUNTIMES = 25

Said = tuple[dict[tuple[str, str], list[str]], set[str]]
"""The text of each TrainJob's objects, and the problems."""


class Part(NamedTuple):
    """A document of the corpus, to be read anew wherever it is used."""

    text: bytes
    number: int
    kind: str

    def document(self, name: str, namespace: str) -> Document:
        """The document as if it stood in a file of its own, under another name."""
        found = parse(self.text, f"{name}.yaml")[0][self.number]
        found.root["metadata"]["name"] = name
        if self.kind != names.CLUSTER_TRAINING_RUNTIME:
            found.root["metadata"]["namespace"] = namespace
        return found


class Pair(NamedTuple):
    """A job and the runtime it is to name."""

    job: Part
    name: str
    runtime: Part
    its_name: str

    def documents(self) -> tuple[Document, Document]:
        """Runtime and job, read anew: nothing of them is known from before."""
        runtime = self.runtime.document(self.its_name, self.its_name)
        job = self.job.document(self.name, self.its_name)
        job.root["spec"]["runtimeRef"] = {"name": self.its_name, "kind": self.runtime.kind}
        return runtime, job


def parts(*kinds: str) -> list[Part]:
    """What the corpus has of these kinds."""
    found: list[Part] = []
    for case in cases():
        text = (case / "input.yaml").read_bytes()
        documents, _ = parse(text, "input.yaml")
        for number, each in enumerate(documents):
            if each.kind in kinds and each.name and isinstance(each.root.get("spec"), dict):
                found.append(Part(text, number, each.kind))
    return found


def pairs(seed: int) -> list[Pair]:
    """Jobs and runtimes by chance, many jobs to a runtime."""
    rng = random.Random(seed)
    runtimes = rng.sample(parts(*names.RUNTIME_KINDS), RUNTIMES)
    jobs = parts(names.TRAIN_JOB)
    found: list[Pair] = []
    for number in range(JOBS):
        length, place = rng.choice(LENGTHS), rng.randrange(RUNTIMES)
        name = f"j{number}".ljust(length, "x")
        found.append(Pair(rng.choice(jobs), name, runtimes[place], f"r{place}"))
    return found


def said(documents: Iterable[Document], compat: Compat) -> Said:
    """Builds, lints and prints."""
    inspect = inspector(Asked(advice=True)) if compat.version is None else None
    settings = Settings(compat, frozenset({"TrainJobStatus"}))
    plan = compile_documents(Inputs(tuple(documents)), settings, Output(emit="both"), inspect)
    emitter = Emitter()
    objects: dict[tuple[str, str], list[str]] = {}
    for each in plan.objects:
        objects.setdefault(each.trainjob, []).append(emitter.emit(each.manifest))
    return objects, {text for problem in plan.problems for text in of_each_job(problem)}


def of_each_job(problem: Problem) -> list[str]:
    """The finding as each of its jobs has it alone."""
    jobs = problem.jobs or ("",)
    return [f"{name} {problem._replace(jobs=())}" for name in jobs]


@pytest.mark.parametrize("compat", [SOUND, Compat(VERSIONS[0])], ids=["sound", "reference"])
@pytest.mark.parametrize("seed", range(3))
def test_a_job_compiles_as_if_it_were_alone(seed: int, compat: Compat) -> None:
    chosen = pairs(seed)
    objects: dict[tuple[str, str], list[str]] = {}
    problems: set[str] = set()
    runtimes: dict[str, Document] = {}
    jobs: list[Document] = []
    for pair in chosen:
        made, found = said(pair.documents(), compat)
        objects.update(made)
        problems |= found
        runtime, job = pair.documents()
        runtimes.setdefault(pair.its_name, runtime)
        jobs.append(job)
    mixed = said([*runtimes.values(), *jobs], compat)
    assert len(objects) > JOBS // 5
    assert mixed[0] == objects
    assert mixed[1] == problems
    # Once more, with all that is known by now.
    assert said([*runtimes.values(), *jobs[::-1]], compat)[1] == problems
