from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from trainc.initializers.failure import (
    DiskError,
    FetchError,
    IntegrityError,
    PermissionDeniedError,
    TransientError,
)
from trainc.initializers.manifest import NAME, Finished
from trainc.initializers.paths import PARTIAL, check_paths, is_ours, stale
from trainc.initializers.provider import RemoteFile
from trainc.initializers.target import Target, disk_error


def a_file(path: str, version: str = "v", size: int = 1) -> RemoteFile:
    return RemoteFile(path, f"key/{path}", size, version)


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(tmp_path / "data")


def put(target: Target, path: str, body: bytes = b"1") -> Finished:
    """A file in place, as the transfer leaves it."""
    name = target.part_name(a_file(path))
    fd = target.open_part(name, keep=False)
    os.write(fd, body)
    os.close(fd)
    target.place(name, path)
    found = (target.folder / path).stat()
    return Finished(path, len(body), "v", "", found.st_mtime_ns)


@pytest.mark.parametrize(
    "paths",
    [
        ["../a"],
        ["a/../b"],
        ["/etc/passwd"],
        [""],
        ["a//b"],
        ["./a"],
        ["a/."],
        ["a/"],
        [".."],
        ["a\0b"],
        ["n" * 256],
        ["\ud800"],
        ["sub/" + "ü" * 128],
        ["a", "a"],
        ["a", "a/b"],
        ["a/b/c", "a/b"],
    ],
    ids=repr,
)
def test_paths_that_cannot_be_are_refused(paths: list[str]) -> None:
    with pytest.raises(IntegrityError):
        check_paths([a_file(path) for path in paths])


def test_two_names_of_one_file_are_not_whole(target: Target) -> None:
    """As a file system that knows no capitals has them."""
    with target.locked(0):
        files = [put(target, "Dir/A"), put(target, "Dir/b"), put(target, "e\u0301")]
        target.check_whole(files)
        (target.folder / "Dir/a").hardlink_to(target.folder / "Dir/A")
        (target.folder / "\u00e9").hardlink_to(target.folder / "e\u0301")
        for one, other in ((0, "Dir/a"), (2, "\u00e9")):
            with pytest.raises(IntegrityError, match="are one file"):
                target.check_whole([files[one], replace(files[one], path=other)])
        # Of one content, by whatever means, is not of one name.
        (target.folder / "c").hardlink_to(target.folder / "Dir/b")
        target.check_whole([files[1], replace(files[1], path="c")])


@pytest.mark.parametrize("paths", [["a", "b/a", "b/c"], ["...", "..a", "a..", " "], ["a\\b", "~"]])
def test_paths_that_only_look_odd_are_fine(paths: list[str]) -> None:
    check_paths([a_file(path) for path in paths])


@pytest.mark.parametrize(
    ("path", "ours"),
    [(NAME, True), (PARTIAL, True), (f"{PARTIAL}/x", True), (f"a/{NAME}", False), ("a", False)],
)
def test_is_ours(path: str, ours: bool) -> None:
    assert is_ours(path) == ours


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (errno.ENOSPC, DiskError),
        (errno.EDQUOT, DiskError),
        (errno.EROFS, DiskError),
        (errno.EIO, DiskError),
        (errno.EACCES, PermissionDeniedError),
        (errno.EPERM, PermissionDeniedError),
    ],
)
def test_disk_error(code: int, kind: type[FetchError]) -> None:
    failure = disk_error(OSError(code, os.strerror(code)), "writing 'a'")
    assert isinstance(failure, kind)
    assert os.strerror(code) in str(failure)


def test_versions_never_share_a_temporary_file(target: Target) -> None:
    files = [a_file("a"), a_file("a", "w"), a_file("a", "v", 2), a_file("b")]
    assert len({target.part_name(file) for file in files}) == 4
    assert target.part_name(a_file("a")) == target.part_name(a_file("a"))


def test_a_file_is_held_until_it_is_touched(target: Target) -> None:
    with target.locked(0):
        done = put(target, "sub/a")
        assert target.holds(done)
        (target.folder / "sub/a").write_bytes(b"2")
        os.utime(target.folder / "sub/a", ns=(0, done.mtime_ns + 10**9))
        assert not target.holds(done)


def test_a_link_is_never_what_was_left(target: Target, tmp_path: Path) -> None:
    with target.locked(0):
        done = put(target, "a")
        (target.folder / "a").rename(tmp_path / "a")
        (target.folder / "a").symlink_to(tmp_path / "a")
        assert not target.holds(done)


def test_removing_takes_the_folders_that_it_empties(target: Target) -> None:
    with target.locked(0):
        one, two = put(target, "x/y/one"), put(target, "x/two")
        target.remove(one)
        assert not (target.folder / "x/y").exists()
        assert (target.folder / "x/two").exists()
        target.remove(two)
        assert not (target.folder / "x").exists()
        assert target.holds(put(target, "x/y/one"))  # it is made again where it was known


def test_what_somebody_changed_is_not_removed(target: Target) -> None:
    with target.locked(0):
        done = put(target, "a")
        os.utime(target.folder / "a", ns=(0, 0))
        target.remove(done)
        assert (target.folder / "a").exists()


def test_a_link_on_the_way_is_refused(target: Target, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    with target.locked(0):
        (target.folder / "sub").symlink_to(outside)
        with pytest.raises(IntegrityError, match="no folder"):
            put(target, "sub/a")
    assert list(outside.iterdir()) == []


def test_one_at_a_time(target: Target) -> None:
    with target.locked(0):
        other = Target(target.folder)
        with pytest.raises(TransientError, match="another initializer"), other.locked(0.1):
            pass
    with Target(target.folder).locked(0):
        pass


def test_room_is_checked(target: Target) -> None:
    with target.locked(0):
        target.check_space(1)
        with pytest.raises(DiskError, match="1048576.0 TiB are to be written"):
            target.check_space(2**60)


def test_a_part_is_emptied_unless_it_is_kept(target: Target) -> None:
    with target.locked(0):
        for keep, want in ((False, 0), (True, 3), (False, 0)):
            fd = target.open_part("x.part", keep)
            assert os.fstat(fd).st_size == want
            os.write(fd, b"123")
            os.close(fd)


def test_stale() -> None:
    old = [Finished(path, 1, "v", "", 0) for path in ("a", "b")]
    assert stale(old, [a_file("b"), a_file("c")]) == old[:1]


def test_a_lock_that_goes_with_its_folder_is_waited_for(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when its last holder cleans up between the folder's making and the lock's opening."""
    opened = target.open_part
    gone: list[str] = []

    def open_part(name: str, keep: bool) -> int:
        if not gone:
            target.partial.rmdir()
            gone.append(name)
        return opened(name, keep)

    monkeypatch.setattr(target, "open_part", open_part)
    with target.locked(60):
        assert gone
        assert (target.partial / "lock").exists()


def test_the_lock_is_removed_last(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the next holder's journal would be taken for the last one's."""
    left = []

    def unlink(path: Path) -> None:
        os.unlink(path)
        left.append((target.partial / "lock").exists())

    with target.locked(0):
        for name in ("a.part", "journal", "z"):
            (target.partial / name).touch()
        monkeypatch.setattr(Path, "unlink", unlink)
        target.clean()
    assert left == [True, True, True]
    assert not target.partial.exists()
