"""The ready Application and Kustomization, and what is pasted into them, by the tools' own CRDs."""

import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from tests.gitops.repository import repository, trainc
from tests.peers.programs import module_file

EXAMPLES = Path(__file__).parents[2] / "examples" / "gitops"
ARGO_CD = "github.com/argoproj/argo-cd/v3@v3.6.1"
KUSTOMIZE_CONTROLLER = "github.com/fluxcd/kustomize-controller@v1.10.1"
SOURCE_CONTROLLER = "github.com/fluxcd/source-controller@v1.10.1"
CRDS = {
    "Application": (ARGO_CD, "manifests/crds/application-crd.yaml"),
    "Kustomization": (
        KUSTOMIZE_CONTROLLER,
        "config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml",
    ),
    "OCIRepository": (
        SOURCE_CONTROLLER,
        "config/crd/bases/source.toolkit.fluxcd.io_ocirepositories.yaml",
    ),
}
# What every object has, of which a CRD says no more.
METADATA = {"type": "object", "required": ["name"]}


def strict(node: Any) -> Any:
    """A structural schema as JSON Schema that refuses what the server would prune."""
    if isinstance(node, list):
        return [strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    out = {key: strict(value) for key, value in node.items() if key not in ("default", "format")}
    if node.get("x-kubernetes-int-or-string"):
        out.pop("type", None)
    if node.get("nullable"):
        out = {"anyOf": [{"type": "null"}, out]}
    elif "properties" in node and node.get("type") == "object":
        out["properties"] = {key: strict(value) for key, value in node["properties"].items()}
        if not node.get("x-kubernetes-preserve-unknown-fields"):
            out["additionalProperties"] = False
    return out


def check(manifest: dict[str, Any]) -> None:
    """Holds an object to its CRD.

    Raises:
        jsonschema_rs.ValidationError: The tool's own API server would refuse or prune it.
    """
    crd = yaml.safe_load(module_file(*CRDS[manifest["kind"]]))
    version = manifest["apiVersion"].partition("/")[2]
    (schema,) = (
        each["schema"]["openAPIV3Schema"]
        for each in crd["spec"]["versions"]
        if each["name"] == version and each["served"]
    )
    schema["properties"]["metadata"] = METADATA
    jsonschema_rs.validate(strict(schema), manifest)


def examples(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((EXAMPLES / name).read_text(encoding="utf-8")))


@pytest.mark.programs
@pytest.mark.parametrize("name", ["application.yaml", "kustomization.yaml"])
def test_the_ready_objects_are_what_their_crds_say(name: str) -> None:
    found = examples(name)
    assert found
    for each in found:
        check(each)


@pytest.mark.programs
def test_a_field_nobody_knows_is_refused() -> None:
    (application,) = examples("application.yaml")
    application["spec"]["syncPolicy"]["automatic"] = {}
    with pytest.raises(jsonschema_rs.ValidationError):
        check(application)


@pytest.mark.parametrize("path", ["out", "out/prod"])
def test_argo_cd_reads_manifests_alone(path: str, tmp_path: Path) -> None:
    """It takes every .json below the path for one; its globs have no separators, as ours here."""
    root = repository(tmp_path)
    assert trainc(root, "build", "--env", "all", "--out-dir", "out").returncode == 0
    (application,) = examples("application.yaml")
    exclude = application["spec"]["source"]["directory"]["exclude"]
    files = [each for each in (root / path).rglob("*") if each.suffix in (".json", ".yaml")]
    read = [e for e in files if not fnmatchcase(e.relative_to(root / path).as_posix(), exclude)]
    assert len(read) >= 12
    assert all("kind" in yaml.safe_load(each.read_text()) for each in read)


def printed(*args: str, cwd: Path = EXAMPLES) -> Any:
    command = [sys.executable, "-m", "trainc", *args]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True)
    return yaml.safe_load(done.stdout)


@pytest.mark.programs
def test_what_is_printed_for_an_application_fits_into_one() -> None:
    (application,) = examples("application.yaml")
    application["spec"] |= printed("argocd", "ignore-differences")
    check(application)


@pytest.mark.programs
@pytest.mark.parametrize("env", ["dev", "prod"])
def test_what_is_printed_for_a_kustomization_fits_into_one(env: str, tmp_path: Path) -> None:
    root = repository(tmp_path)
    kustomization = examples("kustomization.yaml")[1]
    for until in ("finished", "started"):
        kustomization["spec"] |= printed("flux", "health", "--until", until)
    kustomization["spec"] |= printed("flux", "ignore", "--env", env, cwd=root)
    check(kustomization)


def test_drift_rules_name_no_object(tmp_path: Path) -> None:
    root = repository(tmp_path)
    (rule,) = printed("flux", "ignore", "--env", "prod", cwd=root)["ignore"]
    assert "name" not in rule["target"]
    assert trainc(root, "flux", "ignore", "--env", "all").returncode == 1
    assert trainc(root, "flux", "ignore", "--env", "nope").returncode == 1
