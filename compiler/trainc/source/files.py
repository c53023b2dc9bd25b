"""Which files make a build, and their bytes.

In come the paths of the command line, out go the files to read, in one order whatever the
locale, the order of arguments or of directory entries. What cannot be read is a problem with a
remedy, never an exception.
"""

import os
from collections.abc import Iterable, Sequence
from typing import BinaryIO, Final, NamedTuple

from trainc import codes
from trainc.errors import Mark, Problem
from trainc.source.others import Others
from trainc.source.reader import MAX_BYTES, Boundary, Reader, RefusedError, is_stream
from trainc.source.walk import Search, forbidden, printable, refused

STDIN: Final = "-"
STDIN_NAME: Final = "<stdin>"


class File(NamedTuple):
    """One file to read.

    Attributes:
        path: What to open, ``-`` for standard input.
        name: The name that is printed: POSIX slashes, relative to the project's root or to the
            folder given; a file given by its own name elsewhere is called what it was called.
        named: Whether it was given by its own name, and not found in a folder.
        boundary: What it must not lead out of; None for the repository it is in.
        others: What becomes of its documents that are not compiled.
    """

    path: str
    name: str
    named: bool
    boundary: Boundary | None = None
    others: Others = "note"


def find(
    paths: Iterable[str],
    *,
    root: str | None = None,
    exclude: Sequence[str] = (),
    output_dir: str | None = None,
    projects: list[str] | None = None,
    reader: Reader | None = None,
) -> tuple[list[File], list[Problem]]:
    """Returns the files to read, in the order of their names, and what is wrong with the paths.

    Folders are searched for ``*.yaml``, ``*.yml`` and ``*.json``. Left out are hidden folders
    and files, the output folder and those of other builds, project files, and what ``exclude`` or
    a ``.traincignore`` names. A link that leads out of the repository is an error, as is a path
    that does. What is given by its own name is read whatever it is called. Two folders are told
    apart by their names below the folder that holds both.

    Args:
        paths: Files, folders and ``-``.
        root: The project's root.
        exclude: Patterns as in ``.gitignore``, relative to the root, or else to each folder given.
        output_dir: Where the build writes.
        projects: Takes the folders that are projects of their own, of which nothing is read; where
            it is None a note names each of them.
        reader: Knows what may be opened; None for one that looks for the repository.
    """
    search = Search(root, exclude, output_dir, reader or Reader())
    given = sorted(set(paths))
    folders = [path for path in given if path != STDIN and os.path.isdir(path)]
    search.folders(folders)
    named = {}
    for path in given:
        if path == STDIN:
            named[STDIN] = File(STDIN, STDIN_NAME, True)
        elif path not in folders:
            _add_named(path, search, named)
    found = {real: File(real, printable(name), False) for real, name in search.found.items()}
    files = sorted((found | named).values(), key=lambda file: (file.name, file.path))
    if projects is None:
        search.problems += [_other_project(search.name(folder)) for folder in search.projects]
    else:
        projects += search.projects
    return files, list(dict.fromkeys(search.problems))


def _other_project(name: str) -> Problem:
    """A note on a folder that is passed over."""
    hint = "name its folder, or use -C, to build it as the project it is"
    message = "a project of its own, passed over"
    return Problem(message, codes.UNREADABLE, Mark(printable(name)), severity="note", hint=hint)


def _add_named(path: str, search: Search, named: dict[str, File]) -> None:
    """Adds a file that was given by its own name, whatever it is called."""
    try:
        real = path if is_stream(path) else search.reader.check(path)
        os.stat(path)
    except RefusedError as error:
        search.problems.append(forbidden(error, printable(path)))
        return
    except (OSError, ValueError) as error:
        search.problems.append(refused(error, printable(path)))
        return
    name = search.name(real) if search.in_project(real) else os.path.normpath(path)
    named.setdefault(real, File(path, printable(name), True))


def read(
    file: File, stdin: BinaryIO | None = None, reader: Reader | None = None
) -> bytes | Problem:
    """Returns the bytes of a file, or why it cannot be read.

    Args:
        file: What to read.
        stdin: What ``-`` stands for.
        reader: Knows what may be opened; None for one that looks for the repository.
    """
    if file.path == STDIN:
        return b"" if stdin is None else _limited(stdin.read(MAX_BYTES + 1), file)
    reader = reader or Reader()
    try:
        if file.named:
            return _limited(reader.read(file.path, file.boundary), file)
        return _limited(reader.found(file.path), file)  # the search has looked at its path
    except RefusedError as error:
        return forbidden(error, file.name)
    except (OSError, ValueError) as error:
        return refused(error, file.name)


def _limited(data: bytes, file: File) -> bytes | Problem:
    if len(data) <= MAX_BYTES:
        return data
    return Problem(
        f"larger than {MAX_BYTES >> 20} MiB",
        codes.UNREADABLE,
        Mark(file.name),
        hint="split the file",
    )
