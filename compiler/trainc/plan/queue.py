"""Kueue's hold on a job: a labelled job is suspended and resumed by Kueue, by nobody else.

In: a job. Out: whether it is queued, and the error where somebody writes ``suspend: false`` beside
the label: a tool that repairs drift would start the job past its quota.
"""

from __future__ import annotations

from collections.abc import Iterator

from trainc import names
from trainc.errors import Problem, field_path
from trainc.info.info import Info
from trainc.source.document import Document

_LABEL = f"{names.KUEUE_PREFIX}queue-name"
_HINT = "leave suspend out: Kueue suspends the job, and resumes it when there is quota"


def queued(info: Info) -> bool:
    """Whether a queue holds the job, by a label of its own, of its template or of a patch."""
    own = info.spec.job.document.root["metadata"].get("labels") or {}
    return _LABEL in own or _LABEL in info.spec.template.labels


def resumed_by_hand(info: Info) -> Iterator[Problem]:
    """An error for each ``suspend: false`` that a person wrote for a queued job."""
    if not queued(info):
        return
    job, runtime = info.spec.job, info.spec.runtime
    if _writes_false(job.document, ("spec",)):
        yield info.spec.problem(("spec", "suspend"), _MESSAGE, hint=_HINT, code="TRC406")
    path = ("spec", "template", "spec")
    if _writes_false(runtime.document, path):
        mark = runtime.document.mark((*path, "suspend"))
        field = field_path((*path, "suspend"))
        yield Problem(_MESSAGE, mark, runtime.label, field, "error", _HINT, "TRC406")


_MESSAGE = f"must not be false beside the label {_LABEL}: the job would start past its queue"


def _writes_false(document: Document, path: tuple[str, ...]) -> bool:
    """Whether ``suspend: false`` stands there; a default of the CRD has no place of its own."""
    node = document.root
    for step in path:
        node = node.get(step) if isinstance(node, dict) else None
    if not isinstance(node, dict) or node.get("suspend") is not False:
        return False
    return document.mark_of(node, "suspend") is not None
