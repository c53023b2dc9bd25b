"""Profiles: what the tools are told, what is kept from them, and that nothing else changes."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from trainc.gitops.profile import OPTIONS, SUBSTITUTE, Profile, with_profile
from trainc.kube.size import annotated_size
from trainc.plan.plan import Object

JOB = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata:
  name: llm
  annotations: {argocd.argoproj.io/tracking-id: "x:y:z"}
spec:
  runtimeRef: {kind: TrainingRuntime, name: own}
  trainer:
    numNodes: 2
    command: [sh, -c]
    args: ["torchrun --nnodes ARGUMENT"]
---
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainingRuntime
metadata: {name: own}
spec:
  mlPolicy: {torch: {}}
  template:
    metadata:
      annotations: {argocd.argoproj.io/sync-options: Prune=confirm}
    spec:
      ttlSecondsAfterFinished: 60
      replicatedJobs:
      - name: node
        template:
          metadata:
            labels: {trainer.kubeflow.org/trainjob-ancestor-step: trainer}
          spec:
            ttlSecondsAfterFinished: 60
            template:
              metadata:
                labels: {app.kubernetes.io/instance: apps, team: nlp}
              spec:
                containers: [{name: node, image: "example.com/llm:1.0"}]
"""


def built(folder: Path, *flags: str, argument: str = "2") -> list[dict[str, Any]]:
    (folder / "job.yaml").write_text(JOB.replace("ARGUMENT", argument))
    done = subprocess.run(
        [sys.executable, "-m", "trainc", "build", "-q", "job.yaml", "-o", "json", *flags],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    objects: list[dict[str, Any]] = json.loads(done.stdout)
    return objects


def of_kind(objects: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return next(each for each in objects if each["kind"] == kind)


def ttls(manifest: Any) -> int:
    return json.dumps(manifest).count('"ttlSecondsAfterFinished"')


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    flags: tuple[str, ...]
    want: dict[str, str]
    argument: str = "2"


CASES = [
    TestCase("no profile", (), {"argocd.argoproj.io/sync-options": "Prune=confirm"}),
    TestCase("argocd", ("--profile", "argocd"), {
        "argocd.argoproj.io/sync-wave": "2",
        "argocd.argoproj.io/sync-options": "Prune=confirm,SkipDryRunOnMissingResource=true"}),
    TestCase("argocd, over 256 KiB", ("--profile", "argocd"), {
        "argocd.argoproj.io/sync-wave": "2",
        "argocd.argoproj.io/sync-options":
            "Prune=confirm,SkipDryRunOnMissingResource=true,ServerSideApply=true"},
        argument="x" * 262_144),
    TestCase("flux", ("--profile", "flux"), {
        "argocd.argoproj.io/sync-options": "Prune=confirm"}),
    TestCase("flux, a variable in braces", ("--profile", "flux"), {
        "argocd.argoproj.io/sync-options": "Prune=confirm",
        "kustomize.toolkit.fluxcd.io/substitute": "disabled"}, argument="${PET_NNODES}"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_tool_is_told(case: TestCase, tmp_path: Path) -> None:
    jobset = of_kind(built(tmp_path, *case.flags, argument=case.argument), "JobSet")
    annotations = dict(jobset["metadata"]["annotations"])
    annotations.pop("trainc.dev/job")
    assert annotations == case.want


@dataclass(frozen=True)
class Substitution:
    __test__ = False
    name: str
    text: str
    own: str = ""
    want: str = ""


SUBSTITUTIONS = [
    Substitution("a variable", "${A}", want="disabled"),
    Substitution("the escape, which only substitution takes away", "$${A}"),
    Substitution("both", "$${A} ${B}", want="disabled"),
    Substitution("asked for", "${A}", own="enabled", want="enabled"),
]


@pytest.mark.parametrize("case", SUBSTITUTIONS, ids=lambda case: case.name)
def test_flux_leaves_variables_alone(case: Substitution) -> None:
    metadata: dict[str, Any] = {"name": "x"}
    if case.own:
        metadata["annotations"] = {SUBSTITUTE: case.own}
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata,
                "data": {"x": case.text}}  # fmt: skip
    (made,) = with_profile([Object(manifest, "x", ("d", "x"))], Profile("flux"))
    assert made.manifest["metadata"].get("annotations", {}).get(SUBSTITUTE, "") == case.want


@pytest.mark.parametrize(("letter", "size"), [("x", 1), ("<", 6), ("é", 2)])
def test_client_side_apply_is_left_where_it_would_fail(letter: str, size: int) -> None:
    """The server counts the annotation that holds the object, and those beside it."""

    def made(count: int) -> Any:
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x",
                    "annotations": {"note": "n" * 100}}, "data": {"x": letter * count}}  # fmt: skip
        (found,) = with_profile([Object(manifest, "x", ("d", "x"))], Profile("argocd"))
        return found.manifest

    most = (256 * 1024 - annotated_size(made(0))) // size
    assert OPTIONS not in made(most)["metadata"]["annotations"]
    assert made(most + 1)["metadata"]["annotations"][OPTIONS] == "ServerSideApply=true"


@pytest.mark.parametrize("profile", ["argocd", "flux"])
def test_nothing_removes_itself_behind_gits_back(profile: str, tmp_path: Path) -> None:
    assert ttls(built(tmp_path)) == 2
    assert ttls(built(tmp_path, "--profile", profile)) == 0
    assert ttls(built(tmp_path, "--profile", profile, "--allow-ttl")) == 2


@pytest.mark.parametrize("profile", ["argocd", "flux"])
def test_no_traces_of_tools(profile: str, tmp_path: Path) -> None:
    objects = built(tmp_path, "--profile", profile, "--emit", "both")
    assert "tracking-id" not in json.dumps(objects)
    job = of_kind(objects, "JobSet")["spec"]["replicatedJobs"][0]
    assert job["template"]["spec"]["template"]["metadata"] == {"labels": {"team": "nlp"}}
    assert job["template"]["metadata"]["labels"]  # what the compiler needs stays


def test_helpers_come_before_the_training(tmp_path: Path) -> None:
    job = JOB.partition("---")[0].replace("{kind: TrainingRuntime, name: own}",
                                          "{name: deepspeed-distributed}")  # fmt: skip
    (tmp_path / "job.yaml").write_text(job)
    done = subprocess.run(
        [sys.executable, "-m", "trainc", "build", "-q", "job.yaml", "--profile", "argocd"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    waves = {
        each["kind"]: int(each["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"])
        for each in yaml.safe_load_all(done.stdout)
    }
    assert waves["ConfigMap"] < waves["JobSet"] == max(waves.values())


def test_a_cache_and_its_job_are_one_wave() -> None:
    """The Secret that the cache's pods mount is minted once the JobSet is there."""
    example = Path(__file__).parents[2] / "examples" / "cache"
    done = subprocess.run(
        [sys.executable, "-m", "trainc", "build", "-q", str(example), "--profile", "argocd"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    waves = {
        each["kind"]: int(each["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"])
        for each in yaml.safe_load_all(done.stdout)
    }
    assert waves["LeaderWorkerSet"] == waves["JobSet"] > waves["ServiceAccount"]


def test_compat_and_a_profile_contradict(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(JOB)
    done = subprocess.run(
        [sys.executable, "-m", "trainc", "build", "--compat", "v2.3.0", "--profile", "flux"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
