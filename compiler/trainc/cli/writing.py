"""What ``build --out-dir`` does to the output folder, and what it reports of it.

In: the files of every environment. Out: the folders hold them; the report has what was kept because
its source is unknown, and with ``-v`` or on a terminal one line of counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trainc import codes
from trainc.errors import Mark, Problem
from trainc.manifest.files import clear, write
from trainc.manifest.folder import refuse_links

if TYPE_CHECKING:
    from trainc.cli.compiling import Request
    from trainc.cli.rendered import Rendered
    from trainc.cli.report import Report
    from trainc.manifest.files import Change


def written(report: Report, folder: Path, found: Sequence[tuple[Request, list[Rendered]]]) -> None:
    """Writes each environment into its folder, and empties those of environments that are gone.

    Args:
        report: Takes what is to be reported.
        folder: The value of --out-dir.
        found: The files of each project.

    Raises:
        TraincError: A foreign file is in the way, the folder cannot be written, the disk is full.
    """
    changes = [change for request, made in found for change in _written(folder, request, made)]
    for place, change in changes:
        report.add(unknown_sources(place, change.unknown))
    report.done(_counts(folder, [change for _, change in changes], len(found) == 1))


def _written(
    folder: Path, request: Request, made: Sequence[Rendered]
) -> Iterator[tuple[Path, Change]]:
    """Writes the environments of one project; yields what was done to each folder."""
    scope = request.scope()
    places = [folder if each.env is None else folder / each.env for each in made]
    gone = [folder / name for name in request.gone(folder)]
    for place in (folder, *places, *gone):
        refuse_links(place)
    for place, each in zip(places, made, strict=True):
        yield place, write(place, each.texts, each.sources, each.origins, scope)
    for place in gone:
        yield place, clear(place, scope)


def clashes(found: Sequence[tuple[Request, list[Rendered]]]) -> list[Problem]:
    """An error for each file that two projects would write into one folder."""
    first: dict[tuple[str | None, str], Request] = {}
    problems = []
    for request, made in found if len(found) > 1 else ():
        for env, name in sorted((each.env or "", name) for each in made for name in each.texts):
            other = first.setdefault((env, name), request)
            if other is not request:
                both = " and ".join(each.inputs[0] for each in (other, request))
                message = f"{env}{'/' if env else ''}{name} is made by both {both}"
                hint = "rename one of the jobs, or build each project into a folder of its own: -C"
                problems.append(Problem(message, codes.KEPT, hint=hint))
    return problems


def unknown_sources(folder: Path, files: Sequence[str]) -> list[Problem]:
    """A note on files that are kept because nobody can tell what they were made from."""
    if not files:
        return []
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    message = f"kept {files[0]}{more}: the index does not say what it was made from"
    hint = "build the whole project; or remove the folder, and build everything that belongs there"
    return [Problem(message, codes.KEPT, Mark(folder.as_posix()), severity="note", hint=hint)]


def _counts(folder: Path, changes: Sequence[Change], alone: bool) -> str:
    """One line: ``out: 3 written, 12 unchanged, 1 removed``.

    Of several projects each is among the others to the rest, so these are not counted.
    """
    numbers = {
        "written": sum(len(change.written) for change in changes),
        "unchanged": sum(change.unchanged for change in changes),
        "removed": sum(len(change.removed) for change in changes),
    }
    others = sum(change.others + len(change.unknown) for change in changes)
    counts = [f"{number} {word}" for word, number in numbers.items()]
    counts += [f"{others} of other sources kept"] if others and alone else []
    return f"{folder.as_posix()}: {', '.join(counts)}"
