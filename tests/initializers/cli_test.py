"""``trainc fetch``: the same code on a laptop."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.initializers.running import complete, pod_environ, tree


def trainc(tmp_path: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Runs the command line."""
    return subprocess.run(
        [sys.executable, "-m", "trainc", "fetch", *words],
        env={**pod_environ(tmp_path, environ)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    for name in ("model.safetensors", "pytorch_model.bin", "notes.md"):
        (folder / name).write_text(name)
    return folder


@pytest.mark.parametrize(
    ("words", "want"),
    [
        ([], {"model.safetensors", "pytorch_model.bin", "notes.md"}),
        (["--as", "model"], {"model.safetensors", "notes.md"}),
        (["--as", "model", "--ignore", ""], {"model.safetensors", "pytorch_model.bin", "notes.md"}),
        (["--allow", "*.md,*.bin"], {"pytorch_model.bin", "notes.md"}),
        (["--ignore", "*.md"], {"model.safetensors", "pytorch_model.bin"}),
    ],
)
def test_fetch(tmp_path: Path, source: Path, words: list[str], want: set[str]) -> None:
    done = trainc(tmp_path, f"file://{source}", str(tmp_path / "into"), *words)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert set(tree(tmp_path / "into")) == want


def test_refresh_asks_again(tmp_path: Path, source: Path) -> None:
    words = (f"file://{source}", str(tmp_path / "into"))
    assert trainc(tmp_path, *words).returncode == 0
    (source / "new").write_text("new")
    again = trainc(tmp_path, *words)
    assert "already there: 3 files" in again.stderr
    assert trainc(tmp_path, *words, "--refresh").returncode == 0
    assert len(complete(tmp_path / "into")["files"]) == 4


def test_a_failure_is_a_problem(tmp_path: Path) -> None:
    done = trainc(tmp_path, "file:///no/such", str(tmp_path / "into"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: not found: there is no /no/such\n"
    assert not (tmp_path / "termination-log").exists()


def test_json_is_one_document(tmp_path: Path, source: Path) -> None:
    done = trainc(tmp_path, "--problems", "json", f"file://{source}", str(tmp_path / "into"))
    assert (done.returncode, json.loads(done.stderr)) == (0, [])
    done = trainc(tmp_path, "--problems", "json", "ftp://x/y", str(tmp_path / "into"))
    assert done.returncode == 1
    assert json.loads(done.stderr)[0]["message"].startswith("configuration: no provider fetches")


def test_wrong_usage(tmp_path: Path) -> None:
    assert trainc(tmp_path, "s3://x/y").returncode == 2
    assert trainc(tmp_path, "s3://x/y", str(tmp_path), "--as", "judge").returncode == 2
