"""A file is written whole or not at all; what is no regular file is refused at once."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from trainc.manifest.writing import write_inside, write_stream, write_whole


def test_mode_and_links_stay(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to("file")
    write_whole(str(link), b"new")
    assert link.is_symlink() and file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "link"]


@pytest.mark.parametrize("write", [write_whole, write_inside, write_stream])
@pytest.mark.parametrize("is_linked", [False, True])
def test_a_pipe_that_nobody_reads_is_refused(
    write: Callable[[str, bytes], None], is_linked: bool, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    with pytest.raises(OSError, match="not written"):
        write(str(tmp_path / ("link" if is_linked else "pipe")), b"new")
    assert (tmp_path / "pipe").is_fifo()


def test_what_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "file").write_text("old")
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        write_whole(str(tmp_path / "file"), b"new")
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("file", "old")]
