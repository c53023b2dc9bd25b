"""What the API server would refuse later in the Jobs, Pods and claims of a compiled JobSet.

A compiled JobSet comes in, problems go out, each at its place in the JobSet. The operator learns of
these only when its JobSet controller tries to create the Jobs; here they are known before anything
reaches a cluster. What the API server accepts passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from trainc.kube.kept import Kept
from trainc.kube.validation.alike import likeness
from trainc.kube.validation.forms import dns_1035_label
from trainc.kube.validation.job import job_selector, job_spec, names_itself
from trainc.kube.validation.jobset import (
    claim_names,
    job_name,
    jobset_rules,
    pod_name,
    replicated_job,
)
from trainc.kube.validation.metadata import metadata
from trainc.kube.validation.placement import EXCLUSIVE, exclusive_placement
from trainc.kube.validation.podspec import pod_template
from trainc.kube.validation.problem import Node, Path, Problems
from trainc.kube.validation.problem import PodProblem as PodProblem

# The named list: each check, and what it refuses.
CHECKS: Final[Mapping[str, str]] = {
    "claim": "claims without access modes or storage, claim templates nobody mounts",
    "env": "environment variables with a bad name, no source, two sources or a bad reference",
    "image": "containers without an image or with a bad pull policy, Pods without a container",
    "job": "counts, completion mode, failure and success policies and selectors of Jobs",
    "jobset": "dependsOn, targets of policies, coordinator and manager of the JobSet",
    "metadata": "keys and values of labels and annotations",
    "mount": "mounts that name no volume, paths mounted twice, bad paths and propagation",
    "name": "forms and lengths of names, the longest Job, Pod and claim names included; duplicates",
    "pod": "DNS settings, deadlines, host aliases and other fields of Pods",
    "port": "ports out of range, doubled, or with a bad name or protocol",
    "probe": "probes and hooks without exactly one handler or with bad times",
    "resources": "requests above limits, extended resources not in limits, bad names and amounts",
    "restart": "restart policies that a Job cannot have",
    "scheduling": "affinity, tolerations, topology spread, node selectors and gates",
    "security": "users, privileges, profiles and kernel parameters",
    "volume": "volumes with more than one source or with a source that lacks something",
}


def problems(jobset: Mapping[str, Any]) -> Iterator[PodProblem]:
    """Finds what the API server would refuse.

    Args:
        jobset: A JobSet as the compiler prints it: of the right types, not yet defaulted.

    Yields:
        The problems, first the JobSet's own, then each replicated job's.
    """
    meta = jobset.get("metadata") or {}
    name = meta.get("name", "")
    spec = jobset.get("spec") or {}
    yield from jobset_rules(jobset, name)
    claims = claim_names(spec)
    room = _room(meta, name)
    for i, rjob in enumerate(spec.get("replicatedJobs") or ()):
        if claims or not _is_sound(rjob, room):
            yield from _job(rjob, meta, claims, ("spec", "replicatedJobs", i))


# Replicated jobs in which nothing was found, by their id and by their likeness: those that no
# policy touched are the same objects in many JobSets, and the others much alike. Kept with each are
# the letters that its longest Pod name has more than the JobSet's, on which alone its verdict
# depends besides; and itself, so that all ids stay its own.
_SOUND: Final[Kept[int]] = Kept(1024)
_ALIKE: Final[Kept[int]] = Kept(1024)
_LONGEST_LABEL: Final = 63


def _is_sound(rjob: Node, room: int) -> bool:
    known = _SOUND.get(id(rjob)) or _ALIKE.get(likeness(rjob))
    return known is not None and known[1] <= room


def _remember(rjob: Node, letters: int) -> None:
    _SOUND.keep(id(rjob), rjob, letters)
    _ALIKE.keep(likeness(rjob), rjob, letters)


def _room(meta: Node, name: str) -> int:
    """Letters a Pod's name may have more than the JobSet's; none where its form is in doubt."""
    if EXCLUSIVE in (meta.get("annotations") or ()) or dns_1035_label(name):
        return -1
    return _LONGEST_LABEL - len(name)


def _job(rjob: Node, meta: Node, claims: Sequence[str], at: Path) -> Problems:
    """Checks one replicated job, and remembers it where nothing is wrong."""
    name = meta.get("name", "")
    longest = job_name(name, rjob)
    template = rjob.get("template") or {}
    notes = template.get("metadata") or {}
    job = template.get("spec") or {}
    where = (*at, "template", "spec")
    found = [*replicated_job(rjob, name, at), *exclusive_placement(meta, rjob, longest, at)]
    found += metadata(notes, (*at, "template", "metadata"))
    found += job_spec(job, where)
    found += job_selector(job, longest, where)
    found += pod_template(job.get("template") or {}, claims, (*where, "template"))
    yield from found
    if not (found or claims or EXCLUSIVE in (notes.get("annotations") or ()) or names_itself(job)):
        _remember(rjob, len(pod_name(name, rjob)) - len(name))
