from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from trainc.initializers.extents import has_hole, reserve

SHARED_MEMORY = Path("/dev/shm")  # a disk in memory whose size is known on every Linux
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


def test_no_room_shows_before_the_first_byte() -> None:
    with tempfile.TemporaryFile(dir=SHARED_MEMORY) as file:
        with pytest.raises(OSError, match="No space left"):
            reserve(file.fileno(), 2 * shutil.disk_usage(SHARED_MEMORY).total)
        assert os.fstat(file.fileno()).st_blocks == 0
