from __future__ import annotations

from pathlib import Path

import pytest

from trainc.initializers.journal import Found, Journal, read_journal
from trainc.initializers.manifest import Finished, Identity

ONE = Identity("s3://bucket/one", {"ancestor": "dataset"})
TWO = Identity("s3://bucket/two", {"ancestor": "dataset"})
FILE = Finished("a/b", 3, "v", "md5:00", 7)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def write(path: Path, identity: Identity = ONE) -> None:
    journal = Journal(path, identity)
    journal.range("x.part", 0, 4)
    journal.range("x.part", 8, 12)
    journal.range("y.part", 0, 1)
    journal.finished(FILE)
    journal.close()


def test_the_next_process_knows_what_was_done(path: Path) -> None:
    write(path)
    ranges = {"x.part": [(0, 4), (8, 12)], "y.part": [(0, 1)]}
    assert read_journal(path) == Found(ONE, {"a/b": FILE}, ranges)


def test_what_was_dropped_is_forgotten(path: Path) -> None:
    write(path)
    journal = Journal(path, ONE)
    journal.dropped("x.part")
    journal.range("x.part", 4, 8)
    journal.close()
    assert read_journal(path).ranges == {"y.part": [(0, 1)], "x.part": [(4, 8)]}


def test_the_same_again_goes_on(path: Path) -> None:
    write(path)
    Journal(path, ONE).close()
    assert read_journal(path).finished == {"a/b": FILE}


def test_something_else_begins_anew_and_remembers_the_others_files(path: Path) -> None:
    write(path)
    Journal(path, TWO).close()
    assert read_journal(path) == Found(TWO, others=[FILE])


def test_a_line_that_was_torn_is_as_if_not_written(path: Path) -> None:
    write(path)
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        journal = Journal(path, ONE)
        journal.range("z.part", 0, 1)
        journal.close()
        found = read_journal(path)
        assert found.identity == ONE
        assert found.ranges["z.part"] == [(0, 1)]
        assert set(found.finished) <= {"a/b"}


@pytest.mark.parametrize(
    "line",
    [
        '{"range": ["x.part", "0", 4]}',
        '{"range": ["x.part", -1, 4]}',
        '{"range": ["x.part", 4, 0]}',
        '{"file": ["/etc/passwd", 3, "v", "md5:00", 7]}',
        '{"file": ["../a", 3, "v", "md5:00", 7]}',
        '{"file": [5, 3, "v", "md5:00", 7]}',
        "[]",
        "5",
    ],
)
def test_a_line_that_cannot_be_says_nothing(path: Path, line: str) -> None:
    path.write_text(f"{line}\n")
    assert read_journal(path) == Found()


def test_no_journal_says_nothing(path: Path) -> None:
    assert read_journal(path) == Found()


def test_lines_after_the_end_are_dropped(path: Path) -> None:
    journal = Journal(path, ONE)
    journal.close()
    journal.range("x.part", 0, 4)
    assert read_journal(path).ranges == {}


def test_a_link_is_not_written_through(path: Path, tmp_path: Path) -> None:
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic link"):
        Journal(path, ONE)
    assert not (tmp_path / "elsewhere").exists()
