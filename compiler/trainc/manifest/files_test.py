import json
import os
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from trainc.errors import TraincError
from trainc.manifest import files
from trainc.manifest.files import STAGE, write

OLD = {"a/configmap-x.yaml": "old x\n", "a/configmap-y.yaml": "y\n", "b/secret-z.yaml": "z\n"}
NEW = {"a/configmap-x.yaml": "new x\n", "a/configmap-y.yaml": "y\n", "c/secret-w.yaml": "w\n"}
FOREIGN = {"README.md": "theirs", "a/kustomization.yaml": "theirs", "b/notes.txt": "theirs"}
NOBODY = 65534
SOURCES = {"job.yaml": "0" * 64}

# The calls by which the folder can change, besides writing: a crash is tried at each in turn.
CALLS = ("mkdir", "replace", "unlink", "rmdir")


def tree(folder: Path) -> dict[str, str]:
    """Everything in the folder, except the index."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != ".trainc.json")
    return {path.relative_to(folder).as_posix(): path.read_text() for path in found}


def with_foreign(folder: Path) -> Path:
    """A folder the old build wrote and somebody else uses too."""
    write(folder, OLD, SOURCES)
    for name, text in FOREIGN.items():
        (folder / name).write_text(text)
    return folder


def test_a_build_writes_its_files_and_an_index(tmp_path: Path) -> None:
    change = write(tmp_path / "deep" / "out", OLD, SOURCES)
    assert tree(tmp_path / "deep" / "out") == OLD
    assert change.written == tuple(sorted(OLD))
    index = json.loads((tmp_path / "deep" / "out" / ".trainc.json").read_text())
    assert index["sources"] == SOURCES
    assert sorted(index["files"]) == sorted(OLD)
    assert index["compiler"]


def test_stale_files_go_and_those_of_others_stay(tmp_path: Path) -> None:
    change = write(with_foreign(tmp_path), NEW, SOURCES)
    assert tree(tmp_path) == NEW | FOREIGN
    assert change.written == ("a/configmap-x.yaml", "c/secret-w.yaml")
    assert change.removed == ("b/secret-z.yaml",)
    assert change.unchanged == 1


def test_an_empty_folder_of_ours_goes(tmp_path: Path) -> None:
    write(tmp_path, OLD, SOURCES)
    write(tmp_path, NEW, SOURCES)
    assert not (tmp_path / "b").exists()


def test_what_has_not_changed_is_not_written_again(tmp_path: Path) -> None:
    write(tmp_path, OLD, SOURCES)
    before = {path: path.stat() for path in tmp_path.rglob("*") if path.is_file()}
    assert write(tmp_path, OLD, SOURCES) == files.Change((), (), 3)
    assert {path: path.stat().st_ino for path in before} == {p: s.st_ino for p, s in before.items()}


@pytest.mark.parametrize("content", ["x", "old x\n"], ids=["other bytes", "the same bytes"])
def test_a_foreign_file_in_the_way_stops_the_build(tmp_path: Path, content: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "configmap-x.yaml").write_text(content)
    before = tree(tmp_path)
    with pytest.raises(TraincError, match="configmap-x.yaml: error: this file was not written by"):
        write(tmp_path, OLD, SOURCES)
    assert tree(tmp_path) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a"]


def _file_for_folder(folder: Path) -> None:
    (folder / "c").write_text("theirs")


def _link_for_folder(folder: Path) -> None:
    (folder.parent / "elsewhere").mkdir()
    (folder / "c").symlink_to(folder.parent / "elsewhere")


def _link_for_file(folder: Path) -> None:
    (folder / "a" / "configmap-x.yaml").unlink()
    (folder / "a" / "configmap-x.yaml").symlink_to(folder / "README.md")


def _folder_for_file(folder: Path) -> None:
    (folder / "a" / "configmap-x.yaml").unlink()
    (folder / "a" / "configmap-x.yaml").mkdir()


def _index_of_another_tool(folder: Path) -> None:
    (folder / ".trainc.json").write_text("[]")


def _index_that_leads_out(folder: Path) -> None:
    text = (folder / ".trainc.json").read_text()
    (folder / ".trainc.json").write_text(
        text.replace("a/configmap-x.yaml", "../x/configmap-x.yaml")
    )


@pytest.mark.parametrize(
    "obstruct",
    [
        _file_for_folder,
        _link_for_folder,
        _link_for_file,
        _folder_for_file,
        _index_of_another_tool,
        _index_that_leads_out,
    ],
    ids=lambda function: function.__name__.strip("_"),
)
def test_an_obstacle_stops_the_build_before_anything_is_written(
    tmp_path: Path, obstruct: Callable[[Path], None]
) -> None:
    folder = with_foreign(tmp_path / "out")
    obstruct(folder)
    before = tree(folder)
    with pytest.raises(TraincError):
        write(folder, NEW, SOURCES)
    assert tree(folder) == before


def test_a_file_where_the_output_folder_must_be_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("theirs")
    with pytest.raises(TraincError, match="out: error: cannot write"):
        write(tmp_path / "out", OLD, SOURCES)
    assert (tmp_path / "out").read_text() == "theirs"


@dataclass
class Trap:
    """Counts the calls that change the folder and springs at one of them."""

    at: int
    spring: Callable[[], None]
    calls: int = 0
    patches: list[Any] = field(default_factory=list)

    def around(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.calls == self.at:
                self.spring()
            return real(*args, **kwargs)

        return call


@contextmanager
def trapped(at: int, spring: Callable[[], None]) -> Iterator[Trap]:
    """Springs at the nth change of the folder; the first write of a file counts as two."""
    trap = Trap(at, spring)

    def half_and_half(self: Path, data: bytes) -> int:
        with self.open("wb") as out:
            trap.around(out.write)(data[: len(data) // 2])
            out.flush()
            return int(trap.around(out.write)(data[len(data) // 2 :]))

    patches = [mock.patch.object(os, name, trap.around(getattr(os, name))) for name in CALLS]
    patches.append(mock.patch.object(Path, "write_bytes", half_and_half))
    for patch in patches:
        patch.start()
    try:
        yield trap
    finally:
        for patch in reversed(patches):
            patch.stop()


def number_of_changes(folder: Path) -> int:
    with_foreign(folder)
    with trapped(at=-1, spring=lambda: None) as trap:
        write(folder, NEW, SOURCES)
    return trap.calls


def assert_whole(folder: Path) -> None:
    """Every file is the old one, the new one or somebody else's; nothing of theirs is missing."""
    found = tree(folder)
    outside = {name: text for name, text in found.items() if not name.startswith(STAGE)}
    for name, text in outside.items():
        assert text in (OLD.get(name), NEW.get(name), FOREIGN.get(name))
    assert FOREIGN.items() <= found.items()


