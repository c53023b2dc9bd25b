"""What is asked of the head: a share of the table, named by a Flight descriptor.

In: a descriptor's path or command. Out: a ``Request``. Three spellings are understood: the
reference's path ``[rank, total]`` (decimal strings), a path that names the table
(``[schema, table]`` or ``[name]``), and our versioned JSON command.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from trainc.cache.shard import POLICIES, Policy, Range, portion, share
from trainc.cache.ticket import VERSION, versioned

Form = Literal["legacy", "table", "command"]


@dataclass(frozen=True)
class Request:
    """One reader's wish.

    Attributes:
        rank: The reader, from 0.
        world: Number of readers.
        part: DataLoader worker within the reader, from 0.
        parts: Number of DataLoader workers of a reader.
        policy: What becomes of rows that do not divide evenly.
        seed: None for the stored order.
        epoch: Part of the seed.
        block: Rows of a shuffled block, 0 for the cache's own choice.
        dataset: The table asked for, empty for the one that is there.
        snapshot: The snapshot asked for, empty for the one that is there.
    """

    rank: int = 0
    world: int = 1
    part: int = 0
    parts: int = 1
    policy: Policy = "even"
    seed: int | None = None
    epoch: int = 0
    block: int = 0
    dataset: str = ""
    snapshot: str = ""

    def encode(self) -> bytes:
        """The request as a descriptor's command."""
        return json.dumps({"v": VERSION, **asdict(self)}, separators=(",", ":")).encode()

    def positions(self, rows: int) -> tuple[Range, ...]:
        """The positions of the epoch's order that this reader reads, of ``rows`` in all."""
        return portion(share(rows, self.rank, self.world, self.policy), self.part, self.parts)


def from_path(path: Sequence[bytes]) -> tuple[Form, Request]:
    """Read a descriptor's path.

    Raises:
        ValueError: A path that is neither ``[rank, total]`` nor a name.
        IndexError: A rank that is not below its total.
    """
    words = [word.decode(errors="replace") for word in path]
    if len(words) == 2 and all(word.isdecimal() and word.isascii() for word in words):
        rank, total = int(words[0]), int(words[1])
        if rank >= total:
            raise IndexError(f"Invalid partition range: {rank} of {total}")
        return "legacy", Request(rank=rank, world=total)
    if not words or not all(words) or any(word.lstrip("-").isdecimal() for word in words):
        raise ValueError(
            f"descriptor path {words}: want [rank, total], [schema, table] or a JSON command"
        )
    return "table", Request(dataset=".".join(words))


def from_command(command: bytes) -> Request:
    """Read our JSON command.

    Raises:
        ValueError: Not JSON, another version, an unknown field, or a number out of its range.
    """
    fields = versioned(command, "descriptor")
    try:
        request = Request(**fields)
    except TypeError as error:
        raise ValueError(f"descriptor: {error}") from None
    for name in ("rank", "world", "part", "parts", "epoch", "block"):
        if type(getattr(request, name)) is not int or getattr(request, name) < 0:
            raise ValueError(f"descriptor: {name} is a count, got {getattr(request, name)!r}")
    if not (request.rank < request.world and request.part < request.parts):
        raise ValueError("descriptor: rank must be below world, and part below parts")
    if request.policy not in POLICIES:
        raise ValueError(f"descriptor: policy is one of {', '.join(POLICIES)}")
    if request.seed is not None and type(request.seed) is not int:
        raise ValueError("descriptor: seed is a whole number or null")
    return request
