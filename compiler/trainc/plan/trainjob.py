"""The TrainJob beside its JobSet, as its author wrote it, in a form that can be applied twice.

In: a compiled job. Out: its TrainJob without the defaults of the CRD, without what only a cluster
writes, and with quantities as text. ``spec.trainer`` and ``spec.initializer`` are immutable and
Kueue's webhook prints them again on creation (``mtrainjob.kb.io``): what it would change there must
stand in the manifest already, or the second apply is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trainc import names
from trainc.info.info import Info
from trainc.kube.gotypes import with_quantities
from trainc.plan.queue import is_queued
from trainc.source.document import Document

Manifest = dict[str, Any]

# What a cluster writes into an object's metadata. With a version or a UID of another day it refuses
# the object, and an owner that is gone takes it along.
_CLUSTERS_OWN: Final = {
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
}


def trainjob(info: Info) -> Manifest:
    """The TrainJob of a job, under the job's name; its label is the caller's to add."""
    document = info.spec.job.document
    root = document.root
    metadata = {k: v for k, v in root["metadata"].items() if k not in _CLUSTERS_OWN}
    spec = with_quantities(_as_written(root["spec"], document), "TrainJobSpec")
    if not spec.get("suspend"):
        # The API's default: whoever applies it would own the field, and take back a suspension.
        spec.pop("suspend", None)
    if spec.get("managedBy") == names.MULTIKUEUE:
        del spec["managedBy"]  # of the JobSet; the status of the TrainJob is ours to write
    printed = {key: root[key] for key in root if key not in ("metadata", "spec", "status")}
    out = {**printed, "metadata": {**metadata, "name": info.spec.job.name}, "spec": spec}
    return _unqueued(out) if is_queued(info.spec) else out


def _as_written(value: Any, document: Document) -> Any:
    """A copy without the defaults of the CRD, which have no place in the document."""
    if isinstance(value, list):
        return [_as_written(item, document) for item in value]
    if not isinstance(value, Mapping):
        return value
    places = document.marks.get(id(value))
    written = list(value.items())[: None if places is None else len(places)]
    return {key: _as_written(item, document) for key, item in written}


def _unqueued(job: Manifest) -> Manifest:
    """The TrainJob of a JobSet that a queue holds.

    It is the JobSet that Kueue admits: a TrainJob with the label would be a second workload, and
    one that is suspended would say what the queue decides.
    """
    labels = job["metadata"].get("labels") or {}
    kept = {k: v for k, v in labels.items() if not k.startswith(names.KUEUE_PREFIX)}
    spec = {k: v for k, v in job["spec"].items() if k != "suspend"}
    return {**job, "metadata": {**job["metadata"], "labels": kept}, "spec": spec}
