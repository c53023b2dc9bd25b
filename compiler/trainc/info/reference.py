"""References between env variables: each is printed before the first that refers to it.

The kubelet replaces ``$(X)`` in a value by a variable that stands before it in the same container,
and leaves the text where X comes later. A runtime, a job and a policy each add variables to one
list, so no author of one of them decides on the order of all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from trainc.info.info import Info
from trainc.info.podset import Container, PodSet
from trainc.kube.upsert import Items

_REFERENCE: Final = re.compile(r"\$(\$)?(?:\(([^()$\s]+)\))?")

Order = Mapping[str, int]
"""Name of a variable -> its place among those that one author wrote."""


def references(text: str) -> Iterator[str]:
    """The names in ``$(NAME)``; ``$$`` is an escape, so that ``$$(NAME)`` is no reference."""
    for found in _REFERENCE.finditer(text):
        if found[2] and not found[1]:
            yield found[2]


def with_env_order(info: Info) -> Info:
    """Moves a variable before the first that refers to it, where no author wrote it after.

    The order of variables that one author wrote (a runtime with the job's patches, or the job)
    stays: a lint names what refers to a later one.
    """
    if info.spec.compat.keeps("env-order"):
        return info
    job = {item["name"]: index for index, item in enumerate(info.spec.job.env)}

    def visit(pod_set: PodSet) -> PodSet:
        if not any(_refers(c.env) for c in (*pod_set.containers, *pod_set.init_containers)):
            return pod_set
        return pod_set._replace(
            containers=tuple(_ordered(c, job) for c in pod_set.containers),
            init_containers=tuple(_ordered(c, job) for c in pod_set.init_containers),
        )

    return info.with_pod_sets(visit)


def _refers(env: Items) -> bool:
    return any("$(" in (item.get("value") or "") for item in env)


def _ordered(container: Container, job: Order) -> Container:
    runtime = {item["name"]: n for n, item in enumerate(container.raw.get("env") or ())}
    env = _sorted(container.env, (job, runtime))
    return container if env == container.env else container._replace(env=env)


def _sorted(env: Items, authors: Sequence[Order]) -> Items:
    """The variables, each after those it refers to, as far as no author wrote another order."""
    places = {item["name"]: index for index, item in enumerate(env)}
    if len(places) < len(env):
        return env  # refused elsewhere
    done: set[str] = set()
    out: list[Mapping[str, Any]] = []
    for first in env:
        waiting = {first["name"]: None}  # a stack whose names are quick to find
        while waiting:
            name = next(reversed(waiting))
            item = env[places[name]]
            needed = (each for each in _needed(item, authors) if each in places)
            before = next((n for n in needed if n not in done and n not in waiting), None)
            if before is not None:
                waiting[before] = None
                continue
            del waiting[name]
            if name not in done:
                done.add(name)
                out.append(item)
    return tuple(out)


def _needed(item: Mapping[str, Any], authors: Sequence[Order]) -> Iterator[str]:
    """What a variable refers to and may be moved before it."""
    own = item["name"]
    for name in references(item.get("value") or ""):
        author = next((each for each in authors if own in each and name in each), None)
        if author is None or author[name] < author[own]:
            yield name
