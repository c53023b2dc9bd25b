"""``from trainc import build`` on a folder is what ``trainc build`` makes of it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.corpus import ROOT
from trainc import build

PROJECT = {
    "trainc.yaml": "namespace: team\nvalues: {nodes: 1}\n",
    "templates/job.yaml.j2": """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {name: bert}
spec:
  runtimeRef: {name: torch-distributed}
  trainer: {numNodes: {{ values.nodes }}, image: example.com/bert:{{ env }}}
""",
    "overlays/dev/values.yaml": "nodes: 2\n",
    "overlays/prod/values.yaml": "nodes: 4\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def _written(folder: Path, out: Path, *arguments: str) -> dict[str, str]:
    """What the command writes, file by file."""
    command = [sys.executable, "-m", "trainc", "build", "--out-dir", str(out), *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return {str(file.relative_to(out)): file.read_text() for file in out.rglob("*.yaml")}


@pytest.mark.parametrize("env", ["dev", "prod"])
def test_this_repository(env: str, tmp_path: Path) -> None:
    made = build(ROOT, env=env)
    assert made.ok
    written = _written(ROOT, tmp_path / "out", "--env", env, "--no-cache")
    assert {f"{env}/{name}": text for name, text in made.files.items()} == written
    assert [*made.objects] == [yaml.safe_load(text) for text in made.files.values()]


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    given: dict[str, Any]
    flags: tuple[str, ...] = field(default=())


CASES = [
    TestCase("an environment", {"env": "prod"}, ("--env", "prod")),
    TestCase("values", {"env": "dev", "values": {"nodes": 3}},
             ("--env", "dev", "--set", "nodes=3")),
    TestCase("a namespace", {"env": "dev", "namespace": "x"}, ("--env", "dev", "--namespace", "x")),
    TestCase("TrainJobs too", {"env": "dev", "emit": "both"}, ("--env", "dev", "--emit", "both")),
    TestCase("a profile", {"env": "dev", "profile": "flux", "on_change": "replace"},
             ("--env", "dev", "--profile", "flux", "--on-change", "replace")),
    TestCase("renamed", {"env": "dev", "profile": "argocd", "on_change": "rename"},
             ("--env", "dev", "--profile", "argocd", "--on-change", "rename")),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_settings_are_the_flags(case: TestCase, project: Path) -> None:
    made = build(project, **case.given)
    written = _written(project, project / "out", *case.flags)
    assert {f"{case.given['env']}/{name}": text for name, text in made.files.items()} == written


def test_nothing_is_written(project: Path) -> None:
    before = sorted(project.rglob("*"))
    assert build(project, env="dev").ok
    assert sorted(project.rglob("*")) == before


def test_problems_are_returned(project: Path) -> None:
    made = build(project)
    assert (made.objects, made.files) == ((), {})
    assert [problem.code for problem in made.problems] == ["TRC007"]
    assert "--env" in str(made.problems[0])
    (project / "trainc.yaml").write_text("profile: argo\n")
    assert [problem.code for problem in build(project, env="dev").problems] == ["TRC008"]


@dataclass(frozen=True)
class Wrong:
    __test__ = False
    name: str
    given: dict[str, Any]
    message: str
    is_project: bool = True


WRONG = [
    Wrong("replace without a tool", {"on_change": "replace"}, "needs profile"),
    Wrong("replace with Argo CD", {"on_change": "replace", "profile": "argocd"}, "rename"),
    Wrong("a profile of the reference", {"compat": "v2.3.0", "profile": "flux"}, "compat"),
    Wrong("an environment of a file", {"env": "dev"}, "env: ", is_project=False),
    Wrong("values of a file", {"values": {}}, "values: ", is_project=False),
]


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.name)
def test_what_excludes_each_other_is_refused(case: Wrong, project: Path) -> None:
    given = {"env": "dev", **case.given} if case.is_project else case.given
    sources = project if case.is_project else ROOT / "examples/torch/job.yaml"
    with pytest.raises(ValueError, match=case.message):
        build(sources, **given)


def test_files_of_no_project(tmp_path: Path) -> None:
    made = build(ROOT / "examples/torch/job.yaml", namespace="x", profile="argocd")
    assert made.ok
    assert [*made.files] == ["team-vision/jobset.jobset.x-k8s.io-resnet50-imagenet.yaml"]
    assert "argocd.argoproj.io/sync-wave" in made.objects[0]["metadata"]["annotations"]
