"""The order of the rows in an epoch: as stored, or blocks of rows in a seeded permutation.

In: number of rows, block size, seed, epoch. Out: runs of consecutive rows. Every rank, worker and
client computes it alike and needs no table for it, so a ticket is two numbers and a stream can be
taken up again anywhere. The permutation is our own small one because the streams of numpy's and
of Python's shuffles are not promised to stay the same over versions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from math import isqrt
from typing import Final

from trainc.cache.shard import Range

_ROUNDS: Final = 6
_WORD: Final = (1 << 64) - 1


class Permutation:
    """A keyed bijection on ``range(size)``, computed point by point.

    A Feistel network over a grid of ``a * b >= size`` places; a point that falls outside is sent
    through again (cycle walking), which keeps it a bijection.
    """

    def __init__(self, size: int, seed: int, epoch: int) -> None:
        """Derives the round keys from seed and epoch."""
        self.size = size
        self._a = max(1, isqrt(max(0, size - 1)) + 1)
        self._b = max(1, -(-size // self._a))
        key = blake2b(f"{seed}/{epoch}".encode(), digest_size=8 * _ROUNDS).digest()
        self._keys = [int.from_bytes(key[i : i + 8], "little") for i in range(0, len(key), 8)]

    def __call__(self, point: int) -> int:
        """Where ``point`` goes."""
        point = self._forward(point)
        while point >= self.size:
            point = self._forward(point)
        return point

    def inverse(self, point: int) -> int:
        """What goes to ``point``."""
        point = self._backward(point)
        while point >= self.size:
            point = self._backward(point)
        return point

    def _forward(self, point: int) -> int:
        left, right = divmod(point, self._b)
        for i in range(0, _ROUNDS, 2):
            left = (left + _mix(right ^ self._keys[i])) % self._a
            right = (right + _mix(left ^ self._keys[i + 1])) % self._b
        return left * self._b + right

    def _backward(self, point: int) -> int:
        left, right = divmod(point, self._b)
        for i in range(_ROUNDS - 2, -1, -2):
            right = (right - _mix(left ^ self._keys[i + 1])) % self._b
            left = (left - _mix(right ^ self._keys[i])) % self._a
        return left * self._b + right


@dataclass(frozen=True)
class Order:
    """The rows of a table in the order of one epoch.

    Attributes:
        rows: Rows of the table.
        block: Rows of a block; the last block may be shorter.
        seed: None for the stored order.
        epoch: A different permutation for each.
    """

    rows: int
    block: int
    seed: int | None = None
    epoch: int = 0

    def runs(self, positions: Range) -> Iterator[Range]:
        """The runs of consecutive rows that stand at ``positions``, in order."""
        position, stop = positions.start, min(positions.stop, self.rows)
        if self.seed is None:
            if position < stop:
                yield Range(position, stop)
            return
        while position < stop:
            slot, within = self._slot(position)
            first = self._permutation(slot) * self.block + within
            left = min(self.block - within, self.rows - first, stop - position)
            yield Range(first, first + left)
            position += left

    @cached_property
    def _permutation(self) -> Permutation:
        return Permutation(-(-self.rows // self.block), self.seed or 0, self.epoch)

    @cached_property
    def _short(self) -> tuple[int, int]:
        """Slot at which the last, possibly shorter, block stands, and how many rows it lacks."""
        last = self._permutation.size - 1
        return self._permutation.inverse(last), (last + 1) * self.block - self.rows

    def _slot(self, position: int) -> tuple[int, int]:
        """The slot that holds a position, and the position within the slot."""
        short, lack = self._short
        if position >= (short + 1) * self.block - lack:
            position += lack
        return divmod(position, self.block)


def _mix(value: int) -> int:
    """The finaliser of splitmix64."""
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _WORD
    return value ^ (value >> 31)
