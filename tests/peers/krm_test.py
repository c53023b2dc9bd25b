"""``trainc krm``: the contract of KRM functions, and a real ``kustomize build`` that runs it."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.peers.programs import program
from tests.tools import KUSTOMIZE

JOB = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata:
  name: llm
  annotations: {mine: kept}
spec:
  runtimeRef: {name: own}
  trainer:
    numNodes: 2
    image: example.com/llm:1.0
    env: [{name: FLAG, value: "yes"}]
"""
RUNTIME = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: ClusterTrainingRuntime
metadata: {name: own}
spec:
  mlPolicy: {torch: {}}
  template:
    spec:
      replicatedJobs:
      - name: node
        template:
          metadata:
            labels: {trainer.kubeflow.org/trainjob-ancestor-step: trainer}
          spec:
            template:
              spec:
                containers: [{name: node, image: "example.com/llm:1.0"}]
"""
OTHER = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: other  # stays
data:
  script: |
    #!/bin/sh

    echo "a: b"
"""


def listed(*items: str, config: str = "", indent: str = "") -> str:
    """A ResourceList of these objects."""
    text = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n"
    for item in items:
        first, *rest = item.splitlines()
        text += f"{indent}- {first}\n" + "".join(f"{indent}  {line}\n" if line else "\n"
                                                for line in rest)  # fmt: skip
    if config:
        text += "functionConfig:\n" + "".join(f"  {line}\n" for line in config.splitlines())
    return text


def krm(text: str, *args: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "trainc", "krm", *args]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


def at(item: str, path: str, index: int) -> str:
    notes = f"{{mine: kept, internal.config.kubernetes.io/path: {path}, " \
            f"internal.config.kubernetes.io/index: '{index}', config.kubernetes.io/path: {path}}}"  # fmt: skip # noqa: E501
    if "  annotations: {mine: kept}" in item:
        return item.replace("{mine: kept}", notes)
    return item.replace("{name: own}", f"{{name: own, annotations: {notes}}}")


def answered(text: str) -> dict[str, Any]:
    done = krm(text)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = yaml.safe_load(done.stdout)
    return found


@pytest.mark.parametrize("indent", ["", "  "])
def test_jobs_are_compiled_runtimes_used_and_others_kept(indent: str) -> None:
    done = krm(listed(OTHER, JOB, RUNTIME, indent=indent))
    assert (done.returncode, done.stderr) == (0, "")
    found = yaml.safe_load(done.stdout)
    assert [item["kind"] for item in found["items"]] == ["ConfigMap", "JobSet"]
    assert found["items"][0] == yaml.safe_load(OTHER)
    assert "name: other  # stays" in done.stdout
    assert "results" not in found


def test_a_list_in_flow_style_is_read_too() -> None:
    job = yaml.safe_load(JOB.replace("{name: own}", "{name: torch-distributed}"))
    items = [job, yaml.safe_load(OTHER)]
    given = {"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": items}
    found = answered(json.dumps(given))
    assert [item["kind"] for item in found["items"]] == ["JobSet", "ConfigMap"]
    assert found["items"][1] == yaml.safe_load(OTHER)


def test_an_anchor_of_what_is_taken_out_is_not_lost() -> None:
    job = JOB.replace("{name: own}", "&runtime {name: torch-distributed}")
    found = answered(listed(job, f"{OTHER}  ref: *runtime\n"))
    assert found["items"][1]["data"]["ref"] == {"name": "torch-distributed"}


def test_what_comes_out_goes_in_again() -> None:
    once = krm(listed(OTHER, JOB, RUNTIME)).stdout
    assert krm(once).stdout == once


def test_objects_belong_to_the_file_of_their_job() -> None:
    found = answered(listed(at(JOB, "jobs/llm.yaml", 3), at(RUNTIME, "own.yaml", 0)))
    (jobset,) = found["items"]
    notes = jobset["metadata"]["annotations"]
    assert notes["internal.config.kubernetes.io/path"] == "jobs/llm.yaml"
    assert notes["config.kubernetes.io/path"] == "jobs/llm.yaml"
    assert int(notes["internal.config.kubernetes.io/index"]) > 3
    assert "mine" not in notes
    pod = jobset["spec"]["replicatedJobs"][0]["template"]["spec"]["template"]
    assert "config.kubernetes.io" not in yaml.dump(pod)


def test_jobs_of_one_name_in_two_namespaces_stay_apart_whatever_they_are_called() -> None:
    jobs = [JOB.replace("name: llm\n", f"name: llm\n  namespace: {name}\n", 1) for name in "ab"]
    config = "apiVersion: trainc.dev/v1\nkind: TrainBuild\nspec: {onChange: rename}\n"
    found = answered(listed(*(at(job, f"{n}.yaml", 0) for n, job in enumerate(jobs)), RUNTIME,
                            config=config))  # fmt: skip
    paths = {
        each["metadata"]["namespace"]: each["metadata"]["annotations"][
            "internal.config.kubernetes.io/path"
        ]
        for each in found["items"]
    }
    assert paths == {"a": "0.yaml", "b": "1.yaml"}
    assert all(each["metadata"]["name"].startswith("llm-") for each in found["items"])


