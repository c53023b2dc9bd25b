"""The repository an Argo CD plugin is run in: what an Application names must not lead out of it.

In: the folder of the process, its environment, and files. Out: problems of the files outside.
The sidecar holds the repositories of other Applications too, and files of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from trainc import codes
from trainc.errors import Problem
from trainc.source.reader import Reader, RefusedError
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


def strays(root: str, files: Iterable[str]) -> Iterator[Problem]:
    """The values files of an Application that may not be read."""
    reader = Reader(root)
    hint = "name a file of the repository, relative to the Application's folder"
    for file in files:
        try:
            reader.check(file)
        except RefusedError as error:
            message = f'parameter "values": {printable(file)} {error.message}'
            yield Problem(message, codes.FUNCTION, hint=hint)
