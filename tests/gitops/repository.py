"""The sample repository: twelve TrainJobs, every policy, two environments; and the command line."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

POLICIES = {
    "torch": "torch: {}",
    "jax": "jax: {}",
    "mpi": "mpi: {numProcPerNode: 2, mpiImplementation: OpenMPI, sshAuthMountPath: /root/.ssh}",
    "xgboost": "xgboost: {}",
    "flux": "flux: {}",
}
PROJECT = """\
sources: [jobs]
default_env: dev
output: out
values: {image: example.com/sweep:1.0, rates: ["0.1", "0.01"]}
"""
SWEEP = """\
{% import "templates/_names.j2" as names %}
{% for rate in values.rates %}
---
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata:
  name: {{ names.job(loop.index) }}
spec:
  runtimeRef: {name: own-torch}
  trainer:
    image: {{ values.image }}
    numNodes: {{ values.nodes }}
    args: ["--lr={{ rate }}"]
{% endfor %}
"""
NAMES = "{% macro job(n) %}\nsweep-{{ n }}\n{%- endmacro %}\n"
PROD = """\
target: {labelSelector: team=vision}
patch:
  spec:
    trainer:
      image: example.com/vision:prod
      command: [torchrun, prod.py]
      args: [--prod]
      resourcesPerNode: {limits: {nvidia.com/gpu: 8}}
      env: [{name: DEBUG, $patch: delete}, {name: TIER, value: prod}]
---
target: {kind: TrainJob, name: job-jax}
patch: [{op: replace, path: /spec/trainer/numNodes, value: 4}]
---
apiVersion: trainer.kubeflow.org/v1alpha1
kind: ClusterTrainingRuntime
metadata: {name: own-torch}
spec:
  template:
    spec:
      replicatedJobs:
        - name: node
          template: {spec: {template: {spec: {nodeSelector: {pool: gpu}}}}}
"""


def runtime(name: str, policy: str, gang: str = "") -> str:
    group = f"  podGroupPolicy: {gang}\n" if gang else ""
    return f"""\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: ClusterTrainingRuntime
metadata: {{name: own-{name}}}
spec:
  mlPolicy:
    numNodes: 1
    {policy}
{group}  template:
    spec:
      replicatedJobs:
        - name: node
          template:
            metadata: {{labels: {{trainer.kubeflow.org/trainjob-ancestor-step: trainer}}}}
            spec:
              template:
                spec:
                  containers: [{{name: node, image: "example.com/{name}:1.0"}}]
"""


def job(name: str, runtime: str, labels: str = "team: other") -> str:
    return f"""\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata:
  name: {name}
  labels: {{{labels}}}
spec:
  runtimeRef: {{name: {runtime}}}
  trainer:
    image: example.com/train:1.0
    numNodes: 2
    args: [--lr=1]
    env:
      - {{name: DEBUG, value: "1"}}
      - {{name: KEEP, value: "1"}}
"""


def repository(root: Path) -> Path:
    """Writes the repository and returns its root."""
    files = {
        "trainc.yaml": PROJECT,
        "templates/sweep.yaml.j2": SWEEP,
        "templates/_names.j2": NAMES,
        "overlays/base/overlay.yaml": "abstract: true\n",
        "overlays/base/values.yaml": "nodes: 1\n",
        "overlays/dev/overlay.yaml": "extends: base\n",
        "overlays/prod/overlay.yaml": "extends: [base]\n",
        "overlays/prod/values.yaml": "nodes: 3\n",
        "overlays/prod/patches.yaml": PROD,
        "runtimes/plain.yaml": runtime("plain", "").replace("    \n", ""),
        "runtimes/gang.yaml": runtime("gang", "torch: {}", "{coscheduling: {}}"),
        "runtimes/volcano.yaml": runtime("volcano", "torch: {}", "{volcano: {}}"),
        "jobs/tune.yaml": job("tune", "torchtune-qwen2.5-1.5b").replace("    numNodes: 2\n", "")
        .replace("    args: [--lr=1]\n", "    command: [tune, run]\n"),
        "jobs/vision.yaml": job("vision", "own-torch", "team: vision"),
    }  # fmt: skip
    for name, policy in POLICIES.items():
        files[f"runtimes/{name}.yaml"] = runtime(name, policy)
        files[f"jobs/{name}.yaml"] = job(f"job-{name}", f"own-{name}")
    for name in ("plain", "gang", "volcano"):
        files[f"jobs/{name}.yaml"] = job(f"job-{name}", f"own-{name}")
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def trainc(
    root: Path, *args: str, stdin: str | None = None, **env: str
) -> "subprocess.CompletedProcess[str]":
    """Runs the command line in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "trainc", *args],
        cwd=root, input=stdin, capture_output=True, text=True, check=False,
        env={**os.environ, **env},
    )  # fmt: skip


def write(name: str, text: str) -> Callable[[Path], object]:
    """A change that writes a file."""

    def change(root: Path) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)

    return change


def edit(name: str, old: str, new: str) -> Callable[[Path], object]:
    """A change of a text in a file that holds it."""

    def change(root: Path) -> None:
        text = (root / name).read_text()
        assert old in text
        (root / name).write_text(text.replace(old, new))

    return change
