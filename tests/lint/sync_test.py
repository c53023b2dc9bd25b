"""Lints on a job that Kueue holds and a tool syncs, and what is done so that none is needed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.gitops.repository import trainc

QUEUE = "kueue.x-k8s.io/queue-name: gpu"
TOLERATION = "tolerations: [{key: acme.com/gpu, operator: Exists}]"
SELECTOR = "nodeSelector: {pool: a}"


def job(metadata: str = "", spec: str = "", trainer: str = "image: 'e.com/t:1'") -> str:
    return f"""\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {{name: llm, namespace: ml{", " + metadata if metadata else ""}}}
spec:
  runtimeRef: {{kind: TrainingRuntime, name: own}}
  activeDeadlineSeconds: 3600
  {spec or "trainer: {" + trainer + "}"}
"""


def runtime(pod: str = "") -> str:
    return f"""\
---
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainingRuntime
metadata: {{name: own, namespace: ml}}
spec:
  mlPolicy: {{torch: {{}}}}
  template:
    spec:
      replicatedJobs:
      - name: node
        template:
          metadata: {{labels: {{trainer.kubeflow.org/trainjob-ancestor-step: trainer}}}}
          spec:
            template:
              spec:
                {pod or "restartPolicy: Never"}
                containers: [{{name: node, image: "example.com/llm:1.0"}}]