def failure(folder: Path) -> str:
    """The message of a build that failed; empty where it did not, as at tidying up."""
    try:
        write(folder, NEW, SOURCES)
    except TraincError as error:
        assert not (folder / STAGE).exists()
        return str(error)
    return ""


def no_space() -> None:
    raise OSError(28, "No space left on device")


def test_a_failure_at_any_point_leaves_every_file_whole_and_the_next_build_mends(
    tmp_path: Path,
) -> None:
    for at in range(1, number_of_changes(tmp_path / "count") + 1):
        folder = with_foreign(tmp_path / str(at))
        with trapped(at, no_space) as trap:
            failed = failure(folder)
        assert trap.calls >= at
        assert_whole(folder)
        assert "No space left" in failed or tree(folder) == NEW | FOREIGN
        write(folder, NEW, SOURCES)
        assert tree(folder) == NEW | FOREIGN


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_kill_at_any_point_leaves_every_file_whole_and_the_next_build_mends(
    tmp_path: Path,
) -> None:
    changes = number_of_changes(tmp_path / "count")
    for at in range(1, changes + 1):
        folder = with_foreign(tmp_path / str(at))
        child = os.fork()
        if child == 0:
            with trapped(at, lambda: os._exit(9)):
                write(folder, NEW, SOURCES)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
        assert_whole(folder)
        # The sources have changed again meanwhile: the mended folder holds that build, no other.
        other = random.Random(at).choice([NEW, OLD, {}])
        write(folder, other, SOURCES)
        assert tree(folder) == other | FOREIGN


def refused(folder: Path) -> str:
    """The message of a build that somebody without rights runs; root becomes nobody for it."""
    pytest.importorskip("fcntl")  # nobody may not be able to read it
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        os.write(writer, failure(folder).encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("locked", [".", "a", "missing/out"])
def test_a_folder_that_may_not_be_written_is_a_clear_error(locked: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        with_foreign(top)
        for folder in (top, *(path for path in top.iterdir() if path.is_dir())):
            folder.chmod(0o777)
        (top / locked.partition("/")[0]).mkdir(exist_ok=True)
        (top / locked.partition("/")[0]).chmod(0o555)
        before = tree(top)
        assert "Permission denied" in refused(top / locked if "/" in locked else top)
        assert tree(top) == before
        for folder in (top, *(path for path in top.iterdir() if path.is_dir())):
            folder.chmod(0o777)
        write(top, NEW, SOURCES)
        assert tree(top) == NEW | FOREIGN


def test_two_builds_at_once_take_turns(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    children = []
    for number in range(4):
        child = os.fork()
        if child == 0:
            texts = {f"a/configmap-{name}.yaml": f"{number}\n" * 1000 for name in "abcdefgh"}
            write(tmp_path, texts, SOURCES)
            os._exit(0)
        children.append(child)
    for child in children:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(set(tree(tmp_path).values())) == 1
