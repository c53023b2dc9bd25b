"""Jobs as a table for a person, or as JSON for a program."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainc.controller.console.jobs import Job

_GAP = "   "
_ABSENT = "-"


def rendered(
    jobs: Sequence[Job], form: str, in_full: bool, with_namespace: bool, now: datetime
) -> str:
    """The text of some jobs.

    Args:
        jobs: Which.
        form: ``table``, ``wide`` or ``json``.
        in_full: With conditions and pods.
        with_namespace: With a column for it.
        now: The present time, for ages.
    """
    if form == "json":
        return json.dumps([_as_dict(job) for job in jobs], indent=2) + "\n"
    if not jobs:
        return ""
    wide = form == "wide"
    head = ["NAME", "STATE", "PROGRESS", "ETA", "RESTARTS", "PODS", "AGE"]
    head += ["RUNTIME", "REASON", "METRICS"] if wide else []
    rows = [_row(job, wide, now) for job in jobs]
    if with_namespace:
        head = ["NAMESPACE", *head]
        rows = [[job.namespace, *row] for job, row in zip(jobs, rows, strict=True)]
    text = aligned([head, *rows])
    return text + "".join(_details(job, now) for job in jobs if in_full)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Columns under each other; nothing trails."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = (
        _GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "".join(f"{line.rstrip()}\n" for line in lines)


def duration(seconds: float) -> str:
    """Two units of time at most, as kubectl writes an age: ``45s``, ``3m10s``, ``2d4h``."""
    units = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
    left = max(0, int(seconds))
    parts: list[str] = []
    for unit, size in units:
        if parts and len(parts) == 2:
            break
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
        elif parts:
            break
    return "".join(parts) or "0s"


def _row(job: Job, wide: bool, now: datetime) -> list[str]:
    row = [
        job.name,
        job.state,
        _ABSENT if job.progress is None else f"{job.progress}%",
        _ABSENT if job.remaining is None else duration(job.remaining),
        str(job.restarts),
        f"{job.ready}/{job.wanted}",
        _ABSENT if job.created is None else duration((now - job.created).total_seconds()),
    ]
    if wide:
        metrics = " ".join(f"{m['name']}={m['value']}" for m in job.metrics[:4])
        row += [job.runtime or _ABSENT, job.reason or _ABSENT, metrics or _ABSENT]
    return row


def _details(job: Job, now: datetime) -> str:
    text = ""
    if job.conditions:
        head = ["CONDITION", "STATUS", "REASON", "SINCE", "MESSAGE"]
        rows = [
            [each["type"], each["status"], each["reason"], each["lastTransitionTime"],
             _line(each["message"])]
            for each in job.conditions
        ]  # fmt: skip
        text += "\n" + aligned([head, *rows])
    if job.pods:
        head = ["POD", "STEP", "RANK", "STATE", "READY", "RESTARTS", "NODE", "MESSAGE"]
        rows = [
            [pod.name, pod.step, str(pod.rank[1]), pod.phase, "yes" if pod.ready else "no",
             str(pod.restarts), pod.node or _ABSENT, _line(pod.message)]
            for pod in job.pods
        ]  # fmt: skip
        text += "\n" + aligned([head, *rows])
    return text


def _line(text: str) -> str:
    """One line that cannot steer the reader's terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _as_dict(job: Job) -> dict[str, Any]:
    return {
        "namespace": job.namespace,
        "name": job.name,
        "state": job.state,
        "reason": job.reason,
        "message": job.message,
        "progressPercentage": job.progress,
        "estimatedRemainingSeconds": None if job.remaining is None else int(job.remaining),
        "metrics": list(job.metrics),
        "restarts": job.restarts,
        "pods": {"ready": job.ready, "wanted": job.wanted},
        "runtime": job.runtime,
        "created": None if job.created is None else job.created.isoformat(),
        "conditions": list(job.conditions),
        "steps": [
            {
                "pod": pod.name,
                "step": pod.step,
                "rank": pod.rank[1],
                "state": pod.phase,
                "ready": pod.ready,
                "restarts": pod.restarts,
                "node": pod.node,
                "message": pod.message,
            }
            for pod in job.pods
        ],
    }
