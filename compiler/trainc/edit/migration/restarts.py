"""How often a job starts again: restartPolicy and backoffLimit of the old operators.

Source: Training Operator v1.9 ``core/job.go`` (PastBackoffLimit: the container restarts of all pods
together), ``pytorchjob_controller.go`` and its siblings (a failed pod of ``Never`` fails the job at
once), MPI Operator v0.6 ``newLauncherJob`` (backoffLimit is that of the launcher's Job).
A JobSet starts all pods anew ``maxRestarts`` times, each Job in it retries its own pods
``backoffLimit`` times, and the two multiply: one of them is 0 here.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from trainc.edit.migration.part import Part, new

RestartPolicy = Literal["Never", "OnFailure"]

NO_LIMIT = 2**31 - 1
"""A backoffLimit that is never reached: the old operators had none unless one was written."""
_OLD = "restartPolicy"
_HINT = "a Job's pods restart OnFailure or Never; podFailurePolicy tells exit codes apart"


class Restarts(NamedTuple):
    """How a replicated job starts again.

    Attributes:
        policy: The restartPolicy of its pods.
        backoff: The Job's backoffLimit; None for the default of the API server, 6.
        job_set: maxRestarts of the JobSet, 0 for none.
    """

    policy: RestartPolicy
    backoff: int | None
    job_set: int = 0

    def job(self, template: dict[str, Any], **more: Any) -> dict[str, Any]:
        """The spec of the Job around a pod template, whose restartPolicy is set too."""
        template["spec"]["restartPolicy"] = self.policy
        out = new(template=template)
        if self.backoff is not None:
            out["backoffLimit"] = self.backoff
        out.update({key: value for key, value in more.items() if value})
        return out


def policy_of(replica: Part, default: RestartPolicy) -> RestartPolicy:
    """The restartPolicy of a replica: its pod template's own never counted."""
    policy = replica.take(_OLD) or default
    if policy == "Never" or policy == "OnFailure":
        return "Never" if policy == "Never" else "OnFailure"
    replica.lose("has no counterpart", _OLD, _HINT)
    return default


def restarts(policy: RestartPolicy, limit: int | None) -> Restarts:
    """What a restartPolicy and the backoffLimit of a Training Operator's job become.

    Args:
        policy: The replica's restartPolicy.
        limit: The run policy's backoffLimit: container restarts in all, None for no limit.
    """
    if policy == "Never" or limit == 0:
        return Restarts("Never", 0)
    if limit is None:
        return Restarts("OnFailure", NO_LIMIT)
    return Restarts("Never", 0, limit)


def limit_of(run_policy: Part) -> int | None:
    """``backoffLimit`` of a run policy, None where none is written."""
    if run_policy.node.get("backoffLimit") is None:
        run_policy.drop("backoffLimit")
        return None
    limit = run_policy.number("backoffLimit", 0)
    if limit < 0:
        run_policy.lose("must not be below 0", "backoffLimit")
    return max(limit, 0)
