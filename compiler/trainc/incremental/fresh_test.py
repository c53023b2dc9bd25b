import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from trainc.incremental.fresh import gone, is_fresh
from trainc.manifest.files import STAGE, merged_index, write
from trainc.manifest.scope import EVERYTHING

TEXTS = {"default/a.yaml": "a: 1\n", "default/b.yaml": "b: 1\n", "other/c.yaml": "c: 1\n"}
SOURCES = {"job.yaml": "0" * 64}
INDEX = sha256(merged_index(Path("nowhere"), TEXTS, SOURCES, {}, EVERYTHING).new.dump()).hexdigest()


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    change: Callable[[Path], object]


def linked(out: Path) -> None:
    (out / "default/a.yaml").rename(out / "elsewhere")
    (out / "default/a.yaml").symlink_to("../elsewhere")


def linked_folder(out: Path) -> None:
    (out / "other").rename(out / "moved")
    (out / "other").symlink_to("moved")


CASES = [
    TestCase("edited", lambda out: (out / "default/a.yaml").write_text("a: 2\n")),
    TestCase("longer", lambda out: (out / "default/a.yaml").write_text("a: 1\n\n")),
    TestCase("missing", lambda out: (out / "default/a.yaml").unlink()),
    TestCase("a link", linked),
    TestCase("a folder that is a link", linked_folder),
    TestCase("another index", lambda out: (out / ".trainc.json").write_text("{}")),
    TestCase("no index", lambda out: (out / ".trainc.json").unlink()),
    TestCase("a build that did not end", lambda out: (out / STAGE).mkdir()),
]


def test_what_was_written_is_fresh(tmp_path: Path) -> None:
    write(tmp_path, TEXTS, SOURCES)
    assert is_fresh(str(tmp_path), INDEX)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_anything_else_is_not(case: TestCase, tmp_path: Path) -> None:
    write(tmp_path, TEXTS, SOURCES)
    case.change(tmp_path)
    assert not is_fresh(str(tmp_path), INDEX)


def test_an_environment_is_gone_where_its_index_is_left(tmp_path: Path) -> None:
    for name in ("dev", "prod", "plain"):
        os.makedirs(tmp_path / name)
    (tmp_path / "prod/.trainc.json").write_text("{}")
    assert not gone(str(tmp_path), ["dev", "prod"])
    assert gone(str(tmp_path), ["dev"])
    assert not gone(str(tmp_path / "nowhere"), [])
