"""What ``build --out-dir`` does to the output folder, and what it reports of it.

In: the files of every environment. Out: the folders hold them; the report has what was kept because
its source is unknown, and with ``-v`` or on a terminal one line of counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trainc.errors import Mark, Problem
from trainc.manifest.files import clear, write

if TYPE_CHECKING:
    from trainc.cli.compiling import Request
    from trainc.cli.rendered import Rendered
    from trainc.cli.report import Report
    from trainc.manifest.files import Change


def written(report: Report, folder: Path, request: Request, found: Sequence[Rendered]) -> None:
    """Writes each environment into its folder, and empties those of environments that are gone.

    Raises:
        TraincError: A foreign file is in the way, the folder cannot be written, the disk is full.
    """
    scope = request.scope()
    changes: list[tuple[Path, Change]] = []
    for each in found:
        place = folder if each.env is None else folder / each.env
        changes.append((place, write(place, each.texts, each.sources, each.origins, scope)))
    gone = [folder / name for name in request.gone(folder)]
    changes += [(place, clear(place, scope)) for place in gone]
    for place, change in changes:
        report.add(unknown_sources(place, change.unknown))
    report.done(_counts(folder, [change for _, change in changes]))


def unknown_sources(folder: Path, files: Sequence[str]) -> list[Problem]:
    """A note on files that are kept because nobody can tell what they were made from."""
    if not files:
        return []
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    message = f"kept {files[0]}{more}: the index does not say what it was made from"
    hint = "build the whole project; or remove the folder, and build everything that belongs there"
    return [Problem(message, Mark(folder.as_posix()), severity="note", hint=hint)]


def _counts(folder: Path, changes: Sequence[Change]) -> str:
    """One line: ``out: 3 written, 12 unchanged, 1 removed``."""
    numbers = {
        "written": sum(len(change.written) for change in changes),
        "unchanged": sum(change.unchanged for change in changes),
        "removed": sum(len(change.removed) for change in changes),
    }
    others = sum(change.others + len(change.unknown) for change in changes)
    counts = [f"{number} {word}" for word, number in numbers.items()]
    counts += [f"{others} of other sources kept"] if others else []
    return f"{folder.as_posix()}: {', '.join(counts)}"
