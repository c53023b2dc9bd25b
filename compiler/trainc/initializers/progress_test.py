from __future__ import annotations

import io
import logging
import os
import pty
import re
import termios

import pytest

from trainc.initializers.progress import Progress, Snapshot, amount

MiB = 1024 * 1024


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("count", "want"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1.5 * MiB, "1.5 MiB"),
        (2 * 1024 * MiB, "2.0 GiB"),
        (5 * 1024 * 1024 * MiB, "5.0 TiB"),
        (5000 * 1024 * 1024 * MiB, "5000.0 TiB"),
    ],
)
def test_amount(count: float, want: str) -> None:
    assert amount(count) == want


@pytest.mark.parametrize(
    ("done", "total", "files", "all_files", "want"),
    [
        (0, 100, 0, 2, 0),
        (50, 100, 1, 2, 50),
        (100, 100, 1, 2, 99),
        (100, 100, 2, 2, 100),
        (0, 0, 0, 1, 0),
        (0, 0, 1, 1, 100),
        (110, 100, 0, 1, 99),
    ],
)
def test_percentage(done: int, total: int, files: int, all_files: int, want: int) -> None:
    assert Snapshot(done, total, files, all_files, 0, None).percentage == want


def test_rate_and_time_to_go_are_of_this_process() -> None:
    clock = Clock()
    progress = Progress(io.StringIO(), clock=clock)
    progress.begin(100 * MiB, 4, 60 * MiB, 2)
    clock.now += 10
    progress.arrived(10 * MiB)
    progress.finished()
    snapshot = progress.snapshot()
    assert (snapshot.rate, snapshot.remaining) == (MiB, 30)
    assert str(snapshot) == "70.0 MiB of 100.0 MiB (70 %), 3 of 4 files, 1.0 MiB/s, ETA 30 s"


def test_nothing_arrived_and_nobody_knows_when() -> None:
    progress = Progress(io.StringIO(), clock=Clock())
    progress.begin(100, 1, 0, 0)
    assert progress.snapshot().remaining is None
    assert "ETA" not in str(progress.snapshot())


@pytest.mark.parametrize(
    ("seconds", "want"),
    [(5, "ETA 5 s"), (65, "ETA 1 min 05 s"), (3725, "ETA 1 h 02 min")],
)
def test_time_is_written_for_people(seconds: float, want: str) -> None:
    assert str(Snapshot(0, 1, 0, 1, 1, seconds)).endswith(want)


def test_a_pod_logs_a_line_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "trainc")
    clock, stream = Clock(), io.StringIO()
    progress = Progress(stream, clock=clock)
    progress.begin(100, 1, 0, 0)
    for _ in range(200):  # 20 seconds
        clock.now += 0.1
        progress.show()
    assert len(caplog.messages) in (3, 4)
    assert caplog.messages[0].startswith("fetched 0 B of 100 B (0 %)")
    assert stream.getvalue() == ""


def test_a_terminal_has_a_bar_that_goes_away() -> None:
    clock, stream = Clock(), Terminal()
    progress = Progress(stream, clock=clock)
    progress.begin(100, 1, 50, 0)
    clock.now += 1
    progress.show()
    progress.clear()
    assert stream.getvalue().startswith("\r\x1b[K[############............] 50 B of 100 B (50 %)")
    assert stream.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize("columns", [200, 80, 60, 10])
def test_the_bar_stays_in_one_line(columns: int) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    clock = Clock()
    with os.fdopen(theirs, "w") as stream:
        progress = Progress(stream, clock=clock)
        progress.begin(2048 * MiB, 100, 0, 0)
        clock.now += 5
        progress.arrived(1024 * MiB)
        progress.show()
        shown = os.read(ours, 4096).decode().removeprefix("\r\x1b[K")
    os.close(ours)
    assert len(shown) < columns
    assert columns < 80 or re.fullmatch(r"\[#+\.+\] 1\.0 GiB of 2\.0 GiB .*, ETA 5 s", shown)


def test_it_is_reported_every_ten_seconds_and_at_the_end() -> None:
    clock, told = Clock(), list[Snapshot]()
    progress = Progress(io.StringIO(), told.append, clock)
    progress.begin(100, 1, 0, 0)
    for _ in range(25):
        clock.now += 1
        progress.show()
    assert len(told) == 2
    progress.reached()
    assert len(told) == 3
