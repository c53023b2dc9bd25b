"""What a changed job becomes, by strategy: one argument changes, then ``suspend``."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.gitops.repository import job, runtime, trainc


def built(root: Path, *args: str) -> list[dict[str, Any]]:
    done = trainc(root, "build", "job.yaml", *args)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def names(objects: list[dict[str, Any]]) -> set[str]:
    return {each["metadata"]["name"] for each in objects}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "trainc.yaml").write_text("")
    (tmp_path / "runtimes").mkdir()
    policy = "mpi: {mpiImplementation: OpenMPI, sshAuthMountPath: /root/.ssh}"
    (tmp_path / "runtimes/mpi.yaml").write_text(runtime("mpi", policy))
    (tmp_path / "job.yaml").write_text(job("train", "own-mpi"))
    return tmp_path


def change(root: Path, old: str, new: str) -> None:
    path = root / "job.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_keep_changes_the_object_in_place(root: Path) -> None:
    before = names(built(root))
    change(root, "--lr=1", "--lr=2")
    assert names(built(root)) == before == {"train", "train-mpi-hostfile"}


def test_rename_makes_a_changed_job_another_one_and_a_suspended_one_the_same(root: Path) -> None:
    first = built(root, "--on-change", "rename")
    change(root, "  trainer:", "  suspend: true\n  trainer:")
    assert names(built(root, "--on-change", "rename")) == names(first)
    change(root, "labels: {", "labels: {moved: again, ")
    (root / "job.yaml").rename(root / "other.yaml")
    (root / "job.yaml").symlink_to("other.yaml")
    assert names(built(root, "--on-change", "rename")) == names(first)
    change(root, "--lr=1", "--lr=2")
    second = built(root, "--on-change", "rename")
    assert not names(second) & names(first)


def test_rename_reaches_what_is_made_from_the_name(root: Path) -> None:
    objects = built(root, "--on-change", "rename")
    jobset = next(each for each in objects if each["kind"] == "JobSet")
    name = jobset["metadata"]["name"]
    assert name.startswith("train-") and len(name) == len("train-") + 8
    hostfile = next(each for each in objects if each["kind"] == "ConfigMap")
    assert hostfile["metadata"]["name"] == f"{name}-mpi-hostfile"
    assert f"{name}-node-0-0.{name}" in hostfile["data"]["hostfile"]
    assert f"{name}-mpi-ssh-auth" in yaml.dump(jobset)


def test_a_long_name_is_cut_so_that_every_pod_name_fits(root: Path) -> None:
    change(root, "name: train\n", f"name: {'t' * 50}\n")
    change(root, "numNodes: 2", "numNodes: 1000")
    jobset = next(e for e in built(root, "--on-change", "rename") if e["kind"] == "JobSet")
    assert len(f"{jobset['metadata']['name']}-node-0-999-abcde") == 63


def test_replace_tells_the_tool(root: Path) -> None:
    key = "kustomize.toolkit.fluxcd.io/force"
    for each in built(root, "--on-change", "replace", "--profile", "flux"):
        given = each["metadata"].get("annotations", {}).get(key, "")
        assert ("enabled" in given) is (each["kind"] == "JobSet")


@pytest.mark.parametrize("is_project", [False, True])
def test_replace_with_argo_cd_is_refused_and_names_rename(root: Path, is_project: bool) -> None:
    flags = ["--on-change", "replace", "--profile", "argocd"]
    if is_project:
        (root / "trainc.yaml").write_text("profile: argocd\non_change: replace\n")
        flags = []
    done = trainc(root, "build", "job.yaml", *flags)
    assert (done.returncode, done.stdout) == (1, "")
    assert "rename" in done.stderr and "[TRC424]" in done.stderr
    assert ("trainc.yaml:2:1" in done.stderr) is is_project


def test_replace_without_a_tool_is_refused(root: Path) -> None:
    done = trainc(root, "build", "job.yaml", "--on-change", "replace")
    assert done.returncode == 2
    assert "--profile" in done.stderr


@pytest.mark.parametrize("strategy", ["keep", "rename"])
def test_generate_name_is_refused_with_a_remedy(root: Path, strategy: str) -> None:
    change(root, "name: train\n", "generateName: train-\n")
    done = trainc(root, "build", "job.yaml", "--on-change", strategy)
    assert done.returncode == 1
    assert "metadata.name" in done.stderr
    assert "hint" in done.stderr


def test_names_that_are_cut_alike_are_refused(root: Path) -> None:
    """Two jobs of one name would be one file, and the first of them gone."""
    text = (root / "job.yaml").read_text()
    name = "an-experiment-whose-name-is-very-long-indeed"
    for number in (1, 2):
        own = text.replace("name: train\n", f"name: {name}-{number}\n", 1)
        (root / f"job{number}.yaml").write_text(own)
    done = trainc(root, "build", "job1.yaml", "job2.yaml", "--on-change", "rename")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"TrainJob default/{name}-1 and default/{name}-2" in done.stderr
    assert "rename one of them" in done.stderr


def test_long_names_that_are_cut_alike_are_told_at_the_latter(tmp_path: Path) -> None:
    for number in (1, 2):
        text = job("x", "torch-distributed").replace("name: x", f"name: {'a' * 45}-{number}")
        (tmp_path / f"{number}.yaml").write_text(text)
    done = trainc(tmp_path, "build", "--on-change", "rename", ".")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("2.yaml:4:3: error: metadata.name: JobSet default/aaa")
    assert "would be made twice" in done.stderr
