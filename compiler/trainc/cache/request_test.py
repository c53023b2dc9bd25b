import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainc.cache.request import Request, from_command, from_path


def test_the_references_path_is_rank_and_total() -> None:
    assert from_path([b"1", b"4"]) == ("legacy", Request(rank=1, world=4))


def test_a_rank_beyond_its_total_is_out_of_range() -> None:
    with pytest.raises(IndexError, match="Invalid partition range: 4 of 4"):
        from_path([b"4", b"4"])


@pytest.mark.parametrize("path", [[b"db", b"reviews"], [b"db.reviews"]])
def test_a_path_may_name_the_table(path: list[bytes]) -> None:
    assert from_path(path) == ("table", Request(dataset="db.reviews"))


@pytest.mark.parametrize(
    "path", [[], [b""], [b"1"], [b"-1", b"4"], [b"1", b"2", b"3"], [b"x", b"4"]]
)
def test_other_paths_are_refused(path: list[bytes]) -> None:
    with pytest.raises(ValueError, match="descriptor path"):
        from_path(path)


COUNTS = st.integers(0, 1000)


@given(COUNTS, st.integers(1, 99), st.none() | st.integers(), st.sampled_from(["even", "pad"]))
@settings(deadline=None)
def test_round_trip(rank: int, more: int, seed: int | None, policy: str) -> None:
    request = Request(rank=rank, world=rank + more, seed=seed, policy=policy)  # type: ignore[arg-type]
    assert from_command(request.encode()) == request


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (b"db.reviews", "neither the reference's nor JSON"),
        (b'{"v":9}', "descriptor version 9: this cache knows version 1"),
        (b'{"rank":1}', "version None"),
        (b'{"v":1,"colour":"red"}', "colour"),
        (b'{"v":1,"rank":1}', "rank must be below world"),
        (b'{"v":1,"part":2,"parts":2}', "part below parts"),
        (b'{"v":1,"world":true}', "world is a count"),
        (b'{"v":1,"policy":"round"}', "policy is one of even, pad, drop"),
        (b'{"v":1,"seed":1.5}', "seed"),
    ],
)
def test_commands_that_are_refused(command: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_command(command)
