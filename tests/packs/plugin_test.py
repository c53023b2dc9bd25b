"""The contract of Argo CD's plugins: what the process is given, and what it must print."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

JOB = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {name: llm}
spec:
  runtimeRef: {name: torch-distributed}
  trainer: {numNodes: 2, image: "example.com/llm:1.0"}
"""


def plugin(folder: Path, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "trainc", "argocd", *args], cwd=folder,
                          capture_output=True, text=True, env={**os.environ, **env})  # fmt: skip


def repository(folder: Path) -> Path:
    (folder / "trainc.yaml").write_text("")
    (folder / "job.yaml").write_text(JOB)
    return folder


def parameters(*given: dict[str, Any]) -> str:
    return json.dumps(given)


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    env: dict[str, str] = field(default_factory=dict)
    namespace: str = "default"
    refused: str = ""


CASES = [
    TestCase("nothing given"),
    TestCase("what every plugin is given", {"ARGOCD_APP_NAME": "llm", "KUBE_VERSION": "1.35",
             "ARGOCD_APP_PARAMETERS": "[]", "PARAM_X": "1", "ARGOCD_ENV_OTHER": "x"}),
    TestCase("a variable", {"ARGOCD_ENV_TRAINC_NAMESPACE": "ml"}, namespace="ml"),
    TestCase("a parameter goes before it", {"ARGOCD_ENV_TRAINC_NAMESPACE": "ml",
             "ARGOCD_APP_PARAMETERS": parameters({"name": "namespace", "string": "nlp"})},
             namespace="nlp"),
    TestCase("unknown", {"ARGOCD_APP_PARAMETERS": parameters({"name": "secrets", "string": "x"})},
             refused='no parameter is called "secrets"'),
    TestCase("wrong type", {"ARGOCD_APP_PARAMETERS": parameters({"name": "namespace",
             "array": ["x"]})}, refused='must have a field "string"'),
    TestCase("no parameters, as Argo CD says it", {"ARGOCD_APP_PARAMETERS": "null"}),
    TestCase("no JSON", {"ARGOCD_APP_PARAMETERS": "namespace=x"}, refused="is no JSON"),
    TestCase("no end", {"ARGOCD_APP_PARAMETERS": "[" * 100_000}, refused="is no JSON"),
    TestCase("a map", {"ARGOCD_APP_PARAMETERS": "{}"}, refused="must be a list of objects"),
    TestCase("a number", {"ARGOCD_APP_PARAMETERS": "[1]"}, refused="must be a list of objects"),
    TestCase("a number as name", {"ARGOCD_APP_PARAMETERS": parameters({"name": 1})},
             refused="must be a list of objects"),
    TestCase("a number as text", {"ARGOCD_APP_PARAMETERS": parameters({"name": "namespace",
             "string": 5})}, refused='a field "string" that holds text'),
    TestCase("text as array", {"ARGOCD_APP_PARAMETERS": parameters({"name": "feature",
             "array": "TrainJobStatus"})}, refused='a field "array" that holds a list of text'),
    TestCase("a list as map", {"ARGOCD_APP_PARAMETERS": parameters({"name": "set",
             "map": ["a"]})}, refused='a field "map" that holds a map of text'),
    TestCase("neither true nor false", {"ARGOCD_ENV_TRAINC_ALLOW_TTL": "yes"},
             refused='parameter "allow-ttl" must be true or false, is yes'),
    TestCase("fields that were cleared", {"ARGOCD_APP_PARAMETERS": parameters(
             {"name": "namespace", "string": ""}, {"name": "emit", "string": ""},
             {"name": "env", "string": ""}, {"name": "allow-ttl", "string": ""})}),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_request_is_built(case: TestCase, tmp_path: Path) -> None:
    done = plugin(repository(tmp_path), "generate", ".", **case.env)
    if case.refused:
        assert (done.returncode, done.stdout) == (1, "")
        assert case.refused in done.stderr
        return
    assert done.returncode == 0, done.stderr
    (jobset,) = yaml.safe_load_all(done.stdout)
    assert jobset["metadata"]["namespace"] == case.namespace
    assert "argocd.argoproj.io/sync-wave" in jobset["metadata"]["annotations"]


@dataclass(frozen=True)
class PlaceCase:
    name: str
    file: str
    refused: bool = False


PLACES = [
    PlaceCase("beside the project", "values.yaml"),
    PlaceCase("elsewhere in the repository", "../../shared.yaml"),
    PlaceCase("up and down again", "../../apps/llm/values.yaml"),
    PlaceCase("of another repository", "../../../other/values.yaml", refused=True),
    PlaceCase("of the sidecar", "/etc/passwd", refused=True),
    PlaceCase("a name that begins as the repository's", "../../../1f-2/values.yaml", refused=True),
    PlaceCase("through a link", "link.yaml", refused=True),
    PlaceCase("through a link to a folder", "links/values.yaml", refused=True),
]


def checked_out(folder: Path) -> Path:
    """The folder of an Application in its repository, beside those of others."""
    app = folder / "1f" / "apps" / "llm"
    app.mkdir(parents=True)
    for other in ("other", "1f-2"):
        (folder / other).mkdir()
        (folder / other / "values.yaml").write_text("team: another\n")
        (folder / other / "job.yaml").write_text(JOB)
    (folder / "1f" / "shared.yaml").write_text("team: vision\n")
    (app / "values.yaml").write_text("team: vision\n")
    (app / "link.yaml").symlink_to(folder / "other" / "values.yaml")
    (app / "links").symlink_to(folder / "other")
    repository(app)
    (app / "trainc.yaml").write_text("exclude: [link.yaml, links]\n")
    return app


@pytest.mark.parametrize("variable", [False, True], ids=["parameter", "variable"])
@pytest.mark.parametrize("case", PLACES, ids=lambda case: case.name)
def test_values_stay_in_the_repository(case: PlaceCase, variable: bool, tmp_path: Path) -> None:
    given = (
        {"ARGOCD_ENV_TRAINC_VALUES": case.file}
        if variable
        else {"ARGOCD_APP_PARAMETERS": parameters({"name": "values", "array": [case.file]})}
    )
    app = checked_out(tmp_path)
    done = plugin(app, "generate", ".", ARGOCD_APP_SOURCE_PATH="apps/llm", **given)
    assert done.returncode == (1 if case.refused else 0), done.stderr
    assert bool(done.stdout) is not case.refused
    leads_out = f'parameter "values": {case.file} leads out of the repository'
    assert (leads_out in done.stderr) is case.refused
    assert "another" not in done.stderr


def test_a_part_of_the_repository_is_enough(tmp_path: Path) -> None:
    """Argo CD sends less than all where manifest-generate-paths says so."""
    app = checked_out(tmp_path)
    files = parameters({"name": "values", "array": ["../../shared.yaml"]})
    told = {"ARGOCD_APP_PARAMETERS": files, "ARGOCD_APP_SOURCE_PATH": "teams/a/apps/llm"}
    assert plugin(app, "generate", ".", **told).returncode == 0
    told["ARGOCD_APP_SOURCE_PATH"] = "teams/llm"
    assert plugin(app, "generate", ".", **told).returncode == 1


@pytest.mark.parametrize("key", ["sources", "runtimes"])
def test_the_project_stays_in_the_repository(key: str, tmp_path: Path) -> None:
    app = checked_out(tmp_path)
    (app / "trainc.yaml").write_text(f"{key}: [., ../../../other]\n")
    done = plugin(app, "generate", ".", ARGOCD_APP_SOURCE_PATH="apps/llm")
    assert (done.returncode, done.stdout) == (1, "")
    place = 14 if key == "sources" else 15
    assert f"trainc.yaml:1:{place}: error: {key}[1]: ../../../other leads out" in done.stderr


def test_blank_output_is_refused(tmp_path: Path) -> None:
    (tmp_path / "trainc.yaml").write_text("")
    done = plugin(tmp_path, "generate", ".")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "nothing to print" in done.stderr


def test_the_definition_names_commands_that_exist(tmp_path: Path) -> None:
    spec = yaml.safe_load(plugin(tmp_path, "plugin").stdout)["spec"]
    assert (repository(tmp_path) / spec["discover"]["fileName"]).is_file()
    for part in (spec["generate"], spec["parameters"]["dynamic"]):
        program, *args = part["command"]
        assert program == "trainc"
        done = subprocess.run([sys.executable, "-m", "trainc", *args], cwd=tmp_path,
                              capture_output=True, text=True)  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stdout


def test_parameters_are_options_of_build(tmp_path: Path) -> None:
    announced = json.loads(plugin(tmp_path, "parameters").stdout)
    assert {"namespace", "feature"} <= {each["name"] for each in announced}
    assert all(each["title"] and each["tooltip"] for each in announced)


def test_drift_rules_name_what_kueue_writes(tmp_path: Path) -> None:
    spec = yaml.safe_load(plugin(tmp_path, "ignore-differences").stdout)
    queued = 'select(.metadata.labels["kueue.x-k8s.io/queue-name"])'
    pod = ".spec.replicatedJobs[]?.template.spec.template.spec"
    jobset = spec["ignoreDifferences"][0]["jqPathExpressions"]
    assert jobset == [f"{queued} | {pod}.nodeSelector", f"{queued} | {pod}.tolerations"]
    # RespectIgnoreDifferences would copy whole lists from the cluster: old content comes back.
    assert spec["syncPolicy"]["syncOptions"] == ["ApplyOutOfSyncOnly=true", "ServerSideApply=true"]


def test_flux_rules_point_at_fields_of_the_object(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "trainc", "flux", "ignore", "job.yaml"],
                          cwd=repository(tmp_path), capture_output=True, text=True)  # fmt: skip
    (rule,) = yaml.safe_load(done.stdout)["ignore"]
    assert "name" not in rule["target"]
    assert rule["paths"] == ["/spec/suspend"]
