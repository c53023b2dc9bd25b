"""The same bytes whatever file a document stands in, and in which order files are given."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

import pytest

from trainc.compile import Inputs, compile_documents
from trainc.manifest.emit import emit
from trainc.manifest.order import in_order
from trainc.plan.plan import Output
from trainc.sample import REFERENCE, replicated_job, runtime, trainjob
from trainc.source.document import Document
from trainc.source.parse import parse
from trainc.spec.compat import SOUND, Compat
from trainc.spec.spec import Settings

MPI = replicated_job("launcher") + replicated_job("node", label="")
PATCH = (
    "runtimePatches: [{manager: a.io/x, trainingRuntimeSpec: {template: {spec: {replicatedJobs: "
    "[{name: node, template: {spec: {template: {spec: {nodeSelector: {z: z, a: a}}}}}}]}}}}]"
)
TEXTS = (
    trainjob(),
    trainjob(PATCH).replace("name: m,", "name: b,"),
    trainjob().replace("name: m,", "name: a,").replace("rt}", "mpi}"),
    trainjob(trainer=None).replace("name: m,", "name: m2,").replace("team", "other"),
    runtime("{numNodes: 2, torch: {}}"),
    runtime("{numNodes: 2, mpi: {}}", jobs=MPI, name="mpi"),
    runtime("{jax: {}}", name="unused"),
)


def printed(texts: Sequence[str], compat: Compat) -> str:
    """What is printed of documents that stand in files of their own, in the order given."""
    documents: list[Document] = []
    for text in texts:
        found, problems = parse(text.encode(), f"{TEXTS.index(text)}.yaml")
        assert not problems
        documents += found
    settings = Settings(compat, frozenset({"TrainJobStatus"}))
    plan = compile_documents(Inputs(tuple(documents)), settings, Output())
    assert not [p for p in plan.problems if p.severity == "error"], plan.problems
    return "---\n".join(
        f"# {item.origin}\n{emit(item.manifest)}" for item in in_order(plan.objects)
    )


@pytest.mark.parametrize("compat", [SOUND, REFERENCE], ids=["sound", "reference"])
def test_order_of_documents_does_not_matter(compat: Compat) -> None:
    orders = list(itertools.permutations(TEXTS))
    want = printed(TEXTS, compat)
    assert want.count("kind: JobSet\n") == 4
    for order in random.Random(0).sample(orders, 60):
        assert printed(order, compat) == want


def test_a_build_leaves_nothing_behind_for_the_next() -> None:
    want = {compat: printed(TEXTS, compat) for compat in (SOUND, REFERENCE)}
    for compat in (REFERENCE, SOUND, SOUND, REFERENCE):
        assert printed(TEXTS, compat) == want[compat]
