import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from trainc.incremental.trace import Trace
from trainc.incremental.watch import Watch


def look(root: Path) -> None:
    """Looks at files, folders, links and what is not there, as builds do."""
    (root / "file").read_bytes()
    with pytest.raises(FileNotFoundError):
        (root / "missing").read_bytes()
    list(os.scandir(root / "folder"))
    os.path.isfile(root / "maybe")
    os.path.realpath(root / "link")
    os.listdir(root / "empty")
    os.path.exists(root / "out")
    list((root / "rules").glob("*"))
    (root / "sure").is_file()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("folder", "empty", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").write_text("a")
    (tmp_path / "folder" / "inside").write_text("a")
    (tmp_path / "link").symlink_to("file")
    return tmp_path


def seen(root: Path) -> Trace:
    with Watch() as watch:
        look(root)
    trace = watch.trace(str(root / "out"))
    assert trace is not None
    return trace


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    change: Callable[[Path], object]
    counts: bool = True


def relink(root: Path) -> None:
    (root / "link").unlink()
    (root / "link").symlink_to("other")


CASES = [
    TestCase("nothing", lambda root: None, counts=False),
    TestCase("a file", lambda root: (root / "file").write_text("b")),
    TestCase("a file written again", lambda root: (root / "file").write_text("a"), counts=False),
    TestCase("a file removed", lambda root: (root / "file").unlink()),
    TestCase("a missing file made", lambda root: (root / "missing").write_text("")),
    TestCase("a file nobody found", lambda root: (root / "maybe").write_text("")),
    TestCase("a file that pathlib did not find", lambda root: (root / "sure").write_text("")),
    TestCase("a folder that pathlib did not find", lambda root: (root / "rules").mkdir()),
    TestCase("a new file in a folder", lambda root: (root / "folder" / "new").write_text("")),
    TestCase("a new folder in a folder", lambda root: (root / "empty" / "new").mkdir()),
    TestCase("a folder removed", lambda root: (root / "empty").rmdir()),
    TestCase("a link elsewhere", relink),
    TestCase("what was listed, not read", lambda root: (root / "folder" / "inside").write_text("b"),
             counts=False),
    TestCase("what nobody looked at", lambda root: (root / "other" / "x").write_text(""),
             counts=False),
    TestCase("the output", lambda root: (root / "out").mkdir(), counts=False),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_was_looked_at_counts(case: TestCase, root: Path) -> None:
    trace = seen(root)
    before = trace.digest()
    case.change(root)
    assert (trace.digest() != before) is case.counts


def test_functions_are_as_before_and_notes_end(root: Path) -> None:
    functions = (os.stat, os.lstat, os.readlink)
    with Watch() as watch:
        pass
    assert functions == (os.stat, os.lstat, os.readlink)
    look(root)
    trace = watch.trace("")
    assert trace is not None
    assert not (trace.files or trace.folders)


def test_a_run_that_fails_writes_or_reads_its_output_is_not_remembered(root: Path) -> None:
    with pytest.raises(ZeroDivisionError), Watch() as failed:
        _ = 1 / 0
    assert failed.trace("") is None
    with Watch() as wrote:
        (root / "new").write_text("")
    assert wrote.trace("") is None
    with Watch() as read:
        list(os.scandir(root / "folder"))
    assert read.trace(str(root / "folder")) is None


def test_what_changes_while_it_is_read_is_not_remembered(root: Path) -> None:
    with Watch() as watch:
        look(root)
    (root / "file").write_text("changed")
    assert watch.trace("") is None


def test_what_is_read_apart_is_no_input(root: Path) -> None:
    with Watch() as watch:
        look(root)
        with watch.apart():
            (root / "folder" / "inside").read_bytes()
            os.path.isfile(root / "other" / "x")
            os.listdir(root / "other")
        (root / "file").read_bytes()
    trace = watch.trace(str(root / "out"))
    assert trace is not None
    assert trace.as_list() == seen(root).as_list()
