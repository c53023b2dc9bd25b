"""Lints on what is written: text a tool would change, objects that are too large to apply."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from trainc.errors import Problem
from trainc.info.podset import PodSet
from trainc.kube.kept import Kept
from trainc.lint.lint import Finding, Job, Lint, of_pods

_CLIENT_SIDE: Final = 256 << 10
_SERVER: Final = 1 << 20
# Below this much text in what a job adds to its runtime, the whole cannot be too large.
_SUSPICIOUS: Final = 100_000


@of_pods
def _blanks(pod_set: PodSet) -> Iterator[Finding]:
    for number, each in enumerate(pod_set.containers):
        for field, words in (("command", each.command), ("args", each.args)):
            for place, word in enumerate(words or ()):
                if "${" in word:
                    yield (
                        ("containers", number, field, place),
                        "${...} is blank once Flux substitutes variables",
                        "build with --profile flux, or write $VAR",
                    )


def blanked(job: Job) -> Iterator[Problem]:
    """``${VAR}`` in a command, which Flux's substitution replaces by nothing."""
    if not job.flux:  # the profile switches substitution off for this object
        yield from _blanks(job)


def large(job: Job) -> Iterator[Problem]:
    """Objects over the limits of client-side apply and of the store."""
    for each in job.objects:
        if _is_suspicious(each.manifest):
            size = len(json.dumps(each.manifest, separators=(",", ":")).encode())
            label = f"{each.manifest['kind']} {each.manifest['metadata']['name']}"
            if size > _SERVER:
                yield job.in_job(
                    ("metadata", "name"),
                    f"{label} is over 1 MiB ({size} bytes): the server refuses it",
                    "put scripts and data into an image or a volume",
                )
            elif size > _CLIENT_SIDE:
                yield job.in_job(
                    ("metadata", "name"),
                    f"{label} is over 256 KiB ({size} bytes): kubectl apply fails",
                    "apply server-side; --profile argocd says so itself",
                )


def _is_suspicious(manifest: Mapping[str, Any]) -> bool:
    """Whether an object may be large; cheap, because every job is asked."""
    if manifest["kind"] == "ConfigMap":
        return sum(map(len, manifest.get("data", {}).values())) > _SUSPICIOUS
    jobs = manifest["spec"].get("replicatedJobs", ()) if manifest["kind"] == "JobSet" else ()
    return sum(map(_size, jobs)) > _SUSPICIOUS


_SIZES: Final[Kept[int]] = Kept(4096)  # of replicated jobs


def _size(job: Mapping[str, Any]) -> int:
    """The letters of arguments and variables of a replicated job."""
    known = _SIZES.get(id(job))
    if known is not None:
        return known[1]
    size = 0
    for each in job["template"]["spec"]["template"]["spec"]["containers"]:
        size += sum(map(len, each.get("args", ()))) + sum(map(len, each.get("command", ())))
        size += sum([len(item.get("value", "")) for item in each.get("env", ())])
    return _SIZES.keep(id(job), job, size)


LINTS = (
    Lint("TRC407", "note", blanked),
    Lint("TRC408", "warning", large),
)
