"""The output folder of a repository that a stranger may have written: no links, plain files only.

In: a folder to write to, or a file of it to compare. Out: nothing where all is well. A link would
lead writes, removals and the diff of ``trainc check`` to a place that is nobody's output.
"""

from __future__ import annotations

import os
from pathlib import Path

from trainc import codes
from trainc.errors import Mark, Problem, TraincError
from trainc.source.reader import MAX_BYTES, Reader, RefusedError
from trainc.source.walk import forbidden


def refuse_links(folder: Path) -> None:
    """Stops where a folder that is written to, or one on the way to it, is a link.

    Raises:
        TraincError: It is one.
    """
    link = Reader().link(str(folder))
    if link:
        hint = "remove the link, or name the folder that it leads to"
        message = "is a link, and rendered output is not followed out of its folder"
        raise TraincError([Problem(message, codes.OUTPUT, Mark(_name(Path(link))), hint=hint)])


def content(folder: Path, name: str) -> bytes:
    """The bytes of a file of an output folder.

    Args:
        folder: The output folder.
        name: The file relative to it.

    Raises:
        TraincError: It is a link or in one, no regular file, or larger than any output.
        OSError: It cannot be read.
    """
    path = folder / name
    for place in (path.parent, path):
        if place != folder and place.is_symlink():
            hint = "remove it and build again"
            raise TraincError(
                [Problem("is a link, not read", codes.OUTPUT, Mark(_name(place)), hint=hint)]
            )
    try:
        data = Reader().found(str(path))
    except RefusedError as error:
        raise TraincError([forbidden(error, _name(path))]) from error
    if len(data) > MAX_BYTES:
        message = f"larger than {MAX_BYTES >> 20} MiB: trainc did not write it"
        raise TraincError([Problem(message, codes.OUTPUT, Mark(_name(path)))])
    return data


def _name(path: Path) -> str:
    """A path as the user would write it: relative to the current folder where it is below it."""
    here = os.getcwd()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()
