"""Is the rendered output fresh? The files a build would write against those that stand there.

In: a folder and the texts of a build. Out: one unified diff a file whose object differs. Objects
are compared, not bytes: a comment or the order of keys is no drift.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import unified_diff
from pathlib import Path
from typing import Any, Final, NamedTuple

from trainc import codes
from trainc.errors import Mark, Problem, TraincError
from trainc.manifest import index
from trainc.manifest.folder import content, refuse_links
from trainc.manifest.merge import merge
from trainc.manifest.scope import EVERYTHING, Scope
from trainc.source.parse import parse
from trainc.version import __version__

# What diff and patch write behind a last line that does not end.
_NO_END: Final = "\n\\ No newline at end of file\n"


class Drift(NamedTuple):
    """How a folder differs from what a build would write.

    Attributes:
        diffs: One unified diff for each file that differs, in the order of names.
        compiler: The version that wrote the folder, where it is another one; empty else.
        unknown: Files that are not compared: nobody can tell what they were made from.
    """

    diffs: tuple[str, ...]
    compiler: str
    unknown: tuple[str, ...] = ()


def drift(
    folder: Path,
    texts: Mapping[str, str],
    origins: Mapping[str, Sequence[str]] | None = None,
    scope: Scope = EVERYTHING,
) -> Drift:
    """Compares a folder with a build.

    Args:
        folder: The output folder; nothing is written to it.
        texts: Relative POSIX path -> what a build would write.
        origins: Relative POSIX path -> real paths of the sources the file would be made from.
        scope: The sources that the build covers: the output of others is not compared.

    Raises:
        TraincError: The index is not ours, a file cannot be read, or a link stands in its place.
    """
    refuse_links(folder)
    known = _known(folder)
    merged = merge(folder, known, texts, {}, origins or {}, scope)
    try:
        diffs = tuple(_diffs(folder, texts, merged.stale))
    except OSError as error:
        place = Mark(str(error.filename or folder))
        raise TraincError(
            [Problem(f"cannot be read: {error.strerror}", codes.OUTPUT, place)]
        ) from error
    compiler = "" if known.compiler == __version__ else known.compiler
    return Drift(diffs, compiler, merged.unknown)


def _known(folder: Path) -> index.Index:
    try:
        return index.load(content(folder, index.NAME))
    except FileNotFoundError:
        return index.Index()
    except OSError as error:
        message, place = (error.strerror or str(error)).lower(), Mark(str(folder))
        hint = "the rendered output is a folder that can be read"
        raise TraincError(
            [Problem(f"cannot be read: {message}", codes.OUTPUT, place, hint=hint)]
        ) from error
    except index.NotAnIndexError as error:
        message = f"this is not the index that trainc wrote: {error}"
        raise TraincError(
            [Problem(message, codes.OUTPUT, Mark(str(folder / index.NAME)))]
        ) from error


def _diffs(folder: Path, texts: Mapping[str, str], stale: Iterable[str]) -> Iterator[str]:
    for name in sorted({*texts, *stale}):
        try:
            old = content(folder, name).decode("utf-8", "replace").replace("\r\n", "\n")
        except FileNotFoundError:
            old = ""
        new = texts.get(name, "")
        if old != new and _objects(old) != _objects(new):
            shown = (folder / name).as_posix()
            lines = unified_diff(
                old.splitlines(keepends=True),
                new.splitlines(keepends=True),
                shown if old else "/dev/null",
                shown if new else "/dev/null",
            )
            yield "".join(line if line.endswith("\n") else line + _NO_END for line in lines)


def _objects(text: str) -> Any:
    documents, problems = parse(text.encode(), "")
    return text if problems else [document.root for document in documents]
