"""The examples: each folder builds by itself, all of them build together, every policy is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from trainc import build
from trainc.kube.pod import problems

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted(path for path in (ROOT / "examples").iterdir() if (path / "job.yaml").exists())
FEATURES = ("TrainJobStatus",)


def documents(folder: Path) -> list[Any]:
    return [
        YAML(typ="safe").load(path.read_text(encoding="utf-8")) for path in folder.glob("*.yaml")
    ]


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_example_builds_without_a_word(folder: Path) -> None:
    built = build(folder, features=FEATURES)
    assert [str(problem) for problem in built.problems if problem.severity != "note"] == []
    jobsets = [manifest for manifest in built.objects if manifest["kind"] == "JobSet"]
    assert len(jobsets) == 1
    assert list(problems(jobsets[0])) == []


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_example_says_what_it_shows(folder: Path) -> None:
    for path in folder.glob("*.yaml"):
        assert path.read_text(encoding="utf-8").startswith("# ")


def test_examples_build_together() -> None:
    built = build(EXAMPLES)
    assert built.ok
    assert sum(manifest["kind"] == "JobSet" for manifest in built.objects) == len(EXAMPLES)


def test_examples_show_every_policy() -> None:
    shown = set()
    stock = {path.stem: path for path in (ROOT / "runtimes").glob("*.yaml")}
    for folder in EXAMPLES:
        found = documents(folder)
        runtimes = {d["metadata"]["name"]: d for d in found if d["kind"].endswith("Runtime")}
        for job in (d for d in found if d["kind"] == "TrainJob"):
            name = job["spec"]["runtimeRef"]["name"]
            runtime = runtimes.get(name) or YAML(typ="safe").load(stock[name].read_text())
            shown |= set(runtime["spec"].get("mlPolicy", {})) | {
                f"podGroupPolicy.{key}" for key in runtime["spec"].get("podGroupPolicy", {})
            }
    policies = {"torch", "mpi", "jax", "xgboost", "flux"}
    assert policies | {"podGroupPolicy.coscheduling", "podGroupPolicy.volcano"} <= shown
