"""``trainc runtimes``: the stock library from an installed trainc."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.corpus import ROOT
from trainc.library import stock_names


def trainc(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "trainc", *arguments], cwd=folder, capture_output=True, text=True
    )


def test_all_are_listed_with_what_they_are_for(tmp_path: Path) -> None:
    lines = trainc(tmp_path, "runtimes", "list").stdout.splitlines()
    assert tuple(line.split()[0] for line in lines) == stock_names()
    assert all(len(line.split()) > 2 for line in lines)


@pytest.mark.parametrize("name", stock_names())
def test_one_is_shown_as_it_is(name: str, tmp_path: Path) -> None:
    want = (ROOT / "runtimes" / f"{name}.yaml").read_text()
    assert trainc(tmp_path, "runtimes", "show", name).stdout == want


def test_a_copy_goes_before_the_stock_one(tmp_path: Path) -> None:
    out = trainc(tmp_path, "runtimes", "copy", "torch-distributed")
    assert (out.returncode, out.stdout) == (0, "runtimes/torch-distributed.yaml\n")
    file = tmp_path / "runtimes/torch-distributed.yaml"
    file.write_text(file.read_text().replace("numNodes: 1", "numNodes: 7"))
    (tmp_path / "trainc.yaml").write_text("")
    (tmp_path / "job.yaml").write_text(
        "apiVersion: trainer.kubeflow.org/v1alpha1\nkind: TrainJob\nmetadata: {name: a}\n"
        "spec: {runtimeRef: {name: torch-distributed}, trainer: {image: a/b:1}}\n"
    )
    assert "parallelism: 7" in trainc(tmp_path, "build").stdout


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "runtimes").mkdir()
    file = tmp_path / "runtimes/torch-distributed.yaml"
    file.write_text("mine\n")
    out = trainc(tmp_path, "runtimes", "copy", "torch-distributed")
    assert out.returncode == 1
    assert "runtimes/torch-distributed.yaml: error: is there already [TRC020]" in out.stderr
    assert file.read_text() == "mine\n"


def test_no_link_leads_out(tmp_path: Path) -> None:
    project, outside = tmp_path / "project", tmp_path / "outside"
    (project / ".git").mkdir(parents=True)
    outside.mkdir()
    (project / "runtimes").symlink_to(outside)
    out = trainc(project, "runtimes", "copy", "torch-distributed")
    assert out.returncode == 1
    assert [*outside.iterdir()] == []


@pytest.mark.parametrize("command", ["show", "copy"])
def test_a_name_that_is_none(command: str, tmp_path: Path) -> None:
    out = trainc(tmp_path, "runtimes", command, "torch-distribute")
    assert out.returncode == 2
    assert "did you mean torch-distributed?" in out.stderr
    assert trainc(tmp_path, "runtimes", command, "../../x").returncode == 2
