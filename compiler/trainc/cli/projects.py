"""Which projects the paths of a command line lead to.

In: the paths. Out: one part a project, with the paths that limit it, and one of the files that
belong to none. From above each project is a part of its own, built as the project it is.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import click

from trainc import codes
from trainc.cli.compiling import Request, base, readable
from trainc.cli.place import placing
from trainc.errors import Mark, Problem, TraincError
from trainc.source.files import STDIN
from trainc.source.projects import is_project, projects_below
from trainc.source.walk import project_root


def requests(ctx: click.Context, inputs: tuple[str, ...], flags: dict[str, Any]) -> list[Request]:
    """What a command line asks for: each project that its paths lead to, and what is in none.

    Raises:
        TraincError: --env names an environment that none of several projects has.
    """
    found = [
        Request(ctx, part.paths, flags, part.below)
        for part in parts(inputs, whole=flags.get("whole_project", False))
    ]
    for request in found:
        request.among_others = len(found) > 1
    if ctx.obj.hosted:
        ctx.obj.folders = [os.getcwd(), *(base(request.inputs) for request in found)]
    env = flags.get("env")
    if len(found) == 1 or env in (None, "", "all"):
        return found
    having = [request for request in found if request.has(env)]
    if not having:
        raise TraincError(
            [
                Problem(
                    f"no environment {env!r} in any of the {len(found)} projects", codes.ENVIRONMENT
                )
            ]
        )
    ctx.obj.add(_without(request, env) for request in found if not request.has(env))
    return having


def _without(request: Request, env: str) -> Problem:
    """A note on a project that lacks the environment others have."""
    root = request.project.root if request.project else request.paths[0]
    mark = Mark(os.path.relpath(root).replace(os.sep, "/"))
    return Problem(
        f"has no environment {env!r}: passed over", codes.ENVIRONMENT, mark, severity="note"
    )


class Part(NamedTuple):
    """What belongs together.

    Attributes:
        paths: As given, or the folder of the project.
        below: Folders below them that are projects of their own, real paths.
    """

    paths: tuple[str, ...]
    below: tuple[str, ...] = ()


def parts(inputs: tuple[str, ...], *, whole: bool = False) -> list[Part]:
    """Sorts paths by the project they belong to.

    Args:
        inputs: The paths; none means the current folder.
        whole: Whether a path stands for the whole project it is in, as for a hook that gets files.
            Paths of no project count only where there is no other.
    """
    given = inputs or (".",)
    found: dict[str | None, list[str]] = {}
    for path in given:
        if path != STDIN:
            found.setdefault(_root(path), []).append(path)
    if STDIN in given:
        found.setdefault(next(iter(found), None), []).append(STDIN)
    if whole:
        roots = [root for root in found if root is not None]
        found = {root: [_shown(root)] for root in roots} or {_root("."): ["."]}
    below: dict[str | None, tuple[str, ...]] = {}
    for root, paths in found.items():
        below[root] = _below(root, paths)
    for folder in sorted({folder for folders in below.values() for folder in folders}):
        found.setdefault(folder, []).insert(0, _shown(folder))
    return [
        Part(tuple(dict.fromkeys(paths)), below.get(root) or _below(root, paths))
        for root, paths in found.items()
    ]


def _below(root: str | None, paths: list[str]) -> tuple[str, ...]:
    """The projects below the paths; below those of a whole project, what its sources hold."""
    places = [path for path in paths if path != STDIN and os.path.isdir(path) and _may_open(path)]
    exclude: tuple[str, ...] = ()
    if root is not None and any(os.path.realpath(path) == root for path in places):
        from trainc.project.file import project

        with placing(root):
            known = project(root)
        exclude = known.exclude
        places = [os.path.join(root, place) for place in known.sources]
        places = [place for place in places if _may_open(place)]
    found = {folder for place in places for folder in projects_below(place, exclude)}
    found |= {os.path.realpath(place) for place in places if is_project(place)} - {root}
    return tuple(sorted(found))


def _root(path: str) -> str | None:
    """The project of a path, if there is one; a path that is not there is looked for above it."""
    folder = path if os.path.isdir(path) else os.path.dirname(path) or "."
    while not _may_open(folder):  # the search refuses the path, in the project it is named in
        folder = os.path.dirname(folder) or "."
    return project_root(folder)


def _may_open(path: str) -> bool:
    """Whether the rule for files lets a path be opened; what it refuses is reported by others."""
    return readable(path) is not None or path in (".", os.sep)


def _shown(folder: str) -> str:
    """A folder as it is named from here."""
    return os.path.relpath(folder)
