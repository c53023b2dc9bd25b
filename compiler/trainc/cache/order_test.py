import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainc.cache.order import Order, Permutation
from trainc.cache.shard import Range


@given(st.integers(1, 700), st.integers(), st.integers(0, 50))
@settings(deadline=None, max_examples=60)
def test_permutation_is_a_bijection_and_has_its_inverse(size: int, seed: int, epoch: int) -> None:
    permutation = Permutation(size, seed, epoch)
    image = [permutation(point) for point in range(size)]
    assert sorted(image) == list(range(size))
    assert [permutation.inverse(point) for point in image] == list(range(size))


@given(st.integers(0, 400), st.integers(1, 60), st.none() | st.integers(), st.integers(0, 9))
@settings(deadline=None)
def test_every_row_stands_at_one_position(
    rows: int, block: int, seed: int | None, epoch: int
) -> None:
    order = Order(rows, block, seed, epoch)
    assert sorted(_rows(order, Range(0, rows))) == list(range(rows))


@given(st.data(), st.integers(1, 300), st.integers(1, 40), st.integers())
@settings(deadline=None)
def test_part_of_the_positions_is_part_of_the_order(
    data: st.DataObject, rows: int, block: int, seed: int
) -> None:
    order = Order(rows, block, seed)
    start = data.draw(st.integers(0, rows))
    stop = data.draw(st.integers(start, rows))
    assert _rows(order, Range(start, stop)) == _rows(order, Range(0, rows))[start:stop]


def test_epochs_and_seeds_differ_and_the_same_is_the_same() -> None:
    orders = {
        tuple(_rows(Order(1000, 7, seed, epoch), Range(0, 1000)))
        for seed in (1, 2)
        for epoch in range(5)
    }
    assert len(orders) == 10
    assert tuple(_rows(Order(1000, 7, 1, 3), Range(0, 1000))) in orders


def test_the_order_is_promised_for_ever() -> None:
    """Ranks of older versions must compute the same: change it only with the ticket's version."""
    firsts = [run.start for run in Order(100, 10, 42, 1).runs(Range(0, 100))]
    assert firsts == [20, 80, 10, 60, 70, 90, 40, 0, 50, 30]


def test_blocks_move_evenly() -> None:
    """Over many epochs each of 16 blocks stands first about as often as any other."""
    firsts = [Permutation(16, 0, epoch)(0) for epoch in range(3200)]
    counts = [firsts.count(block) for block in range(16)]
    chi_squared = sum((count - 200) ** 2 / 200 for count in counts)
    assert chi_squared < 37.7  # 15 degrees of freedom, p = 0.001; the numbers never change


@pytest.mark.parametrize("seed", [None, 5])
def test_positions_beyond_the_table_have_no_rows(seed: int | None) -> None:
    assert _rows(Order(10, 4, seed), Range(8, 99)) == _rows(Order(10, 4, seed), Range(8, 10))


def _rows(order: Order, positions: Range) -> list[int]:
    return [row for run in order.runs(positions) for row in range(*run)]
