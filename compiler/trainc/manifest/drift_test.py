from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from trainc.errors import TraincError
from trainc.manifest import index
from trainc.manifest.drift import drift
from trainc.manifest.files import write
from trainc.version import __version__

A, B = "default/a.yaml", "default/b.yaml"
TEXTS = {A: "# from: x\nkind: A\nc: 1\n", B: "kind: B\n"}


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    change: Callable[[Path], object]
    want: tuple[str, ...]


CASES = [
    TestCase("nothing", lambda out: None, ()),
    TestCase("a comment", lambda out: (out / A).write_text("kind: A\nc: 1\n"), ()),
    TestCase("the order of keys", lambda out: (out / A).write_text("c: 1\nkind: A\n"), ()),
    TestCase("another style", lambda out: (out / A).write_text('{"kind": "A", "c": 1}'), ()),
    TestCase("a value", lambda out: (out / A).write_text("kind: A\nc: 2\n"), ("-c: 2", "+c: 1")),
    TestCase("a type", lambda out: (out / A).write_text("kind: A\nc: '1'\n"), ("+c: 1",)),
    TestCase("another document", lambda out: (out / A).write_text("kind: A\nc: 1\n---\nx: 1\n"),
             ("-x: 1",)),
    TestCase("no YAML", lambda out: (out / A).write_text("{"),
             ("-{", "\\ No newline at end of file", "+c: 1")),
    TestCase("a file that is missing", lambda out: (out / A).unlink(), ("--- /dev/null", "+c: 1")),
    TestCase("a file of somebody else", lambda out: (out / "default/c.yaml").write_text("x"), ()),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_objects_are_compared(case: TestCase, tmp_path: Path) -> None:
    write(tmp_path, TEXTS, {})
    case.change(tmp_path)
    found = drift(tmp_path, TEXTS)
    assert len(found.diffs) == bool(case.want)
    for line in case.want:
        assert line in "".join(found.diffs).splitlines()


def test_a_file_that_is_not_wanted_is_drift(tmp_path: Path) -> None:
    write(tmp_path, TEXTS, {})
    (diff,) = drift(tmp_path, {A: TEXTS[A]}).diffs
    assert f"--- {(tmp_path / B).as_posix()}" in diff
    assert "+++ /dev/null" in diff


def test_without_a_folder_all_is_missing(tmp_path: Path) -> None:
    assert len(drift(tmp_path / "nowhere", TEXTS).diffs) == 2


def test_another_compiler_is_told(tmp_path: Path) -> None:
    write(tmp_path, TEXTS, {})
    assert drift(tmp_path, TEXTS).compiler == ""
    place = tmp_path / index.NAME
    place.write_text(place.read_text().replace(f'"{__version__}"', '"0.0.9"'))
    assert drift(tmp_path, TEXTS).compiler == "0.0.9"


def test_an_index_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / index.NAME).write_text("{}")
    with pytest.raises(TraincError, match="not the index"):
        drift(tmp_path, TEXTS)
