import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from trainc.incremental.store import Store, location


@dataclass(frozen=True)
class Place:
    __test__ = False
    name: str
    environ: dict[str, str]
    want: str | None


@pytest.mark.parametrize(
    "case",
    [
        Place("named", {"TRAINC_CACHE_DIR": "/a", "HOME": "/h"}, "/a/compiled"),
        Place("off", {"TRAINC_CACHE_DIR": "off", "HOME": "/h"}, None),
        Place("empty", {"TRAINC_CACHE_DIR": "", "HOME": "/h"}, None),
        Place("xdg", {"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/trainc/compiled"),
        Place("xdg must be absolute", {"XDG_CACHE_HOME": "x", "HOME": "/h"},
              "/h/.cache/trainc/compiled"),
        Place("home", {"HOME": "/h"}, "/h/.cache/trainc/compiled"),
        Place("no home", {}, None),
    ],
    ids=lambda case: case.name,
)  # fmt: skip
def test_the_environment_says_where(case: Place) -> None:
    assert location(case.environ) == case.want


def test_what_is_put_is_got(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "a" / "b"))
    assert store.get("x") is None
    assert store.put("x", b"one")
    assert store.put("x", b"two")
    assert store.get("x") == b"two"
    assert os.listdir(tmp_path / "a" / "b") == ["x"]


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "longer"])
def test_what_is_damaged_is_gone(damage: str, tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    store.put("x", b"some bytes")
    data = (tmp_path / "x").read_bytes()
    flipped = data[:-1] + bytes([data[-1] ^ 1])
    damaged = {"cut": data[:-3], "flipped": flipped, "emptied": b"", "longer": data + b"!"}
    (tmp_path / "x").write_bytes(damaged[damage])
    assert store.get("x") is None
    assert not (tmp_path / "x").exists()


def test_a_folder_that_cannot_be_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = Store(str(tmp_path / "file" / "below"))
    assert not store.put("x", b"")
    assert store.get("x") is None
    store.prune()


def test_the_longest_unused_go_first(tmp_path: Path) -> None:
    store = Store(str(tmp_path), max_bytes=4000)
    for number in range(10):
        store.put(str(number), b"x" * 500)
        os.utime(tmp_path / str(number), ns=(number, number))
    assert store.get("0") is not None  # used just now
    store.prune()
    left = {path.name for path in tmp_path.iterdir()}
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 3000
    assert {"0", "9"} <= left
    assert "1" not in left
