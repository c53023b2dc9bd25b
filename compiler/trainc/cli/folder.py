"""``-C DIR`` of every command: run as if trainc had been started in that folder.

In: the raw arguments. Out: the arguments without the option, and the process in the folder. It is
done before anything else is read, so that every relative path of the command line starts there.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # typing's own costs every start 8 ms
if TYPE_CHECKING:
    from collections.abc import Sequence

OPTIONS = ("-C", "--project")


def entered(args: Sequence[str]) -> list[str]:
    """Changes into each folder that is named, in their order, as ``git -C`` does.

    Returns:
        The arguments without the option. One that names no folder stays, for the command to refuse.
    """
    _start.clear()
    rest: list[str] = []
    words = iter(args)
    for word in words:
        if word == "--":
            return [*rest, word, *words]
        name, equals, value = word.partition("=")
        if name not in OPTIONS or (name == "-C" and equals):
            rest.append(word)
            continue
        folder = value if equals else next(words, None)
        if folder is None or not _enter(folder):
            return [*rest, word, *([] if equals or folder is None else [folder]), *words]
    return rest


def started() -> str | None:
    """The folder that trainc was started in, where ``-C`` left it; None else."""
    return _start[0] if _start else None


_start: list[str] = []


def _enter(folder: str) -> bool:
    try:
        start = os.getcwd()
        os.chdir(folder)
        _start.append(start)
    except (OSError, ValueError):
        return False
    return True
