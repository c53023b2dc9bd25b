"""``trainc fetch``: the same code on a laptop."""

from __future__ import annotations

import json
import re
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
    assert done.stderr == "error: not found: there is no /no/such [TRC061]\n"
    assert not (tmp_path / "termination-log").exists()


def test_json_is_one_document(tmp_path: Path, source: Path) -> None:
    done = trainc(tmp_path, "--problems", "json", f"file://{source}", str(tmp_path / "into"))
    assert (done.returncode, json.loads(done.stderr)) == (0, [])
    done = trainc(tmp_path, "--problems", "json", "ftp://x/y", str(tmp_path / "into"))
    assert done.returncode == 1
    assert json.loads(done.stderr)[0]["message"].startswith("configuration: no provider fetches")


def test_a_folder_is_relative_to_where_one_is(tmp_path: Path, source: Path) -> None:
    (tmp_path / "into").mkdir()
    (tmp_path / "into/mine").write_text("mine")
    done = subprocess.run(
        [sys.executable, "-m", "trainc", "fetch", f"file://{source}", "into"],
        cwd=tmp_path,
        env=pod_environ(tmp_path, {}),
        check=False,
    )
    assert done.returncode == 0
    assert set(tree(tmp_path / "into")) == {path.name for path in source.iterdir()} | {"mine"}


def test_a_password_in_the_uri_is_not_printed(tmp_path: Path) -> None:
    uri = "http://bob:hunter22@127.0.0.1:many/x?sig=planted1"
    done = trainc(tmp_path, uri, str(tmp_path / "into"), "-vv")
    assert done.returncode == 1
    assert "error: configuration: http://[redacted]@127.0.0.1:many/x" in done.stderr
    assert not {"hunter22", "planted1"} & set(re.findall(r"\w+", done.stderr))


@pytest.mark.parametrize(
    ("uri", "missing"),
    [
        ("s3://x/y", "pycurl"),
        ("gs://x/y", "obstore"),
        ("hf://x/y", "huggingface_hub"),
        ("https://x/y", "httpx2"),
    ],
)
def test_a_missing_extra_is_named(tmp_path: Path, uri: str, missing: str) -> None:
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        f"sys.argv = ['trainc', 'fetch', {uri!r}, {str(tmp_path / 'into')!r}]\n"
        "from trainc.cli import main; main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=pod_environ(tmp_path, {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert f"this needs {missing}: install trainc[initializers]" in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_usage(tmp_path: Path) -> None:
    assert trainc(tmp_path, "s3://x/y").returncode == 2
    assert trainc(tmp_path, "s3://x/y", str(tmp_path), "--as", "judge").returncode == 2
