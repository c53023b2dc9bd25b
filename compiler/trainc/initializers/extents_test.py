from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from trainc.initializers.extents import has_hole, reserve

MiB = 1024 * 1024


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    opened = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    yield opened
    os.close(opened)


def test_what_was_written_is_no_hole(fd: int) -> None:
    os.write(fd, bytes(MiB))
    assert not has_hole(fd, 0, MiB)
    assert has_hole(fd, 0, MiB + 1)


def test_what_was_never_written_is_one(fd: int) -> None:
    os.ftruncate(fd, 4 * MiB)
    os.pwrite(fd, bytes(MiB), 0)
    os.pwrite(fd, bytes(MiB), 3 * MiB)
    assert not has_hole(fd, 0, MiB)
    assert not has_hole(fd, 3 * MiB, 4 * MiB)
    assert has_hole(fd, 0, 4 * MiB)
    assert has_hole(fd, MiB, 2 * MiB)


def test_an_empty_file_has_no_bytes(fd: int) -> None:
    assert has_hole(fd, 0, 1)


def test_room_is_reserved_and_is_no_data(fd: int) -> None:
    reserve(fd, 8 * MiB)
    assert os.fstat(fd).st_size == 8 * MiB
    os.pwrite(fd, bytes(MiB), 0)
    assert not has_hole(fd, 0, MiB)


def test_a_reservation_keeps_what_is_there(fd: int) -> None:
    os.write(fd, b"words")
    reserve(fd, MiB)
    assert os.pread(fd, 6, 0) == b"words\0"


def test_no_room_shows_before_the_first_byte(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a file system")
    try:
        opened = os.open(disk / "file", os.O_RDWR | os.O_CREAT)
        with pytest.raises(OSError, match="No space left"):
            reserve(opened, 2 * MiB)
        os.close(opened)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)
