"""Kueue's hold on a job: what Kueue manages it suspends and resumes, and nobody else.

In: a job. Out: whether Kueue manages it, whether its JobSet can be applied again while it runs, and
a report where the job says ``suspend`` itself: a tool that applied it would take the job past its
queue, or fight Kueue for the field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from trainc import names
from trainc.errors import Problem, field_path
from trainc.info.info import Info
from trainc.source.document import Document
from trainc.spec.spec import Spec

PLACEMENT: Final = ("nodeSelector", "tolerations")
"""Fields of a pod that are replaced whole (``x-kubernetes-map-type: atomic``), to which Kueue adds
what a ResourceFlavor says (``pkg/podset``, ``Merge``)."""

_LEFT_OUT: Final = "is left out beside Kueue's labels: Kueue alone suspends and resumes the job"
_FALSE_HINT: Final = "remove suspend"
_TRUE_HINT: Final = (
    "hold the queue with spec.stopPolicy of its LocalQueue, or the job with trainc suspend"
)


def is_queued(spec: Spec) -> bool:
    """Whether Kueue manages the job, by a label of its own, of its template or of a patch."""
    own: Mapping[str, str] = spec.job.document.root["metadata"].get("labels") or {}
    return any(key.startswith(names.KUEUE_PREFIX) for key in (*own, *spec.template.labels))


def is_applied_once(spec: Spec) -> bool:
    """Whether the JobSet of a queued job must not be applied again while it runs.

    Kueue adds to fields that the job sets too. Who applies them again takes that away, which the
    webhook of JobSet refuses.
    """
    return is_queued(spec) and any(_is_placed(job) for job in spec.template.jobs)


def _is_placed(job: Mapping[str, Any]) -> bool:
    pod = job["template"]["spec"]["template"].get("spec") or {}
    return any(pod.get(field) for field in PLACEMENT)


def left_to_kueue(info: Info) -> Iterator[Problem]:
    """A report of each ``suspend`` that a person wrote for a queued job."""
    spec = info.spec
    if not is_queued(spec):
        return
    path = ("spec", "suspend")
    if _written(spec.job.document, ("spec",)) is False:
        yield spec.problem(path, _LEFT_OUT, hint=_FALSE_HINT, severity="note", code="TRC406")
    elif spec.job.spec.get("suspend"):
        yield spec.problem(path, _LEFT_OUT, hint=_TRUE_HINT, severity="warning", code="TRC420")
    above = ("spec", "template", "spec")
    runtime = spec.runtime
    if _written(runtime.document, above) is False:
        place = (*above, "suspend")
        yield Problem(
            _LEFT_OUT,
            "TRC406",
            runtime.document.mark(place),
            runtime.label,
            field_path(place),
            "note",
            _FALSE_HINT,
        )


def _written(document: Document, path: tuple[str, ...]) -> object:
    """The ``suspend`` that stands there; None for a default of the CRD, which has no place."""
    node = document.root
    for step in path:
        node = node.get(step) if isinstance(node, dict) else None
    if not isinstance(node, dict) or document.mark_of(node, "suspend") is None:
        return None
    return node["suspend"]