def test_results_name_object_field_and_file() -> None:
    bad = at(JOB, "jobs/llm.yaml", 1).replace("numNodes: 2", "numNodes: two")
    warned = JOB.replace("llm", "other").replace(":1.0", "")
    done = krm(listed(OTHER, bad, RUNTIME, warned))
    assert done.returncode == 1
    assert "jobs/llm.yaml: error: spec.trainer.numNodes" in done.stderr
    found = yaml.safe_load(done.stdout)
    assert [item["kind"] for item in found["items"]] == [
        "ConfigMap", "TrainJob", "ClusterTrainingRuntime", "TrainJob"]  # fmt: skip
    error, warning = sorted(found["results"], key=lambda result: result["severity"])
    assert error["severity"] == "error"
    assert error["field"] == {"path": "spec.trainer.numNodes"}
    assert error["file"] == {"path": "jobs/llm.yaml", "index": 1}
    assert error["resourceRef"] == {
        "apiVersion": "trainer.kubeflow.org/v1alpha1", "kind": "TrainJob", "name": "llm"}  # fmt: skip # noqa: E501
    assert (warning["severity"], warning["tags"]) == ("warning", {"code": "TRC302"})
    assert "file" not in warning


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ((JOB, JOB, RUNTIME), "TrainJob 'llm' of namespace default is defined twice"),
        ((JOB, RUNTIME, RUNTIME), "ClusterTrainingRuntime 'own' is defined twice"),
    ],
    ids=["jobs", "runtimes"],
)
def test_two_of_one_name_are_told_once(items: tuple[str, ...], message: str) -> None:
    done = krm(listed(*items))
    assert done.returncode == 1
    results = yaml.safe_load(done.stdout)["results"]
    (error,) = [each for each in results if each["severity"] == "error"]
    assert message in error["message"]


def test_a_comment_takes_a_finding_away() -> None:
    text = listed(JOB.replace(":1.0", "  # trainc: ignore[TRC302] pinned by mirror"), RUNTIME)
    assert "results" not in answered(text)


@dataclass(frozen=True)
class Config:
    __test__ = False
    name: str
    config: str
    status: int
    says: str


BUILD = "apiVersion: trainc.dev/v1\nkind: TrainBuild\nmetadata: {name: b}\nspec: "
CONFIGS = [
    Config("a profile", f"{BUILD}{{profile: argocd}}", 0, "argocd.argoproj.io/sync-wave"),
    Config("a namespace", f"{BUILD}{{namespace: ml}}", 0, "namespace: ml"),
    Config("rename", f"{BUILD}{{onChange: rename}}", 0, "name: llm-"),
    Config("both", f"{BUILD}{{emit: both}}", 0, "kind: TrainJob"),
    Config("kpt's way", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n"
           "data: {profile: flux, namespace: ml}", 0, "namespace: ml"),
    Config("of somebody else", "apiVersion: v1\nkind: Other\nspec: {x: 1}", 0, "kind: JobSet"),
    Config("a misspelt kind", BUILD.replace("Build", "Builds") + "{profile: flux}", 1,
           "write kind: TrainBuild"),
    Config("no namespace", f"{BUILD}{{namespace: A b}}", 1, "must be a-z, 0-9"),
    Config("empty", BUILD, 0, "kind: JobSet"),
    Config("unknown", f"{BUILD}{{profil: argocd}}", 1, "did you mean profile?"),
    Config("a wrong choice", f"{BUILD}{{emit: all}}", 1, "must be one of both, jobset"),
    Config("no map", f"{BUILD}[a]", 1, "must be a map"),
    Config("no text", f"{BUILD}{{namespace: 1}}", 1, "must be text"),
    Config("no list", f"{BUILD}{{features: {{a: b}}}}", 1, "must be a list of names"),
    Config("no such feature", f"{BUILD}{{features: [Nope]}}", 1, 'no feature is called "Nope"'),
    Config("replace for nobody", f"{BUILD}{{onChange: replace}}", 1, "replace needs a profile"),
]  # fmt: skip


@pytest.mark.parametrize("case", CONFIGS, ids=lambda case: case.name)
def test_the_config_says_how(case: Config) -> None:
    done = krm(listed(JOB, RUNTIME, config=case.config))
    assert done.returncode == case.status, done.stderr
    assert case.says in done.stdout


