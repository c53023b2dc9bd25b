"""What is asked of a worker: tickets, ours (versioned JSON) and the reference's (two varints).

In: bytes of a Flight ticket. Out: a ``Ticket``, and back. The reference's ticket is bincode 2
"standard" of ``IndexPair{start, end}``, both inclusive: at most 18 bytes, which is how the two are
told apart (ours always has more).
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from trainc.cache.shard import Range

VERSION: Final = 1
_LEGACY_MOST: Final = 18
_WIDTHS: Final = {0xFB: 2, 0xFC: 4, 0xFD: 8}
_INLINE: Final = 251


@dataclass(frozen=True)
class Ticket:
    """Rows of one dataset at one snapshot.

    Attributes:
        start: First position in the epoch's order.
        stop: The position after the last.
        dataset: Name of the table; empty in a ticket of the reference, which names none.
        snapshot: Its snapshot; empty in a ticket of the reference.
        cache: What the head planned (``Plan.cache``); a worker refuses the tickets of another plan.
        seed: None for the stored order.
        epoch: Part of the seed.
        block: Rows of a shuffled block.
        offset: Rows of this stream that the reader already has.
    """

    start: int
    stop: int
    dataset: str = ""
    snapshot: str = ""
    cache: str = ""
    seed: int | None = None
    epoch: int = 0
    block: int = 1
    offset: int = 0

    @property
    def positions(self) -> Range:
        """The positions asked for."""
        return Range(self.start, self.stop)

    def with_offset(self, offset: int) -> "Ticket":
        """The same rows, without the first ``offset`` of the stream."""
        return replace(self, offset=offset)

    def encode(self) -> bytes:
        """The ticket in our format."""
        return json.dumps({"v": VERSION, **asdict(self)}, separators=(",", ":")).encode()


def decode(data: bytes) -> Ticket:
    """Read a ticket of either format.

    Raises:
        ValueError: The bytes are no ticket, or one of a version this cache does not know.
    """
    if len(data) <= _LEGACY_MOST:
        start, end = decode_legacy(data)
        return Ticket(start=start, stop=end + 1)
    fields = versioned(data, "ticket")
    try:
        ticket = Ticket(**fields)
        counts = (ticket.start, ticket.stop, ticket.epoch, ticket.block, ticket.offset)
        if not all(type(n) is int and n >= 0 for n in counts) or ticket.block < 1:
            raise ValueError("ticket: start, stop, epoch, block and offset are counts")
        if ticket.seed is not None and type(ticket.seed) is not int:
            raise ValueError("ticket: seed is a whole number or null")
    except TypeError as error:
        raise ValueError(f"ticket: {error}") from None
    return ticket


def versioned(data: bytes, what: str) -> dict[str, Any]:
    """The fields of a versioned JSON message, without its version.

    Raises:
        ValueError: Not JSON, not an object, or of another version.
    """
    try:
        fields = json.loads(data)
    except ValueError:
        raise ValueError(f"Invalid {what} format: neither the reference's nor JSON") from None
    if not isinstance(fields, Mapping):
        raise ValueError(f"Invalid {what} format: not a JSON object")
    if fields.get("v") != VERSION:
        raise ValueError(f"{what} version {fields.get('v')!r}: this cache knows version {VERSION}")
    return {name: value for name, value in fields.items() if name != "v"}


def encode_legacy(start: int, end: int) -> bytes:
    """The reference's ticket for rows ``start`` to ``end``, both inclusive."""
    return _varint(start) + _varint(end)


def decode_legacy(data: bytes) -> tuple[int, int]:
    """First and last row (inclusive) of the reference's ticket.

    Raises:
        ValueError: The bytes are not exactly two varints in order.
    """
    start, rest = _read_varint(data)
    end, rest = _read_varint(rest)
    if rest or end < start:
        raise ValueError("Invalid ticket format")
    return start, end


def _varint(value: int) -> bytes:
    if value < _INLINE:
        return bytes([value])
    for marker, width in _WIDTHS.items():
        if value < 1 << (8 * width):
            return bytes([marker]) + value.to_bytes(width, "little")
    raise ValueError(f"{value} does not fit into 64 bits")


def _read_varint(data: bytes) -> tuple[int, bytes]:
    if data and data[0] < _INLINE:
        return data[0], data[1:]
    width = _WIDTHS.get(data[0], 0) if data else 0
    if not width or len(data) < 1 + width:
        raise ValueError("Invalid ticket format")
    return int.from_bytes(data[1 : 1 + width], "little"), data[1 + width :]
