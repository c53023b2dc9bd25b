from __future__ import annotations

import threading

import pytest

from trainc.controller.queue import FIRST_RETRY, LAST_RETRY, Queue
from trainc.controller.view import Key

ONE: Key = ("ns", "one")
TWO: Key = ("ns", "two")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_name_is_handed_out_once() -> None:
    queue = Queue()
    queue.add(ONE)
    queue.add(ONE)
    queue.add(TWO)
    assert [queue.take(), queue.take()] == [ONE, TWO]
    assert len(queue) == 0


def test_a_name_added_during_its_work_comes_back_after_it() -> None:
    queue = Queue()
    queue.add(ONE)
    assert queue.take() == ONE
    queue.add(ONE)
    queue.add(TWO)
    assert queue.take() == TWO
    queue.done(ONE)
    assert queue.take() == ONE


def test_calm_is_nothing_due_and_nothing_worked_on() -> None:
    queue = Queue()
    assert queue.is_calm
    queue.add(ONE)
    assert not queue.is_calm
    queue.take()
    assert not queue.is_calm
    queue.add_after(TWO, 60)
    queue.done(ONE)
    assert queue.is_calm


def test_later_is_later_and_the_earliest_holds() -> None:
    clock = Clock()
    queue = Queue(monotonic=clock)
    queue.add_after(ONE, 10)
    queue.add_after(ONE, 60)
    queue.add_after(ONE, 5)
    queue.add_after(TWO, 7)
    assert queue.delayed() == [ONE, TWO]
    clock.now += 5
    assert queue.take() == ONE
    clock.now += 2
    assert queue.take() == TWO
    for key in (ONE, TWO):
        queue.done(key)
    assert queue.delayed() == []


def test_a_deadline_further_away_than_a_lock_can_wait_ends_no_worker() -> None:
    queue = Queue()
    queue.add_after(ONE, 1e12)
    threading.Timer(0.05, queue.close).start()
    assert queue.take() is None


def test_retries_double_up_to_a_bound_and_are_forgiven() -> None:
    queue = Queue()
    pauses = [queue.retry(ONE) for _ in range(12)]
    assert pauses[:3] == [FIRST_RETRY, 2 * FIRST_RETRY, 4 * FIRST_RETRY]
    assert pauses[-1] == LAST_RETRY
    queue.forgive(ONE)
    assert queue.retry(ONE) == FIRST_RETRY


def test_a_full_queue_makes_the_adder_wait() -> None:
    queue = Queue(bound=1)
    queue.add(ONE)
    adder = threading.Thread(target=queue.add, args=(TWO,), daemon=True)
    adder.start()
    adder.join(0.05)
    assert adder.is_alive()
    assert queue.take() == ONE
    adder.join(5)
    assert queue.take() == TWO


def test_a_review_comes_after_every_change_and_leaves_workers_for_those() -> None:
    queue = Queue(bound=1, reviewers=2)
    names = [("review", str(number)) for number in range(4)]
    queue.review(names)  # does not wait, full or not
    queue.add(ONE)
    assert [queue.take(), queue.take(), queue.take()] == [ONE, *names[:2]]
    taken: list[Key | None] = []
    taker = threading.Thread(target=lambda: taken.append(queue.take()), daemon=True)
    taker.start()
    taker.join(0.05)
    assert taker.is_alive()  # two of the review are worked on
    queue.add(TWO)
    taker.join(5)
    assert taken == [TWO]
    assert queue.reviews == 2
    queue.done(names[0])
    assert queue.take() == names[2]


def test_a_name_of_a_review_that_changes_is_due_once_and_at_once() -> None:
    queue = Queue()
    queue.review([ONE, TWO])
    queue.add(TWO)
    queue.review([TWO])
    assert (len(queue), queue.reviews) == (1, 1)
    assert [queue.take(), queue.take()] == [TWO, ONE]
    queue.review([TWO])  # it is worked on: that is its review
    assert queue.reviews == 1
    queue.add(("ns", "other"))
    assert queue.take() == ("ns", "other")
    queue.close()
    assert queue.take() is None
    assert queue.reviews == 0


def test_a_review_alone_is_calm() -> None:
    queue = Queue()
    queue.review([ONE])
    queue.take()
    assert queue.is_calm


def test_closing_ends_the_takers() -> None:
    queue = Queue()
    taken: list[Key | None] = []
    takers = [threading.Thread(target=lambda: taken.append(queue.take())) for _ in range(3)]
    for taker in takers:
        taker.start()
    queue.close()
    for taker in takers:
        taker.join(5)
    assert taken == [None, None, None]


def test_a_closed_queue_takes_nothing_in_and_nobody_waits_for_room() -> None:
    """A standby hears of every job for months, and nobody takes its names."""
    queue = Queue(bound=1)
    queue.add(ONE)
    queue.add_after(TWO, 60)
    queue.close()
    for number in range(10):
        queue.add(("ns", str(number)))
        queue.add_after(("later", str(number)), 0)
    assert (len(queue), queue.delayed(), queue.is_calm) == (0, [], True)
    queue.open()
    queue.add(TWO)
    assert queue.take() == TWO


def test_what_was_worked_on_while_it_was_closed_may_be_worked_on_again() -> None:
    queue = Queue()
    queue.add(ONE)
    assert queue.take() == ONE
    queue.close()
    queue.open()
    queue.add(ONE)
    queue.done(ONE)
    assert queue.take() == ONE


def test_the_work_on_a_name_may_end_in_a_delay() -> None:
    """So that whoever doubts the delays must ask for the names that are worked on, too."""
    queue = Queue()
    queue.add(ONE)
    queue.add_after(TWO, 60)
    assert queue.take() == ONE
    assert queue.delayed() == [TWO, ONE]
    queue.done(ONE)
    assert queue.delayed() == [TWO]


@pytest.mark.parametrize("workers", [1, 8])
def test_no_name_is_worked_on_twice_at_once(workers: int) -> None:
    queue, lock = Queue(), threading.Lock()
    working: set[Key] = set()
    clashes: list[Key] = []
    left = [400]

    def work() -> None:
        while (key := queue.take()) is not None:
            with lock:
                clashes.extend({key} & working)
                working.add(key)
            with lock:
                working.discard(key)
                left[0] -= 1
                again = left[0] > 0
            if again:
                queue.add(key)
            queue.done(key)
            if not again:
                queue.close()

    for number in range(10):
        queue.add(("ns", str(number)))
    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert clashes == []
    assert left[0] <= 0