def test_a_job_may_be_the_config() -> None:
    found = answered(listed(RUNTIME, config=JOB))
    assert [item["kind"] for item in found["items"]] == ["JobSet"]


@dataclass(frozen=True)
class Refused:
    __test__ = False
    name: str
    text: str
    says: str


REFUSED = [
    Refused("nothing", "", "nothing to read"),
    Refused("an object", JOB, "no ResourceList, but TrainJob"),
    Refused("two", f"{listed(JOB)}---\n{listed(JOB)}", "2 documents"),
    Refused("no YAML", "\t{", "<stdin>:1"),
    Refused("no list", "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: 1\n",
            "<stdin>:3:1: error: items: must be a list"),
    Refused("no objects", "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: [1]\n",
            "must be an object"),
    Refused("a config that is none", f"{listed(JOB)}functionConfig: 5\n",
            "error: functionConfig: must be an object"),
    Refused("another version", "apiVersion: example.com/v1\nkind: ResourceList\n",
            "unknown version"),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_what_is_no_list_is_told(case: Refused) -> None:
    done = krm(case.text)
    assert (done.returncode, done.stdout) == (1, "")
    assert case.says in done.stderr


def test_no_items_are_no_objects() -> None:
    empty = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n"
    assert answered(empty)["items"] == []


FUNCTION = """\
apiVersion: trainc.dev/v1
kind: TrainBuild
metadata:
  name: build
  annotations:
    config.kubernetes.io/function: |
      exec: {path: ./function}
spec: {profile: argocd, namespace: ml}
"""


PATCHED = """\
resources: [job.yaml, runtime.yaml, other.yaml]
patches:
- target: {kind: TrainJob}
  patch: |
    - {op: replace, path: /spec/trainer/numNodes, value: 5}
"""


@pytest.fixture
def kustomization(tmp_path: Path) -> Path:
    files = {
        "kustomization.yaml": "resources: [job.yaml, runtime.yaml, other.yaml]\n"
        "transformers: [build.yaml]\n",
        "job.yaml": JOB,
        "runtime.yaml": RUNTIME,
        "other.yaml": OTHER,
        "build.yaml": FUNCTION,
        "function": f'#!/bin/sh\nexec {sys.executable} -m trainc krm "$@"\n',
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "function").chmod(0o755)
    return tmp_path


def kustomize(folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [program(KUSTOMIZE), "build", "--enable-alpha-plugins", "--enable-exec", "."]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.programs
def test_kustomize_runs_it(kustomization: Path) -> None:
    done = kustomize(kustomization)
    assert done.returncode == 0, done.stderr
    found = {item["kind"]: item for item in yaml.safe_load_all(done.stdout)}
    assert set(found) == {"ConfigMap", "JobSet"}
    assert found["ConfigMap"] == yaml.safe_load(OTHER)
    command = [sys.executable, "-m", "trainc", "build", "--profile", "argocd", "--namespace", "ml",
               "job.yaml", "runtime.yaml"]  # fmt: skip
    built = subprocess.run(command, cwd=kustomization, capture_output=True, text=True, check=True)
    assert found["JobSet"] == yaml.safe_load(built.stdout)


@pytest.mark.programs
def test_kustomize_can_change_a_job_before_it_is_compiled(kustomization: Path) -> None:
    (kustomization / "base").mkdir()
    for name in ("job.yaml", "runtime.yaml", "other.yaml"):
        (kustomization / name).rename(kustomization / "base" / name)
    (kustomization / "base" / "kustomization.yaml").write_text(PATCHED)
    (kustomization / "kustomization.yaml").write_text(
        "resources: [base]\ntransformers: [build.yaml]\n"
    )
    done = kustomize(kustomization)
    assert done.returncode == 0, done.stderr
    jobset = next(each for each in yaml.safe_load_all(done.stdout) if each["kind"] == "JobSet")
    assert jobset["spec"]["replicatedJobs"][0]["template"]["spec"]["parallelism"] == 5


@pytest.mark.programs
def test_a_prefix_beside_the_function_reaches_the_addresses(kustomization: Path) -> None:
    (kustomization / "job.yaml").write_text(JOB.replace("own", "torch-distributed"))
    place = kustomization / "kustomization.yaml"
    place.write_text(f"{place.read_text()}namePrefix: team-\n")
    done = kustomize(kustomization)
    assert done.returncode == 0, done.stderr
    assert "value: team-llm-node-0-0.team-llm" in done.stdout


@pytest.mark.programs
def test_kustomize_stops_at_an_error_and_tells_it(kustomization: Path) -> None:
    (kustomization / "job.yaml").write_text(JOB.replace("numNodes: 2", "numNodes: two"))
    done = kustomize(kustomization)
    assert done.returncode != 0
    assert "spec.trainer.numNodes" in done.stderr
    assert not done.stdout
