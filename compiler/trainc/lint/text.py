"""Lints on what is written: text a tool would change, objects that are too large to apply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from trainc.errors import Problem
from trainc.info.podset import Container, PodSet
from trainc.kube.kept import Kept
from trainc.kube.size import CLIENT_SIDE_LIMIT, SERVER_LIMIT, annotated_size, size
from trainc.kube.substitution import substituted
from trainc.lint.lint import Finding, Job, Lint, of_pods

# Below this many letters in what a job adds to its runtime, the whole cannot be too large: one
# takes at most six bytes.
_SUSPICIOUS: Final = 32_768


@of_pods
def _blanks(pod_set: PodSet) -> Iterator[Finding]:
    groups = (("containers", pod_set.containers), ("initContainers", pod_set.init_containers))
    for group, containers in groups:
        for number, each in enumerate(containers):
            for field, words in _texts(each):
                for place, word in enumerate(words):
                    if substituted(word):
                        yield (
                            (group, number, field, place),
                            "${...} is blank once Flux substitutes variables",
                            "build with --profile flux, or write $VAR",
                        )


def _texts(container: Container) -> Iterator[tuple[str, Sequence[str]]]:
    """What a container runs and is told, field by field."""
    yield "command", container.command or ()
    yield "args", container.args or ()
    yield "env", [item.get("value") or "" for item in container.env]


def blanked(job: Job) -> Iterator[Problem]:
    """``${VAR}`` in a command or variable, which Flux's substitution replaces by nothing."""
    if not job.gitops:  # Argo CD does not substitute, and for Flux the profile switches it off
        yield from _blanks(job)


def large(job: Job) -> Iterator[Problem]:
    """Objects over the limits of client-side apply and of the store."""
    for each in job.objects:
        if _is_suspicious(each.manifest):
            label = f"{each.manifest['kind']} {each.manifest['metadata']['name']}"
            bytes_ = size(each.manifest)
            if bytes_ > SERVER_LIMIT:
                yield job.in_job(
                    ("metadata", "name"),
                    f"{label} is over 1 MiB ({bytes_} bytes): the server refuses it",
                    "put scripts and data into an image or a volume",
                )
            elif not job.gitops and annotated_size(each.manifest) > CLIENT_SIDE_LIMIT:
                yield job.in_job(  # a profile has seen to it
                    ("metadata", "name"),
                    f"{label} is over 256 KiB ({bytes_} bytes): kubectl apply fails",
                    "kubectl apply --server-side; a profile of a GitOps tool sees to it itself",
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
