"""``others:`` of trainc.yaml: what becomes of documents that are not compiled."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

JOB = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {name: bert, namespace: nlp}
spec:
  runtimeRef: {name: torch-distributed}
  trainer: {numNodes: 2, image: example.com/bert:1}
"""
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: '1'}\n"
QUEUE = (
    "apiVersion: kueue.x-k8s.io/v1beta2\nkind: LocalQueue\nmetadata: {name: gpu}\n"
    "spec: {clusterQueue: a}\n"
)
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: nlp}\n"
CLAIM = (
    "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data, namespace: nlp}\n"
    "spec: {accessModes: [ReadWriteMany], resources: {requests: {storage: 1Gi}}}\n"
)
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {key: hunter2}\n"
PATCH = "target: {kind: ConfigMap, name: settings}\npatch: {data: {a: '2'}}\n"
# A name that a TrainJob's own object has.
HOSTFILE = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: mpi-mpi-hostfile, namespace: nlp}
data: {}
"""
MPI = JOB.replace("name: bert,", "name: mpi,").replace("torch-distributed", "deepspeed-distributed")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "trainc.yaml").write_text("others: keep\nnamespace: team\n")
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs/job.yaml").write_text(JOB)
    return tmp_path


def trainc(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "trainc", *arguments], cwd=folder, capture_output=True, text=True
    )


def write(project: Path, *documents: str) -> None:
    (project / "jobs/others.yaml").write_text("---\n".join(documents))


def test_kept_objects_stand_before_the_jobs(project: Path) -> None:
    write(project, QUEUE, CLAIM, CONFIG, NAMESPACE)
    out = trainc(project, "build")
    assert (out.returncode, out.stderr) == (0, "")
    objects = list(yaml.safe_load_all(out.stdout))
    assert [(o["kind"], o["metadata"].get("namespace")) for o in objects] == [
        ("Namespace", None),
        ("ConfigMap", "team"),
        ("PersistentVolumeClaim", "nlp"),
        ("LocalQueue", "team"),
        ("JobSet", "nlp"),
    ]
    assert trainc(project, "build").stdout == out.stdout


def test_patches_of_an_environment_reach_them(project: Path) -> None:
    write(project, CONFIG)
    (project / "overlays/prod").mkdir(parents=True)
    (project / "overlays/prod/a.yaml").write_text(PATCH)
    (project / "overlays/prod/b.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {b: x}\n"
    )
    config, _ = yaml.safe_load_all(trainc(project, "build", "--env", "prod").stdout)
    assert config["data"] == {"a": "2", "b": "x"}


def test_the_output_folder_treats_them_like_jobs(project: Path) -> None:
    write(project, CONFIG, NAMESPACE)
    assert trainc(project, "build", "--out-dir", "out").returncode == 0
    assert trainc(project, "check").returncode == 0
    file = project / "out/team/configmap-settings.yaml"
    assert (project / "out/_cluster/namespace-nlp.yaml").exists()
    part = trainc(project, "build", "--out-dir", "out", "-v", "jobs/job.yaml")
    assert "2 of other sources kept" in part.stderr
    write(project, NAMESPACE)
    assert trainc(project, "check").returncode == 1
    assert trainc(project, "build", "--out-dir", "out").returncode == 0
    assert not file.exists()


@dataclass(frozen=True)
class Refused:
    __test__ = False
    name: str
    documents: tuple[str, ...]
    message: str
    setting: str = "keep"


REFUSED = [
    Refused("a Secret as text", (SECRET,), "jobs/others.yaml:2:1: error: kind: a Secret is not"),
    Refused("no name", (CONFIG.replace("name: settings", "labels: {}"),),
            "error: metadata.name: must be set"),
    Refused("twice", (CONFIG, CONFIG), "is the ConfigMap 'settings' too"),
    Refused("made by a job", (MPI, HOSTFILE), "TrainJob nlp/mpi makes the ConfigMap"),
    Refused("refused", (CONFIG,), "is no TrainJob and no runtime, but a ConfigMap", "refuse"),
    Refused("a claim, refused", (CLAIM,), "but a PersistentVolumeClaim", "refuse"),
    Refused("another setting", (CONFIG,), "trainc.yaml:1:1: error: others: ", "drop"),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_what_cannot_be_kept_is_refused(case: Refused, project: Path) -> None:
    (project / "trainc.yaml").write_text(f"others: {case.setting}\nnamespace: team\n")
    write(project, *case.documents)
    out = trainc(project, "build")
    assert (out.returncode, out.stdout) == (1, "")
    assert case.message in out.stderr
    assert "hunter2" not in out.stderr


def test_an_encrypted_secret_is_kept(project: Path) -> None:
    write(project, SECRET + "sops: {mac: x}\n")
    assert "hunter2" in trainc(project, "build").stdout


def test_by_default_they_are_noted(project: Path) -> None:
    (project / "trainc.yaml").write_text("")
    write(project, CONFIG)
    out = trainc(project, "build")
    assert out.returncode == 0
    assert "ConfigMap" not in out.stdout
    assert "jobs/others.yaml:1:1: note: passed over" in out.stderr


def test_what_kustomize_reads_is_no_object(project: Path) -> None:
    write(project, "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n")
    out = trainc(project, "build")
    assert out.returncode == 0
    assert "Kustomization" not in out.stdout


@pytest.mark.parametrize(("profile", "want"), [("argocd", True), ("flux", False)])
def test_the_profile_leaves_their_wave_alone(project: Path, profile: str, want: bool) -> None:
    write(project, QUEUE, CONFIG)
    objects = list(yaml.safe_load_all(trainc(project, "build", "--profile", profile).stdout))
    config, queue, _ = (each["metadata"].get("annotations", {}) for each in objects)
    assert config == {}
    assert ("argocd.argoproj.io/sync-options" in queue) is want  # its definition may come later
    assert ("argocd.argoproj.io/sync-wave" in objects[2]["metadata"]["annotations"]) is want
