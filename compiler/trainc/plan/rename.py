"""``--on-change rename``: a job called after what it runs, so that a changed job is another one.

In: a Spec. Out: the same with the job's name, or what stands for it, followed by eight digits of
its digest. It comes before the policies, so addresses, hostfiles and Secrets follow the name; what
the user wrote (claims, paths) stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trainc.plan.digest import digest, digest_of_all
from trainc.plan.queue import is_applied_once
from trainc.spec.spec import Spec

_DIGITS: Final = 8
_LONGEST: Final = 63  # of a pod's name, which is its host name
_RANDOM: Final = 6  # what the Job controller puts behind a pod's name: a dash and five letters


def renamed(spec: Spec) -> Spec:
    """The spec with its job called NAME-<8 hex>, NAME cut so that every pod name fits."""
    is_once = spec.settings.apply_once and is_applied_once(spec)
    suffix = (digest_of_all if is_once else digest)(spec).removeprefix("sha256:")[:_DIGITS]
    room = _LONGEST - 1 - _DIGITS - _behind(spec)
    name = spec.job.name[: max(room, 1)].rstrip("-.")
    return spec._replace(job=spec.job._replace(name=f"{name}-{suffix}"))


def _behind(spec: Spec) -> int:
    """The most letters that stand behind the JobSet's name in the name of a pod."""
    trainer, policy = spec.job.trainer, spec.runtime.ml_policy or {}
    nodes = max((trainer.num_nodes if trainer else None) or 1, policy.get("numNodes") or 1)
    return max((_letters(job, nodes) for job in spec.template.jobs), default=0)


def _letters(job: Mapping[str, Any], nodes: int) -> int:
    pods = max(job["template"]["spec"].get("parallelism") or 1, nodes)
    replicas = job.get("replicas") or 1
    return len(f"-{job['name']}-{replicas - 1}-{pods - 1}") + _RANDOM
