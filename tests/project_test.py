"""This repository is a project of its own: it builds without a word, and out/ is what it says."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.corpora import ROOT
from tests.gitops.repository import trainc

ENVIRONMENTS = ("dev", "prod")
PARTS = ("trainc.yaml", "templates", "overlays", "runtimes", "examples", "out")


def test_the_layout_is_a_projects() -> None:
    assert [name for name in PARTS if not (ROOT / name).exists()] == []
    assert sorted(path.name for path in (ROOT / "out").glob("[!.]*")) == list(ENVIRONMENTS)


@pytest.mark.parametrize("args", [("build",), ("check",)], ids=lambda args: args[0])
def test_nothing_is_said(args: tuple[str, ...]) -> None:
    done = trainc(ROOT, *args, "--no-cache")
    assert (done.returncode, done.stderr) == (0, "")
    assert bool(done.stdout) == (args == ("build",))


def test_no_job_is_called_wrong_and_every_file_is_in_form() -> None:
    done = trainc(ROOT, "validate", "--no-cache", "--fail-on", "warning")
    assert done.returncode == 0, done.stderr
    assert trainc(ROOT, "fmt", "--check").returncode == 0


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_nothing_else_is_read(env: str) -> None:
    """Neither deploy/, nor tests/, nor the example inside the package."""
    built = trainc(ROOT, "build", "--env", env, "--no-cache").stdout
    files = set(re.findall(r"(?m)^# from: (\S+)", built))
    assert {file.partition("/")[0] for file in files} == {"examples", "templates"}


def test_the_environments_differ_as_overlays_say() -> None:
    dev, prod = (trainc(ROOT, "build", "--env", env).stdout for env in ENVIRONMENTS)
    sweeps = [len(re.findall(r"(?m)^  name: resnet-lr", text)) for text in (dev, prod)]
    assert sweeps == [1, 4]
    assert "image: ghcr.io/acme/finetune:1.3.2" in prod
    assert '"deadlineSeconds":14400' in dev
    assert "WANDB_PROJECT" in dev
    assert trainc(ROOT, "build").stdout == dev  # the default


def test_each_example_is_in_the_table() -> None:
    examples = ROOT / "examples"
    page = (examples / "README.md").read_text()
    rows = set(re.findall(r"(?m)^\| \[([a-z-]+)\]", page))
    assert rows == {path.name for path in examples.iterdir() if path.is_dir()}
    own = {name for name in rows if (examples / name / "runtime.yaml").exists()}
    assert own == set(re.findall(r"(?m)^\| \[([a-z-]+)\].* own \|$", page))
    links = re.findall(r"\]\(([^)]+)\)", page)
    assert [link for link in links if not (examples / link).exists()] == []


def test_every_object_has_a_file() -> None:
    for env in ENVIRONMENTS:
        built = list(yaml.safe_load_all(trainc(ROOT, "build", "--env", env).stdout))
        files = list((ROOT / "out" / env).rglob("*.yaml"))
        assert len(files) == len(built) > 30
