"""What the default mode builds is what a real API server and JobSet controller take."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.client import ApiError, Client, eventually
from tests.corpus import ROOT, build, cases, need
from trainc.api import build as compiled
from trainc.spec.compat import SOUND

Json = dict[str, Any]

# Kinds of operators that are not on the plane: their CRDs are not in ../shared/crds.
_ABSENT = {"scheduling.volcano.sh/v1beta1"}


def examples() -> list[Path]:
    return sorted(p.parent for p in (ROOT / "examples").glob("*/job.yaml"))


def manifests(objects: Mapping[str, Any]) -> Iterator[Json]:
    """The objects in the order a cluster can take them, without a namespace."""
    for manifest in sorted(objects.values(), key=lambda m: m["kind"] == "JobSet"):
        if manifest["apiVersion"] not in _ABSENT:
            out = copy.deepcopy(dict(manifest))
            out["metadata"].pop("namespace", None)
            yield out


def tried(admin: Client, namespace: str, manifest: Json) -> None:
    """A server-side dry run that is strict about unknown fields.

    Raises:
        ApiError: The server refuses.
    """
    manifest = {**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}
    group = manifest["apiVersion"]
    root = f"/apis/{group}" if "/" in group else f"/api/{group}"
    plural = manifest["kind"].lower() + "s"
    name = manifest["metadata"]["name"]
    admin.call(
        "PATCH",
        f"{root}/namespaces/{namespace}/{plural}/{name}",
        manifest,
        "application/apply-patch+yaml",
        dryRun="All",
        fieldManager="test",
        fieldValidation="Strict",
    )


@pytest.mark.parametrize("folder", examples(), ids=lambda folder: folder.name)
def test_examples_are_taken_and_their_jobs_made(
    admin: Client, namespace: str, folder: Path
) -> None:
    made = compiled(folder)
    assert made.ok, made.problems
    for manifest in made.objects:
        if manifest["apiVersion"] in _ABSENT:
            continue
        manifest["metadata"].pop("namespace")
        tried(admin, namespace, manifest)
        if manifest["kind"] == "JobSet":
            manifest["spec"]["suspend"] = True
            manifest["metadata"]["namespace"] = namespace
            admin.apply(manifest)
            assert jobs_made(admin, namespace, manifest)


def jobs_made(admin: Client, namespace: str, jobset: Json) -> bool:
    """Whether the JobSet controller makes every Job that nothing must come before."""
    wanted = sum(
        job.get("replicas", 1)
        for job in jobset["spec"]["replicatedJobs"]
        if not job.get("dependsOn")
    )
    name = jobset["metadata"]["name"]
    selector = f"jobset.sigs.k8s.io/jobset-name={name}"
    eventually(lambda: len(admin.list("Job", namespace, labelSelector=selector)) >= wanted)
    return True


def test_the_corpus_built_by_default_is_taken(admin: Client, namespace: str) -> None:
    """Of every case the default mode builds, each object and each Job of the JobSet."""
    need(cases()[0])
    refused, taken = [], 0
    for case in cases():
        built = build(case, SOUND)
        if built.failed:
            continue
        for manifest in manifests(built.objects):
            try:
                tried(admin, namespace, manifest)
                for job in jobs_of(manifest):
                    tried(admin, namespace, job)
                taken += 1
            except ApiError as error:
                refused.append(f"{case.name} {manifest['kind']}: {error}")
    assert not refused, "\n".join(refused)
    assert taken > 100


def jobs_of(jobset: Json) -> Iterator[Json]:
    """The Jobs a JobSet stands for, as its controller makes them of the defaulted templates."""
    if jobset["kind"] != "JobSet":
        return
    for job in jobset["spec"].get("replicatedJobs", ()):
        template = copy.deepcopy(job["template"])
        spec = template["spec"]
        spec.setdefault("completionMode", "Indexed")
        spec["template"].setdefault("spec", {}).setdefault("restartPolicy", "OnFailure")
        pod = spec["template"]["spec"]
        pod.setdefault("subdomain", jobset["metadata"]["name"])
        pod["volumes"] = [*pod.get("volumes", ()), *claims(jobset)]
        yield {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {
                "name": f"{jobset['metadata']['name']}-{job['name']}-0",
                **{k: v for k, v in template.get("metadata", {}).items() if k != "name"},
            },
            "spec": spec,
        }


def claims(jobset: Json) -> list[Json]:
    """The volumes the JobSet controller adds for the claims that it makes itself."""
    templates = [
        template["metadata"]["name"]
        for policy in jobset["spec"].get("volumeClaimPolicies", ())
        for template in policy["templates"]
    ]
    return [{"name": n, "persistentVolumeClaim": {"claimName": n}} for n in templates]


def test_a_second_apply_changes_nothing(admin: Client, namespace: str) -> None:
    objects = compiled(ROOT / "examples" / "mpi-launcher").objects
    for manifest in objects:
        manifest["metadata"]["namespace"] = namespace
        if manifest["kind"] == "JobSet":
            manifest["spec"]["suspend"] = True  # nothing starts, so that only we write
        admin.apply(manifest)
    eventually(lambda: settled(admin, namespace, objects[-1]["metadata"]["name"]))
    for manifest in objects:
        name = manifest["metadata"]["name"]
        before = admin.get(manifest["kind"], namespace, name)["metadata"]["resourceVersion"]
        after = admin.apply(manifest)["metadata"]["resourceVersion"]
        assert before == after, name


def settled(admin: Client, namespace: str, name: str) -> bool:
    """Whether the JobSet controller has said what there is to say of a suspended JobSet."""
    status = admin.get("JobSet", namespace, name).get("status", {})
    said = any(c["type"] == "Suspended" for c in status.get("conditions", ()))
    return said and len(status.get("replicatedJobsStatus", ())) > 0
