"""``PATH`` of ``trainc explain``: which settings it means, or what there is instead.

A PATH is any run of whole steps of a setting's path: ``spec.replicatedJobs[node]``, ``env.FOO``,
``trainer.args``, ``resources``. ``[x]`` and ``.x`` are the same; items of lists go by name, or by
index.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from trainc import codes
from trainc.errors import Problem
from trainc.explain.setting import Setting

_MANY: Final = 24  # names a hint lists


def selected(settings: Sequence[Setting], path: str) -> tuple[Setting, ...]:
    """The settings one of whose names holds the steps of ``path``, in a row."""
    wanted = _plain(path)
    return tuple(
        each for each in settings if any(_after(name, wanted) is not None for name in each.names)
    )


def unknown(settings: Sequence[Setting], path: str, job: str) -> Problem:
    """The problem that nothing is called so, with what there is nearby."""
    above = _plain(path)
    while "." in above:
        above = above.rpartition(".")[0]
        below = (_after(name, above) for each in settings for name in each.names)
        known = sorted({rest[0] for rest in below if rest})
        if known:
            return _problem(path, job, f"{above} has: {_listed(known)}")
    words = {step for each in settings for name in each.names for step in name}
    near = get_close_matches(_plain(path), sorted(words), 3)
    if near:
        return _problem(path, job, f"did you mean {' or '.join(near)}?")
    labels = {each.label.partition("[")[0].partition(" ")[0] for each in settings if each.group}
    return _problem(path, job, f"there are: {_listed(sorted(labels))}")


def _problem(path: str, job: str, hint: str) -> Problem:
    return Problem(f"{job} has no setting at {path!r}", codes.NOT_FOUND, hint=hint)


def _listed(known: Sequence[str]) -> str:
    return ", ".join(known[:_MANY]) + (", ..." if len(known) > _MANY else "")


def _after(name: Sequence[str], wanted: str) -> tuple[str, ...] | None:
    """The steps behind ``wanted`` where that is a run of steps of the name, else None."""
    for first in range(len(name)):
        said = ""
        for last in range(first, len(name)):
            said = f"{said}.{name[last]}" if said else name[last]
            if said == wanted:
                return tuple(name[last + 1 :])
            if not wanted.startswith(said):
                break
    return None


def _plain(path: str) -> str:
    """A path in one form: ``[x]`` is ``.x``."""
    return path.replace("[", ".").replace("]", "").strip(".")
