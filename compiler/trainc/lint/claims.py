"""Lints on claims: one that is nearly called as a PersistentVolumeClaim among the sources."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from trainc.errors import Problem
from trainc.lint.lint import POD, Job, Lint
from trainc.lint.near import distance

_SEPARATORS: Final = re.compile(r"[-.]")
_SHORT: Final = 3  # letters of a word, below which another word is no slip
_LONG: Final = 8  # letters of a word that may hold two slips


def misspelt(job: Job) -> Iterator[Problem]:
    """A claim that is not among the sources, while one that is nearly its name is."""
    settings, namespace = job.info.spec.settings, job.info.spec.job.namespace
    known = [name for place, name in settings.claims if place == namespace]
    if not known:
        return
    for index, pod_set in enumerate(job.info.pod_sets):
        for number, volume in enumerate(pod_set.volumes):
            name = (volume.get("persistentVolumeClaim") or {}).get("claimName", "")
            near = _near(name, known) if name and name not in known else ""
            if near:
                path = ("spec", "replicatedJobs", index, *POD, "volumes", number)
                yield job.at(
                    (*path, "persistentVolumeClaim", "claimName"),
                    f"there is no claim {name} here: its pods wait for ever",
                    f"did you mean {near}?",
                )


def _near(name: str, known: Iterable[str]) -> str:
    """The claim that a name is a slip of; empty where it is another name."""
    return next((each for each in sorted(known) if _is_slip(name, each)), "")


def _is_slip(name: str, known: str) -> bool:
    """Whether two names differ by a slip; ``data-1`` and ``data-2``, ``a`` and ``b`` do not."""
    one, two = _SEPARATORS.split(name), _SEPARATORS.split(known)
    if "".join(one) == "".join(two):
        return True
    if len(one) != len(two):
        return False
    pairs = [(a, b) for a, b in zip(one, two, strict=True) if a != b]
    return len(pairs) == 1 and _is_slip_of_word(*pairs[0])


def _is_slip_of_word(one: str, two: str) -> bool:
    if min(len(one), len(two)) < _SHORT or re.sub(r"\d", "", one) == re.sub(r"\d", "", two):
        return False
    return distance(one, two) <= (2 if min(len(one), len(two)) >= _LONG else 1)


LINTS = (Lint("TRC206", "warning", misspelt),)
