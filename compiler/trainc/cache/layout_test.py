"""Each row exactly once, whatever breaks: head, workers and reader played without a network."""

from collections import Counter
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from trainc.cache.layout import Layout
from trainc.cache.request import Request
from trainc.cache.shard import Policy, even
from trainc.cache.streaming import runs_held
from trainc.cache.ticket import Ticket


@dataclass(frozen=True)
class World:
    rows: int
    workers: int
    ranks: int
    parts: int
    block: int
    seed: int | None
    epoch: int
    policy: Policy


WORLDS = st.builds(
    World,
    rows=st.integers(0, 300),
    workers=st.integers(1, 6),
    ranks=st.integers(1, 7),
    parts=st.integers(1, 4),
    block=st.integers(1, 50),
    seed=st.none() | st.integers(0, 2**31),
    epoch=st.integers(0, 20),
    policy=st.sampled_from(["even", "pad", "drop"]),
)


@given(WORLDS, st.lists(st.integers(1, 40), max_size=12))
@settings(deadline=None, max_examples=300)
def test_the_union_of_all_readers_is_the_table(world: World, kills: list[int]) -> None:
    """``kills`` are the numbers of rows after which a stream is cut, one after another."""
    ranks = [
        [row for part in range(world.parts) for row in _read(world, rank, part, list(kills))]
        for rank in range(world.ranks)
    ]
    seen = Counter(row for rank in ranks for row in rank)
    sizes = [len(rank) for rank in ranks]
    if world.policy == "even":
        assert seen == Counter(range(world.rows))
        assert max(sizes) - min(sizes) <= 1
    elif world.policy == "drop":
        assert seen <= Counter(range(world.rows))
        assert set(sizes) == {world.rows // world.ranks}
    else:
        assert set(seen) == set(range(world.rows))
        assert set(sizes) == {-(-world.rows // world.ranks)}


@given(WORLDS)
@settings(deadline=None)
def test_the_order_does_not_depend_on_the_workers(world: World) -> None:
    one = World(**{**world.__dict__, "workers": 1})
    assert _read(world, 0, 0, []) == _read(one, 0, 0, [])


def test_a_layout_survives_the_wire() -> None:
    layout = _layout(World(100, 3, 2, 1, 8, 5, 1, "even"), 1, 0)
    assert layout.share == 50
    assert sum(turn.rows for turn in layout.turns()) == 50


def _layout(world: World, rank: int, part: int) -> Layout:
    request = Request(
        rank=rank,
        world=world.ranks,
        part=part,
        parts=world.parts,
        policy=world.policy,
        seed=world.seed,
        epoch=world.epoch,
    )
    tickets = tuple(
        Ticket(r.start, r.stop, seed=world.seed, epoch=world.epoch, block=world.block)
        for r in request.positions(world.rows)
    )
    ranges = tuple(even(world.rows, worker, world.workers) for worker in range(world.workers))
    return Layout(world.rows, tuple("" for _ in ranges), ranges, tickets)


def _read(world: World, rank: int, part: int, kills: list[int]) -> list[int]:
    """The rows one reader gets, from streams that are cut and resumed."""
    layout = _layout(world, rank, part)
    streams: dict[tuple[int, int], _Stream] = {}
    rows: list[int] = []
    for turn in layout.turns():
        key = (turn.ticket, turn.worker)
        stream = streams.setdefault(key, _Stream(layout, turn.ticket, turn.worker, kills))
        for _ in range(turn.rows):
            rows.append(stream.next_row())
    return rows


class _Stream:
    """A worker's stream, which ends early as often as ``kills`` says."""

    def __init__(self, layout: Layout, ticket: int, worker: int, kills: list[int]) -> None:
        self._layout, self._ticket, self._worker = layout, layout.tickets[ticket], worker
        self._kills = kills
        self._received = 0
        self._rows = self._open()

    def next_row(self) -> int:
        if not self._rows:
            self._rows = self._open()
        self._received += 1
        return self._rows.pop(0)

    def _open(self) -> list[int]:
        ticket = self._ticket.with_offset(self._received)
        held = self._layout.ranges[self._worker]
        rows = [row for run in runs_held(ticket, self._layout.rows, held) for row in range(*run)]
        return rows[: self._kills.pop()] if self._kills else rows
