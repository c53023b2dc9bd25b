import threading

import pytest

from trainc.cache.memory import Gate


def test_below_the_limit_nobody_waits() -> None:
    gate = Gate(100, lambda: 99)
    with gate.reading() as first, gate.reading() as second:
        second.wait()
        first.wait()
    assert gate.waited == 0


def test_at_the_limit_the_eldest_goes_on_and_the_others_wait_for_memory() -> None:
    allocated = [100]
    gate = Gate(100, lambda: allocated[0])
    passed = threading.Event()

    def younger() -> None:
        with gate.reading() as turn:
            turn.wait()
            passed.set()

    with gate.reading() as eldest:
        thread = threading.Thread(target=younger)
        thread.start()
        eldest.wait()
        assert not passed.wait(0.05)
        allocated[0] = 50
        assert passed.wait(10)
        thread.join()
    assert gate.waited > 0


def test_when_the_eldest_is_done_the_next_is_the_eldest() -> None:
    gate = Gate(100, lambda: 1000)
    with gate.reading():
        pass
    with gate.reading() as turn:
        turn.wait()


@pytest.mark.parametrize(("row_bytes", "rows"), [(1.0, 1000), (10.0, 100), (10_000.0, 1)])
def test_batches_are_small_where_the_limit_is(row_bytes: float, rows: int) -> None:
    assert Gate(8000).rows(1000, row_bytes) == rows