"""


PATCH = (
    "runtimePatches: [{manager: acme.com/ml, trainingRuntimeSpec: {template: {spec: "
    "{replicatedJobs: [{name: node, template: {spec: {template: {spec: {%s}}}}}]}}}}]"
)


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    text: str
    flags: tuple[str, ...] = ()
    code: str = ""
    level: str = ""
    says: str = ""


LABELS = f"labels: {{{QUEUE}}}"
FLUX, ARGOCD = ("--profile", "flux"), ("--profile", "argocd")
RENAME, REPLACE = ("--on-change", "rename"), ("--on-change", "replace")
CASES = [
    TestCase("tolerations of the runtime, kept", job(LABELS) + runtime(TOLERATION), FLUX,
             "TRC421", "error", "every reconcile of Flux fails"),
    TestCase("tolerations of a patch, replaced",
             job(LABELS, PATCH % TOLERATION) + runtime(), (*FLUX, *REPLACE),
             "TRC421", "error", "deletes the running job"),
    TestCase("a node selector", job(LABELS) + runtime(SELECTOR), FLUX,
             "TRC421", "error", "affinity.nodeAffinity"),
    TestCase("a priority class alone",
             job("labels: {kueue.x-k8s.io/priority-class: high}") + runtime(SELECTOR), FLUX,
             "TRC421", "error"),
    TestCase("renamed", job(LABELS) + runtime(TOLERATION), (*FLUX, *RENAME)),
    TestCase("not queued", job() + runtime(TOLERATION), FLUX),
    TestCase("without placement", job(LABELS) + runtime(), FLUX),
    TestCase("Argo CD, which is told to ignore both", job(LABELS) + runtime(TOLERATION), ARGOCD),
    TestCase("no tool", job(LABELS) + runtime(TOLERATION), (), "TRC422", "note",
             "applying it again is refused"),
    TestCase("a label for others", job("labels: {team: a}, annotations: {b: c}") + runtime(), (),
             "TRC423", "note", "not on the JobSet: b, team"),
    TestCase("a label for others, beside the TrainJob", job("labels: {team: a}") + runtime(),
             ("--emit", "both")),
    TestCase("the marks of tools",
             job("annotations: {argocd.argoproj.io/tracking-id: a, trainc.dev/x: b}") + runtime()),
    TestCase("suspend: false in a queue", job(LABELS, "suspend: false") + runtime(), (),
             "TRC406", "note", "Kueue alone suspends"),
    TestCase("suspend: true in a queue", job(LABELS, "suspend: true") + runtime(), (),
             "TRC420", "warning", "stopPolicy"),
    TestCase("a queued job beside its TrainJob", job(LABELS) + runtime(), ("--emit", "both"),
             "TRC425", "warning", "trainer.kubeflow.org/trainjob"),
    TestCase("a TrainJob without a queue", job() + runtime(), ("--emit", "both")),
    TestCase("suspend without a queue", job("", "suspend: true") + runtime()),
]  # fmt: skip
OF_THE_CLUSTER = ("TRC425",)  # no line is at fault
OURS = {"TRC406", "TRC420", "TRC421", "TRC422", "TRC423", "TRC424", "TRC425"}


def found(folder: Path, command: str, *flags: str) -> list[Any]:
    done = trainc(folder, command, "--problems", "json", *flags, "job.yaml")
    problems = yaml.safe_load(done.stderr)
    return [each for each in problems if each.get("code") in OURS]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_told(case: TestCase, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(case.text)
    told = found(tmp_path, "validate", *case.flags)
    assert [each["code"] for each in told] == ([case.code] if case.code else [])
    for each in told:
        assert each["severity"] == case.level
        assert each["line"] > 1 or case.code in OF_THE_CLUSTER
        assert case.says in each["message"] + each["hint"]


@pytest.mark.parametrize("case", [each for each in CASES if each.code], ids=lambda case: case.name)
def test_what_a_build_tells(case: TestCase, tmp_path: Path) -> None:
    """Its errors stop a build, and what was left out is told; advice is left to validate."""
    (tmp_path / "job.yaml").write_text(case.text)
    told = [each["code"] for each in found(tmp_path, "build", *case.flags)]
    assert told == ([] if case.code in ("TRC422", "TRC423") else [case.code])
    assert (trainc(tmp_path, "build", *case.flags, "job.yaml").returncode == 1) is (
        case.level == "error"
    )


@pytest.mark.parametrize("command", ["build", "validate"])
def test_a_runtime_that_kueue_wants_is_reported_once(command: str, tmp_path: Path) -> None:
    other = job(LABELS).replace("name: llm", "name: other")
    (tmp_path / "job.yaml").write_text(f"{job(LABELS)}---\n{other}{runtime()}")
    problems = found(tmp_path, command, "--emit", "both")
    assert [(each["code"], each["jobs"]) for each in problems] == [
        ("TRC425", ["ml/llm", "ml/other"])
    ]
    (tmp_path / "trainc.yaml").write_text("rules: {TRC425: off}\n")
    assert found(tmp_path, command, "--emit", "both") == []


def test_a_comment_or_a_level_takes_the_error_away(tmp_path: Path) -> None:
    text = job(LABELS) + runtime(SELECTOR)
    comment = text.replace(SELECTOR, f"{SELECTOR}  # trainc: ignore[TRC421] no nodeLabels here")
    (tmp_path / "job.yaml").write_text(comment)
    assert trainc(tmp_path, "build", *FLUX, "job.yaml").returncode == 0
    (tmp_path / "job.yaml").write_text(text)
    (tmp_path / "trainc.yaml").write_text("profile: flux\nrules: {TRC421: off}\n")
    assert trainc(tmp_path, "build").returncode == 0


def jobset(folder: Path, text: str, *flags: str) -> Any:
    (folder / "job.yaml").write_text(text)
    done = trainc(folder, "build", *flags, "job.yaml")
    assert done.returncode == 0, done.stderr
    (made,) = (each for each in yaml.safe_load_all(done.stdout) if each["kind"] == "JobSet")
    return made


ONCE = "kustomize.toolkit.fluxcd.io/ssa"


@pytest.mark.parametrize("pod", [TOLERATION, SELECTOR])
def test_flux_applies_a_placed_job_of_a_queue_once(pod: str, tmp_path: Path) -> None:
    """Then its name follows all that is printed, so that no change is left unapplied."""
    flags = (*FLUX, *RENAME)
    text = job(LABELS) + runtime(pod)
    first = jobset(tmp_path, text, *flags)
    assert first["metadata"]["annotations"][ONCE] == "IfNotPresent"
    seen = {first["metadata"]["name"]}
    others = [
        text.replace("queue-name: gpu", "queue-name: other"),
        text.replace(LABELS, f"{LABELS}, annotations: {{provreq.kueue.x-k8s.io/x: a}}"),
        job(LABELS, PATCH % "nodeSelector: {zone: b}") + runtime(pod),
        job(LABELS, PATCH % "affinity: {nodeAffinity: {}}") + runtime(pod),
        text.replace("e.com/t:1", "e.com/t:2"),
        text.replace("key: acme.com/gpu", "key: x").replace("pool: a", "pool: b"),
    ]
    for other in others:
        seen.add(jobset(tmp_path, other, *flags)["metadata"]["name"])
    assert len(seen) == 1 + len(others)


def test_other_jobs_are_applied_as_ever(tmp_path: Path) -> None:
    """A change of suspend, a label or a queue still reaches them under their name."""
    for text in (job(LABELS) + runtime(), job() + runtime(TOLERATION)):
        made = jobset(tmp_path, text, *FLUX, *RENAME)
        assert ONCE not in made["metadata"]["annotations"]
        labelled = text.replace("namespace: ml", "namespace: ml, annotations: {a: b}", 1)
        again = jobset(tmp_path, labelled, *FLUX, *RENAME)
        assert again["metadata"]["name"] == made["metadata"]["name"]


METADATA = (
    "labels: {kueue.x-k8s.io/queue-name: dws, team: a}, annotations: {"
    "provreq.kueue.x-k8s.io/maxRunDurationSeconds: '3600', "
    "argocd.argoproj.io/sync-options: 'Prune=false', argocd.argoproj.io/sync-wave: '5', "
    "argocd.argoproj.io/tracking-id: 'x:y', kustomize.toolkit.fluxcd.io/prune: disabled, "
    "kustomize.toolkit.fluxcd.io/substitute: enabled, kustomize.toolkit.fluxcd.io/name: x, "
    "reconcile.fluxcd.io/requestedAt: now, acme.com/note: hello}"
)
REACHES = {
    "provreq.kueue.x-k8s.io/maxRunDurationSeconds": "3600",
    "argocd.argoproj.io/sync-options": "Prune=false",
    "argocd.argoproj.io/sync-wave": "5",
    "kustomize.toolkit.fluxcd.io/prune": "disabled",
    "kustomize.toolkit.fluxcd.io/substitute": "enabled",
    "reconcile.fluxcd.io/requestedAt": "now",
}


@pytest.mark.parametrize("profile", ["none", "argocd", "flux"])
def test_settings_for_those_who_see_the_jobset_reach_it(profile: str, tmp_path: Path) -> None:
    text = job(METADATA, "managedBy: kueue.x-k8s.io/multikueue") + runtime()
    text = text.replace('example.com/llm:1.0"', "example.com/llm:1.0\", args: ['${A}']")
    made = jobset(tmp_path, text, "--profile", profile)
    annotations = dict(made["metadata"]["annotations"])
    assert annotations.pop("trainc.dev/job")
    if profile == "argocd":
        options = annotations["argocd.argoproj.io/sync-options"].split(",")
        assert options[0] == "Prune=false"
        annotations["argocd.argoproj.io/sync-options"] = options[0]
    assert annotations == REACHES
    assert made["metadata"]["labels"] == {
        "app.kubernetes.io/managed-by": "trainc", "kueue.x-k8s.io/queue-name": "dws"}  # fmt: skip
    assert made["spec"]["managedBy"] == "kueue.x-k8s.io/multikueue"


def test_the_users_value_goes_before_the_profiles(tmp_path: Path) -> None:
    text = job("annotations: {kustomize.toolkit.fluxcd.io/force: disabled}") + runtime()
    made = jobset(tmp_path, text, *FLUX, *REPLACE)
    assert made["metadata"]["annotations"]["kustomize.toolkit.fluxcd.io/force"] == "disabled"


def test_the_reference_keeps_them_on_the_trainjob(tmp_path: Path) -> None:
    made = jobset(tmp_path, job(METADATA) + runtime(), "--compat", "v2.3.0")
    assert made["metadata"] == {"name": "llm", "namespace": "ml"}
