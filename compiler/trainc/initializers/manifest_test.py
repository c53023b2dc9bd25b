from __future__ import annotations

import json
from pathlib import Path

import pytest

from trainc.initializers.manifest import Finished, Identity, Manifest, read_manifest

WHOLE = Manifest(
    Identity("hf://org/name", {"ancestor": "model", "allow_patterns": ["*.json"]}),
    "abc",
    [
        Finished("a", 1, "v1", "sha256:00", 5),
        Finished('odd "名\\ \n', 2**40, "", "md5:00-3:8", 2**62),
    ],
)


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    WHOLE.write(tmp_path / "m")
    assert read_manifest(tmp_path / "m") == WHOLE


def test_a_name_that_is_not_utf8_survives(tmp_path: Path) -> None:
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    odd = Manifest(Identity("file:///x", {}), "", [Finished(name, 1, "", "", 0)])
    odd.write(tmp_path / "m")
    assert read_manifest(tmp_path / "m") == odd


def test_it_says_what_people_and_programs_ask(tmp_path: Path) -> None:
    WHOLE.write(tmp_path / "m")
    held = json.loads((tmp_path / "m").read_text())
    assert held["bytes"] == 1 + 2**40
    assert set(held) == {"form", "by", "uri", "revision", "settings", "bytes", "files", "sha256"}
    assert set(held["files"][0]) == {"path", "size", "version", "digest", "mtime_ns"}


def test_a_fetch_of_nothing_is_json_too(tmp_path: Path) -> None:
    empty = Manifest(Identity("x://y", {}), "", [])
    empty.write(tmp_path / "m")
    assert read_manifest(tmp_path / "m") == empty


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "{}", '{"form": 3}', '{"form": 2, "files": [{}]}', "\xff\xfe"],
)
def test_what_is_no_manifest_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "m").write_text(text, encoding="latin-1")
    assert read_manifest(tmp_path / "m") is None


def test_what_was_damaged_or_edited_is_none(tmp_path: Path) -> None:
    WHOLE.write(tmp_path / "m")
    whole = (tmp_path / "m").read_bytes()
    for place in range(len(whole)):
        (tmp_path / "m").write_bytes(whole[:place])
        assert read_manifest(tmp_path / "m") is None
        (tmp_path / "m").write_bytes(whole[:place] + b"x" + whole[place + 1 :])
        assert read_manifest(tmp_path / "m") is None
    held = json.loads(whole)
    held["files"].pop()
    (tmp_path / "m").write_text(json.dumps(held, indent=1))
    assert read_manifest(tmp_path / "m") is None


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "a//b", "", "."])
def test_a_path_that_leaves_the_target_is_in_no_manifest(tmp_path: Path, path: str) -> None:
    Manifest(WHOLE.identity, "", [Finished(path, 1, "", "", 0)]).write(tmp_path / "m")
    assert read_manifest(tmp_path / "m") is None


def test_a_folder_is_no_manifest(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) is None
    assert read_manifest(tmp_path / "missing") is None
