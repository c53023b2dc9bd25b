"""A head that comes back takes up the plan by which its workers hold the table.

In: the workers' assignments and the source asked for. Out: the plan they were made from, or None.
So a restart of the head neither moves an unpinned table to a newer snapshot in the middle of an
epoch, nor needs the source to be there.
"""

from collections.abc import Sequence
from dataclasses import replace

from trainc.cache.plan import Assignment, Plan
from trainc.cache.sources.source import Piece, Source, Survey


def adopted(held: Sequence[Assignment], wanted: Source) -> Plan | None:
    """The plan that all the assignments are of, if it is of the source wanted.

    Args:
        held: The assignments, in the order of the workers.
        wanted: The source as it was asked for: perhaps without a snapshot or a metadata file.
    """
    if not held or not _same(held[0], wanted):
        return None
    first = held[0]
    survey = Survey(
        source=first.source,
        snapshot=first.snapshot,
        schema=first.schema,
        table=first.table,
        pieces=_pieces(held),
        row_bytes=first.row_bytes,
    )
    plan = Plan(survey, len(held))
    same = all(plan.cache == one.cache for one in held)
    return plan if same and plan.ranges == tuple(one.range for one in held) else None


def _same(held: Assignment, wanted: Source) -> bool:
    there = held.source
    if wanted.snapshot not in ("", held.snapshot):
        return False
    if not wanted.location:
        there = replace(there, location="")
    return replace(there, snapshot="") == replace(wanted, snapshot="")


def _pieces(held: Sequence[Assignment]) -> tuple[Piece, ...]:
    """The pieces of all assignments; one that two workers share stands in both."""
    pieces: list[Piece] = []
    for assignment in held:
        for part in assignment.parts:
            if not pieces or pieces[-1].path != part.piece.path:
                pieces.append(part.piece)
    return tuple(pieces)
