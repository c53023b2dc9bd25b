from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainc.cache.ticket import Ticket, decode, decode_legacy, encode_legacy


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    start: int
    end: int
    wire: str


@pytest.mark.parametrize(
    "case",
    [  # bytes the bincode crate itself wrote
        TestCase(0, 249, "00 f9"),
        TestCase(250, 251, "fa fb fb 00"),
        TestCase(1000, 65535, "fb e8 03 fb ff ff"),
        TestCase(65536, 2**32, "fc 00 00 01 00 fd 00 00 00 00 01 00 00 00"),
    ],
    ids=lambda case: case.wire,
)
def test_legacy_tickets_are_those_of_bincode(case: TestCase) -> None:
    wire = bytes.fromhex(case.wire)
    assert encode_legacy(case.start, case.end) == wire
    assert decode_legacy(wire) == (case.start, case.end)
    assert decode(wire).positions == (case.start, case.end + 1)


WORDS = st.integers(0, 2**64 - 1)


@given(WORDS, WORDS)
@settings(deadline=None)
def test_legacy_round_trip(a: int, b: int) -> None:
    start, end = sorted((a, b))
    assert decode_legacy(encode_legacy(start, end)) == (start, end)


@given(
    st.builds(
        Ticket,
        start=WORDS,
        stop=WORDS,
        dataset=st.text(),
        snapshot=st.text(),
        cache=st.text(),
        seed=st.none() | st.integers(),
        epoch=WORDS,
        block=st.integers(1, 2**40),
        offset=WORDS,
    )
)
@settings(deadline=None)
def test_round_trip(ticket: Ticket) -> None:
    assert decode(ticket.encode()) == ticket


@pytest.mark.parametrize(
    ("wire", "message"),
    [
        (b"", "Invalid ticket format"),
        (b"\x00", "Invalid ticket format"),
        (b"\x05\x02", "Invalid ticket format"),
        (b"\xfe\x00", "Invalid ticket format"),
        (b"\x00\x01\x02", "Invalid ticket format"),
        (b"x" * 40, "Invalid ticket format"),
        (b"[1, 2, 3, 4, 5, 6, 7, 8, 9]", "not a JSON object"),
        (b'{"v":2,"start":0,"stop":10}', "ticket version 2: this cache knows version 1"),
        (b'{"v":1,"start":0,"unknown":10}', "unknown"),
        (b'{"v":1,"start":0,"stop":10,"offset":-1}', "counts"),
        (b'{"v":1,"start":0,"stop":10,"block":0}', "counts"),
        (b'{"v":1,"start":"0","stop":10}', "counts"),
        (b'{"v":1,"start":0,"stop":10,"seed":"x"}', "seed"),
    ],
)
def test_what_is_no_ticket_is_refused(wire: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode(wire)


@given(st.binary(max_size=60))
@settings(deadline=None)
def test_any_bytes_are_a_ticket_or_a_value_error(wire: bytes) -> None:
    try:
        decode(wire)
    except ValueError:
        return
