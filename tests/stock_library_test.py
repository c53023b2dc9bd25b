"""The runtimes we ship: names, that the CRDs take them as they stand, how images are pinned."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from ruamel.yaml import YAML

from tests import corpora
from trainc import build, names
from trainc.kube.pod import problems
from trainc.version import __version__

ROOT = Path(__file__).parents[1]
RUNTIMES = ROOT / "runtimes"
STOCK = (
    "deepspeed-distributed",
    "flux-distributed",
    "jax-distributed",
    "mlx-distributed",
    "torch-distributed",
    "torch-distributed-with-cache",
    "torchtune-llama3.2-1b",
    "torchtune-llama3.2-3b",
    "torchtune-llama3.3-70b",
    "torchtune-qwen2.5-1.5b",
    "xgboost-distributed",
)


def load(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def closed(schema: Any) -> Any:
    """The CRD's schema, refusing unknown fields as ``kubectl --validate=strict`` does."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: closed(value) for key, value in schema.items()}
    if isinstance(out.get("properties"), dict) and "additionalProperties" not in out:
        out["additionalProperties"] = False
    if out.pop("x-kubernetes-int-or-string", False):
        out["type"] = ["integer", "string"]
        out.pop("anyOf", None)
    return out


def job(runtime: str, **spec: Any) -> dict[str, Any]:
    """A TrainJob on a stock runtime."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.TRAIN_JOB,
        "metadata": {"name": "m", "namespace": "team-a"},
        "spec": {"runtimeRef": {"name": runtime}, "trainer": {"numNodes": 1}, **spec},
    }


@pytest.fixture(scope="module")
def crd() -> jsonschema_rs.Validator:
    path = corpora.crds() / "trainer.kubeflow.org_clustertrainingruntimes.yaml"
    schema = load(path)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    schema["properties"].pop("metadata")
    schema = closed(schema)
    schema["properties"]["metadata"] = {"type": "object"}
    return jsonschema_rs.validator_for(schema)


def images(node: Any) -> Iterator[str]:
    """Every image named: of a container, and in an environment variable that ends in IMAGE."""
    if isinstance(node, list):
        for item in node:
            yield from images(item)
    elif isinstance(node, dict):
        if isinstance(node.get("image"), str):
            yield node["image"]
        if str(node.get("name", "")).endswith("_IMAGE"):
            yield node["value"]
        for value in node.values():
            yield from images(value)


def test_library_holds_exactly_the_stock_runtimes() -> None:
    assert sorted(path.stem for path in RUNTIMES.iterdir()) == sorted(STOCK)


def test_library_is_package_data() -> None:
    shipped = files("trainc") / "runtimes" / "torch-distributed.yaml"
    assert shipped.read_bytes() == (RUNTIMES / "torch-distributed.yaml").read_bytes()


@pytest.mark.parametrize("name", STOCK)
def test_runtime_is_admitted_by_the_crd(name: str, crd: jsonschema_rs.Validator) -> None:
    errors = [
        f"{e.instance_path}: {e.message}" for e in crd.iter_errors(load(RUNTIMES / f"{name}.yaml"))
    ]
    assert errors == []


def test_crd_check_sees_an_unknown_field(crd: jsonschema_rs.Validator) -> None:
    runtime = load(RUNTIMES / "torch-distributed.yaml")
    runtime["spec"]["template"]["spec"]["replicatedJobs"][0]["replica"] = 1
    assert len(list(crd.iter_errors(runtime))) == 1


@pytest.mark.parametrize("name", STOCK)
def test_runtime_is_named_for_its_file_and_framework(name: str) -> None:
    metadata = load(RUNTIMES / f"{name}.yaml")["metadata"]
    framework = metadata["labels"]["trainer.kubeflow.org/framework"]
    assert (metadata["name"], framework) == (name, name.split("-")[0])


@pytest.mark.parametrize("name", STOCK)
def test_images_are_pinned_by_tag_and_ours_by_version(name: str) -> None:
    named = list(images(load(RUNTIMES / f"{name}.yaml")))
    assert named
    for image in named:
        assert re.fullmatch(r"[a-z0-9./-]+:[A-Za-z0-9][\w.-]*", image), image
        assert not image.endswith(":latest")
        if image.startswith(names.IMAGE_PREFIX):
            assert image.endswith(f":v{__version__}")


@pytest.mark.parametrize("name", STOCK)
def test_mounts_name_a_volume_or_a_claim_template(name: str) -> None:
    spec = load(RUNTIMES / f"{name}.yaml")["spec"]["template"]["spec"]
    claims = {
        template["metadata"]["name"]
        for policy in spec.get("volumeClaimPolicies", [])
        for template in policy["templates"]
    }
    for job in spec["replicatedJobs"]:
        pod = job["template"]["spec"]["template"]["spec"]
        volumes = {volume["name"] for volume in pod.get("volumes", [])}
        mounts = {mount["name"] for c in pod["containers"] for mount in c.get("volumeMounts", [])}
        assert mounts <= volumes | claims


@pytest.mark.parametrize("name", STOCK)
def test_runtime_compiles_to_what_a_cluster_takes(name: str) -> None:
    built = build(job(name))
    jobset = next(manifest for manifest in built.objects if manifest["kind"] == "JobSet")
    assert [str(problem) for problem in built.problems if problem.severity == "error"] == []
    assert list(problems(jobset)) == []


@pytest.mark.parametrize("name", STOCK)
def test_runtime_is_admitted_as_the_operator_would(name: str) -> None:
    built = build([job(name), load(RUNTIMES / f"{name}.yaml")], compat="v2.3.0")
    assert [str(problem) for problem in built.problems if problem.severity == "error"] == []


def test_cache_runtime_takes_a_dataset_in_both_modes() -> None:
    dataset = {
        "storageUri": "cache://schema/table",
        "env": [{"name": "METADATA_LOC", "value": "x"}],
    }
    cached = job("torch-distributed-with-cache", initializer={"dataset": dataset})
    runtime = load(RUNTIMES / "torch-distributed-with-cache.yaml")
    assert runtime["spec"]["template"]["metadata"]["annotations"] == {
        "trainc.dev/cache": "compiled"
    }
    assert build(cached).ok
    assert build([cached, runtime], compat="v2.3.0").ok
