"""What of a TrainJob's metadata its JobSet has too: settings for those who see the JobSet.

In: a job, or a name of a label or annotation. Out: the labels and annotations that reach the
JobSet. Kueue, Argo CD and Flux act on the object they are given; without the operator that is the
JobSet, and a setting that stays on the TrainJob is lost.
"""

from __future__ import annotations

from collections.abc import Mapping

from trainc import names
from trainc.info.info import Info


def reaches_jobset(key: str) -> bool:
    """Whether a label or annotation of the TrainJob stands on its JobSet too."""
    return key.startswith(names.JOBSET_READERS) and key not in names.TRACKING


def labels_for_jobset(info: Info) -> dict[str, str]:
    """The labels of the TrainJob that its JobSet has too."""
    return _for_jobset(info, "labels")


def annotations_for_jobset(info: Info) -> dict[str, str]:
    """The annotations of the TrainJob that its JobSet has too."""
    return _for_jobset(info, "annotations")


def _for_jobset(info: Info, field: str) -> dict[str, str]:
    written: Mapping[str, str] = info.spec.job.document.root["metadata"].get(field) or {}
    return {key: value for key, value in written.items() if reaches_jobset(key)}
