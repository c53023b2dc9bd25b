"""What the API server would refuse later in the Jobs, Pods and claims of a compiled JobSet.

A compiled JobSet comes in, problems go out, each at its place in the JobSet. The operator learns of
these only when its JobSet controller tries to create the Jobs; here they are known before anything
reaches a cluster. What the API server accepts passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from trainc.kube.validation.job import job_spec
from trainc.kube.validation.jobset import claim_names, job_name, jobset_rules, replicated_job
from trainc.kube.validation.metadata import metadata
from trainc.kube.validation.placement import exclusive_placement
from trainc.kube.validation.podspec import pod_template
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
    for i, rjob in enumerate(spec.get("replicatedJobs") or ()):
        at = ("spec", "replicatedJobs", i)
        longest = job_name(name, rjob)
        yield from replicated_job(rjob, name, at)
        yield from exclusive_placement(meta, rjob, longest, at)
        template = rjob.get("template") or {}
        yield from metadata(template.get("metadata") or {}, (*at, "template", "metadata"))
        job = template.get("spec") or {}
        yield from job_spec(job, longest, (*at, "template", "spec"))
        pod_at = (*at, "template", "spec", "template")
        yield from pod_template(job.get("template") or {}, claims, pod_at)
