"""Modules that lie in the current folder: no command imports them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.gitops.diff_test import committed, git
from tests.gitops.repository import repository

TRAINC = Path(sys.executable).with_name("trainc")
# Of each kind: ours, the libraries', of extras, and the standard library's.
SHADOWS = ("trainc", "click", "jinja2", "pathspec", "pyarrow", "pyiceberg", "ruamel", "numpy",
           "cryptography", "json", "subprocess", "tempfile", "runpy", "logging")  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    repository(root)
    pq.write_table(pa.table({"x": list(range(100))}), root / "table.parquet")
    for name in SHADOWS:
        (root / f"{name}.py").write_text(
            f"open({str(tmp_path / 'marker')!r}, 'a').write({name!r})\n"
        )
    git(root, "init", "-q", "-b", "main")
    committed(root)
    return root


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    args: tuple[str, ...]


CASES = [
    TestCase("build", ("build", "--out-dir", "out")),
    TestCase("validate", ("validate",)),
    TestCase("explain", ("explain", "jobs/jax.yaml")),
    TestCase("diff", ("diff", "--base", "main")),
    TestCase("fmt", ("fmt", "--check")),
    TestCase("cache bench", ("cache", "bench", "--local", "table.parquet", "--workers", "1",
                             "--passes", "1")),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_module_of_the_current_folder_is_imported(case: TestCase, folder: Path) -> None:
    done = subprocess.run([TRAINC, *case.args], cwd=folder, capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    assert not (folder.parent / "marker").exists()


def test_serving_a_table_imports_none(folder: Path) -> None:
    command = [TRAINC, "cache", "serve", "--local", "table.parquet", "--workers", "1"]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline()
        process.send_signal(signal.SIGINT)
    assert "127.0.0.1:" in address
    assert not (folder.parent / "marker").exists()


def test_the_module_says_how_to_be_safe(folder: Path) -> None:
    run = ("-m", "trainc", "--help")
    bitten = subprocess.run([sys.executable, *run], cwd=folder, capture_output=True, check=False)
    assert bitten.returncode or (folder.parent / "marker").exists()
    (folder.parent / "marker").unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "-P", *run], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "COLUMNS": "120"},
    )  # fmt: skip
    assert not (folder.parent / "marker").exists()
    assert "python -P -m trainc" in done.stdout
