"""What runs in a container: variables and words, as the kubelet makes them of a manifest."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

INDEX = "batch.kubernetes.io/job-completion-index"
_REFERENCE = re.compile(r"\$\$|\$\(([\w.-]+)\)")
NO_LIMIT = 2**31 - 1


@dataclass(frozen=True)
class Run:
    """A container at its start.

    Attributes:
        env: Its variables; what comes from a Secret or the like is ``None``.
        words: Command and arguments, without ``env`` and its assignments.
    """

    env: Mapping[str, str | None]
    words: tuple[str, ...]


def run(container: Any, more: Iterable[tuple[str, str]], fields: Mapping[str, str]) -> Run:
    """What runs in a container.

    Args:
        container: The container.
        more: Variables behind its own.
        fields: The pod's fields that variables may come from.
    """
    env: dict[str, str | None] = {}
    for item in container.get("env", ()):
        source = item.get("valueFrom")
        if source is None:
            env[item["name"]] = expanded(item.get("value", ""), env)
        else:
            path = source.get("fieldRef", {}).get("fieldPath")
            env[item["name"]] = fields.get(path)
    env.update(more)
    words = [
        expanded(word, env) for word in (*container.get("command", ()), *container.get("args", ()))
    ]
    if words[:1] == ["env"]:
        words = words[1:]
        while words and re.fullmatch(r"\w+=.*", words[0], re.S):
            name, _, value = words.pop(0).partition("=")
            env[name] = value
    return Run(env, tuple(words))


def expanded(text: str, env: Mapping[str, str | None]) -> str:
    """A text with ``$(NAME)`` of the variables so far; of others it stays."""

    def value(match: re.Match[str]) -> str:
        if match[1] is None:
            return "$"
        known = env.get(match[1], match[0])
        return "" if known is None else known

    return _REFERENCE.sub(value, text)


@dataclass(frozen=True)
class Pod:
    """A pod of a JobSet.

    Attributes:
        host: Its DNS name.
        index: Its completion index.
        job: Its replicated job.
        runs: What runs in each container.
        inits: The same of init containers.
    """

    host: str
    index: int
    job: str
    runs: Mapping[str, Run]
    inits: Mapping[str, Run]


def pods(jobset: Any) -> Iterator[Pod]:
    """The pods of a JobSet."""
    name = jobset["metadata"]["name"]
    for job in jobset["spec"]["replicatedJobs"]:
        spec = job["template"]["spec"]["template"]["spec"]
        for index in range(job["template"]["spec"]["parallelism"]):
            host = f"{name}-{job['name']}-0-{index}.{name}"
            fields = {
                f"metadata.annotations['{INDEX}']": str(index),
                f"metadata.labels['{INDEX}']": str(index),
                "metadata.labels['jobset.sigs.k8s.io/jobset-name']": name,
            }
            behind = [("JOB_COMPLETION_INDEX", str(index))]

            def each(containers: Any, fields: Any = fields, more: Any = behind) -> dict[str, Run]:
                return {each["name"]: run(each, more, fields) for each in containers}

            yield Pod(host, index, job["name"], each(spec["containers"]),
                      each(spec.get("initContainers", ())))  # fmt: skip


def restarts(jobset: Any, name: str) -> float:
    """How many starts after the first a job of a JobSet has that fails each time."""
    spec = jobset["spec"]
    job = next(job for job in spec["replicatedJobs"] if job["name"] == name)
    limit = job["template"]["spec"].get("backoffLimit", 6)
    own = float("inf") if limit == NO_LIMIT else limit
    return (own + 1) * (spec.get("failurePolicy", {}).get("maxRestarts", 0) + 1) - 1
