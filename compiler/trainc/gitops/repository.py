"""The repository an Argo CD plugin is run in: what an Application names must not lead out of it.

In: the folder of the process, its environment, and places. Out: problems of the places outside.
The sidecar holds the repositories of other Applications too, and files of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from trainc.errors import Mark, Problem, field_path
from trainc.project.file import Project
from trainc.source.walk import printable

# Argo CD says here where in the repository the Application's folder is.
_SOURCE_PATH: Final = "ARGOCD_APP_SOURCE_PATH"


def repository(folder: str, environ: Mapping[str, str]) -> str:
    """The root of the repository that was checked out.

    Argo CD may send only a part of it, so the folder ends with some of the path, or with all.

    Example:
        >>> repository("/cmp/1f/apps/llm", {"ARGOCD_APP_SOURCE_PATH": "apps/llm"})
        '/cmp/1f'
        >>> repository("/cmp/1f/llm", {"ARGOCD_APP_SOURCE_PATH": "apps/llm"})
        '/cmp/1f'
    """
    root = os.path.realpath(folder)
    steps = os.path.normpath(environ.get(_SOURCE_PATH) or ".").split("/")
    while steps and steps.pop() == os.path.basename(root) != "":
        root = os.path.dirname(root)
    return root


def strays(root: str, files: Iterable[str]) -> list[Problem]:
    """The values files of an Application that are outside of the repository."""
    hint = "name a file of the repository, relative to the Application's folder"
    return [
        Problem(f'parameter "values" leads out of the repository: {printable(file)}', hint=hint)
        for file in files
        if not _is_below(file, root)
    ]


def stray_places(root: str, project: Project) -> list[Problem]:
    """The places in ``trainc.yaml`` that are outside of the repository."""
    hint = "Argo CD's plugin reads the repository alone: name a place in it"
    return [
        Problem(f"{printable(place)} leads out of the repository", mark, field=field, hint=hint)
        for mark, field, place in _places(project)
        if not _is_below(os.path.join(project.root, place), root)
    ]


def _places(project: Project) -> Iterator[tuple[Mark, str, str]]:
    document = project.document
    if document is None:
        return
    yield document.mark(("overlays",)), "overlays", project.overlays
    for key in ("sources", "runtimes"):
        for index, place in enumerate(getattr(project, key)):
            path = (key, index)
            yield document.mark(path), field_path(path), place


def _is_below(path: str, root: str) -> bool:
    """Whether a path, its links followed, is the root or below it."""
    real = os.path.realpath(path)
    return real == root or real.startswith(root.rstrip(os.sep) + os.sep)
