"""Job lines as a table for a person, or as JSON or CSV for a program."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

from trainc.cli.table import aligned
from trainc.manifest.stream import printable
from trainc.review.jobs import JobLine

Form = Literal["table", "wide", "json", "csv"]
_NONE: Final = "-"


def listed(lines: Sequence[JobLine], form: Form) -> str:
    """The text of some jobs, by environment, namespace and name.

    Args:
        lines: The jobs.
        form: ``table``, ``wide`` (more columns), ``json`` or ``csv``.
    """
    ordered = sorted(lines, key=lambda line: (line.env, line.namespace, line.name, line.file))
    if form == "json":
        return json.dumps([line._asdict() for line in ordered], indent=2) + "\n"
    if form == "csv":
        return _csv(ordered)
    if not ordered:
        return ""
    columns = [*_COLUMNS, *_WIDE] if form == "wide" else _COLUMNS
    shown = [
        (head, cell)
        for head, cell in columns
        if head not in _OPTIONAL or any(cell(line) for line in ordered)
    ]
    rows = [[head for head, _ in shown]]
    rows += [[printable(cell(line)) or _NONE for _, cell in shown] for line in ordered]
    return aligned(rows)


def duration(seconds: int) -> str:
    """Two units of time at most: ``48h``, ``1h30m``, ``90s`` is ``1m30s``."""
    parts = []
    for unit, size in (("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts[:2])


def devices(counts: Mapping[str, int]) -> str:
    """Accelerators in short: ``16 nvidia.com/gpu, 16 rdma/ib``."""
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def _shape(line: JobLine) -> str:
    return f"{line.nodes} x {line.processes}" if line.processes else str(line.nodes)


_Column = tuple[str, Callable[[JobLine], str]]
_COLUMNS: Final[list[_Column]] = [
    ("ENV", lambda line: line.env),
    ("NAMESPACE", lambda line: line.namespace),
    ("JOB", lambda line: line.name),
    ("RUNTIME", lambda line: line.runtime),
    ("NODES", _shape),
    ("DEVICES", lambda line: devices(line.devices)),
    ("QUEUE", lambda line: line.queue),
    ("PRIORITY", lambda line: line.priority),
    ("DEADLINE", lambda line: duration(line.deadline)),
]
_WIDE: Final[list[_Column]] = [
    ("IMAGE", lambda line: line.image),
    ("DATASET", lambda line: line.dataset),
    ("MODEL", lambda line: line.model),
    ("FILE", lambda line: line.file),
]
# Left out where no job has one.
_OPTIONAL: Final = frozenset(("ENV", "QUEUE", "PRIORITY", "DATASET", "MODEL"))


def _csv(lines: Sequence[JobLine]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(JobLine._fields)
    for line in lines:
        fields = line._asdict() | {"devices": devices(line.devices)}
        writer.writerow([_cell(value) for value in fields.values()])
    return out.getvalue()


def _cell(value: object) -> str:
    """A value as CSV holds it: no spreadsheet takes it for a formula."""
    text = str(value).lower() if isinstance(value, bool) else printable(str(value))
    return f"'{text}" if text[:1] in tuple("=+-@") else text
