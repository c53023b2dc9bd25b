"""Manifests into a folder: every file whole or absent, ours kept apart from everybody else's.

In: the files of a build, the sources it covers, and a folder. Out: the folder holds exactly these
files, besides what other builds and other people put there. Everything that can fail without harm
is done first:

1. look: read the index; a file of somebody else in the way stops the build here
2. stage: write the changed files and the new index into ``.trainc-stage/``; a full disk ends here
3. announce: the index names old and new files, so whatever happens next they are known as ours
4. rename the staged files to their places, one by one
5. remove what is no longer wanted, rename the new index to its place

Killed at any point, the next build finds every file in an index and mends the folder.
"""

import errno
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trainc import codes
from trainc.errors import Mark, Problem, TraincError
from trainc.manifest import index
from trainc.manifest.folder import content, refuse_links
from trainc.manifest.index import Index
from trainc.manifest.merge import Merge, merge
from trainc.manifest.scope import EVERYTHING, Scope

STAGE: Final = ".trainc-stage"


@dataclass(frozen=True)
class Change:
    """What a build did to the folder: names relative to it, sorted.

    Attributes:
        written: Files that are new or changed.
        removed: Files that no source makes any more.
        unchanged: How many files stand there as the build makes them.
        others: How many files belong to sources that the build does not cover.
        unknown: Files kept because nobody can tell what they were made from.
    """

    written: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int
    others: int = 0
    unknown: tuple[str, ...] = ()


def write(
    folder: Path,
    texts: Mapping[str, str],
    sources: Mapping[str, str],
    origins: Mapping[str, Sequence[str]] | None = None,
    scope: Scope = EVERYTHING,
) -> Change:
    """Makes the folder hold these files, and of the sources of the scope no others.

    Args:
        folder: The output folder; made where it is missing.
        texts: Relative POSIX path -> the whole text of the file.
        sources: What the index tells of the sources: file -> SHA-256.
        origins: Relative POSIX path -> real paths of the sources the file was made from.
        scope: The sources that the build covers: what others made is never removed.

    Raises:
        TraincError: A foreign file or a link is in the way, the folder cannot be written, the disk
            is full.
    """
    refuse_links(folder)
    contents = {name: text.encode() for name, text in texts.items()}
    try:
        with _locked(folder):
            old = _known(folder)
            merged = merge(folder, old, texts, sources, origins or {}, scope)
            return _write(folder, contents, old, merged)
    except OSError as error:
        raise TraincError([_failed(folder, error)]) from error


def clear(folder: Path, scope: Scope) -> Change:
    """Removes what the scope covers, and the folder where nobody else has anything in it.

    Raises:
        TraincError: The folder cannot be written, or its index is not ours.
    """
    change = write(folder, {}, {}, {}, scope)
    if not _known(folder).files:
        with suppress(OSError):  # somebody else's file is in it
            (folder / index.NAME).unlink()
            folder.rmdir()
    return change


def merged_index(
    folder: Path,
    texts: Mapping[str, str],
    sources: Mapping[str, str],
    origins: Mapping[str, Sequence[str]],
    scope: Scope,
) -> Merge:
    """What ``write`` comes to, without writing.

    Raises:
        TraincError: The index of the folder is not ours, or cannot be read.
    """
    try:
        return merge(folder, _known(folder), texts, sources, origins, scope)
    except OSError as error:
        raise TraincError([_failed(folder, error)]) from error


def _write(folder: Path, contents: Mapping[str, bytes], old: Index, merged: Merge) -> Change:
    _refuse_foreign(folder, contents, old)
    changed = [name for name, data in sorted(contents.items()) if not _holds(folder / name, data)]
    stale = [*merged.stale]
    with _stage(folder) as stage:
        _refuse_locked(folder, [*changed, *stale])
        for number, name in enumerate(changed):
            (stage / str(number)).write_bytes(contents[name])
        _publish(folder, stage, changed, stale, old, merged.new)
    unchanged = len(contents) - len(changed)
    others = len(merged.others)
    return Change(tuple(changed), merged.stale, unchanged, others, merged.unknown)


def _publish(
    folder: Path, stage: Path, changed: list[str], stale: list[str], old: Index, new: Index
) -> None:
    """Moves what was staged to its place and removes what is stale; the index first and last."""
    final = stage / "index"
    final.write_bytes(new.dump())
    if changed or stale:
        files, outputs = {**old.files, **new.files}, {**old.outputs, **new.outputs}
        announced = Index(files, new.sources, outputs, unfinished=True)
        (stage / "announced").write_bytes(announced.dump())
        os.replace(stage / "announced", folder / index.NAME)
    for number, name in enumerate(changed):
        (folder / name).parent.mkdir(exist_ok=True)
        os.replace(stage / str(number), folder / name)
    for name in stale:
        if _is_file(folder / name):  # a folder or a link there is somebody else's
            (folder / name).unlink()
    for parent in sorted({(folder / name).parent for name in stale}):
        with suppress(OSError):  # somebody else's file is in it
            parent.rmdir()
    if not _holds(folder / index.NAME, new.dump()):
        os.replace(final, folder / index.NAME)


def _known(folder: Path) -> Index:
    """The index of the last build; an empty one where there was none."""
    try:
        return index.load(content(folder, index.NAME))
    except FileNotFoundError:
        return Index()
    except index.NotAnIndexError as error:
        place = folder / index.NAME
        hint = "restore it, or empty the folder"
        message = f"this is not the index that trainc wrote: {error}"
        raise TraincError(
            [Problem(message, codes.UNWRITABLE, Mark(str(place)), hint=hint)]
        ) from error


def _refuse_foreign(folder: Path, contents: Mapping[str, bytes], old: Index) -> None:
    """Stops before anything is written where something that is not ours stands in the way."""
    problems = []
    for name in sorted({Path(name).parent.as_posix() for name in {*contents, *old.files}}):
        place = folder / name
        if os.path.lexists(place) and (place.is_symlink() or not place.is_dir()):
            problems.append(_in_the_way(place, "a folder must be here"))
    for name in sorted(contents):
        place = folder / name
        if os.path.lexists(place) and not (name in old.files and _is_file(place)):
            problems.append(_in_the_way(place, "this file was not written by trainc"))
    if problems:
        raise TraincError(problems)


def _refuse_locked(folder: Path, names: list[str]) -> None:
    """Stops before anything is written where a folder that must change may not."""
    for parent in sorted({(folder / name).parent for name in names}):
        if parent.exists() and not os.access(parent, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(parent))


def _is_file(place: Path) -> bool:
    return place.is_file() and not place.is_symlink()


def _in_the_way(place: Path, why: str) -> Problem:
    return Problem(
        why, codes.UNWRITABLE, Mark(str(place)), hint="move it away, or choose another --out-dir"
    )


def _holds(place: Path, data: bytes) -> bool:
    """Whether the file stands there already, byte for byte."""
    try:
        return place.stat().st_size == len(data) and place.read_bytes() == data
    except FileNotFoundError:
        return False


@contextmanager
def _stage(folder: Path) -> Iterator[Path]:
    """An empty folder on the same file system, removed at the end; what a crash left goes first."""
    stage = folder / STAGE
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir()
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One build at a time in a folder; a second one waits. The system lets go when we end."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _failed(folder: Path, error: OSError) -> Problem:
    """What the system refused, at its place."""
    place = str(error.filename2 or error.filename or folder)
    return Problem(f"cannot write: {error.strerror or error}", codes.UNWRITABLE, Mark(place))
