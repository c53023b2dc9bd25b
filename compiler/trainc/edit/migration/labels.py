"""Labels that the old operators set on pods, as a JobSet and its Jobs set them.

Source: ``training.kubeflow.org/*`` of the Training Operator v1.9 and the MPI Operator; JobSet's
``jobset.sigs.k8s.io/*`` and the Job's ``batch.kubernetes.io/job-completion-index``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from trainc import names
from trainc.edit.migration.hosts import Group

PREFIX = "training.kubeflow.org/"
JOBSET_NAME = "jobset.sigs.k8s.io/jobset-name"
REPLICATED_JOB = "jobset.sigs.k8s.io/replicatedjob-name"
INDEX = "batch.kubernetes.io/job-completion-index"
_FIELD = re.compile(r"metadata\.labels\['(training\.kubeflow\.org/[\w-]+)'\]")
HINT = f"pods have the labels {JOBSET_NAME}, {REPLICATED_JOB} and {INDEX}"


class Label(NamedTuple):
    """A label's key and value."""

    key: str
    value: str


def selected(key: str, value: str, name: str, groups: Mapping[str, Group]) -> Label | None:
    """What selects the same pods today; None where nothing does.

    Args:
        key: The old label's key.
        value: Its value.
        name: The job's name.
        groups: The job's pods by kind of replica.
    """
    short = key.removeprefix(PREFIX)
    if short == "job-name" and value == name:
        return Label(JOBSET_NAME, value)
    if short == "replica-type" and value in groups:
        group = groups[value]
        if sum(other.job == group.job for other in groups.values()) == 1:
            return Label(REPLICATED_JOB, group.job)
    if short == "replica-index" and "master" not in groups and value.isdigit():
        return Label(INDEX, value)
    return None


def key_of(key: str, groups: Mapping[str, Group]) -> str | None:
    """The label that tells pods apart as an old one did; None where none does."""
    short = key.removeprefix(PREFIX)
    if short == "job-name":
        return JOBSET_NAME
    if short == "replica-type" and len({group.job for group in groups.values()}) == len(groups):
        return REPLICATED_JOB
    return INDEX if short == "replica-index" and "master" not in groups else None


def field_of(path: str, groups: Mapping[str, Group]) -> str | None:
    """A ``fieldPath`` that gives the value of an old label; None where none does."""
    match = _FIELD.fullmatch(path)
    if match is None:
        return None
    short = match[1].removeprefix(PREFIX)
    if short == "job-name":
        return f"metadata.labels['{JOBSET_NAME}']"
    if short == "replica-index" and "master" not in groups:
        return names.JOB_INDEX_FIELD
    return None
