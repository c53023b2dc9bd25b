"""What trainc prints is what a cluster takes: strict dry-run, and the Jobs made of it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator

import pytest

from tests.cluster.client import ApiError, Client, eventually
from tests.cluster.conftest import ROOT
from tests.cluster.jobs import Json
from tests.corpus import build, cases
from trainc import build as build_paths
from trainc.spec.compat import SOUND


def examples() -> list[tuple[str, list[Json]]]:
    """What each file of examples/ compiles to, alone where it can."""
    built = build_paths(str(ROOT / "examples"), features=("TrainJobStatus",))
    assert built.ok, built.problems
    return [("examples", list(built.objects))]


def corpus() -> list[tuple[str, list[Json]]]:
    """What the default mode makes of each case it takes."""
    found = []
    for case in cases():
        if not (case / "input.yaml").exists():
            continue
        built = build(case, SOUND)
        if not built.failed and built.objects:
            found.append((case.name, list(copy.deepcopy(dict(built.objects)).values())))
    return found


@pytest.fixture(scope="module")
def everything(admin: Client) -> list[tuple[str, list[Json]]]:
    """All of it, each case in a namespace of its own."""
    found = examples() + corpus()
    out = []
    for number, (name, manifests) in enumerate(found):
        moved = {each["metadata"]["namespace"]: f"a{number}" for each in manifests}
        # The examples use several namespaces; they stay apart.
        moved = {old: f"{new}-{at}" for at, (old, new) in enumerate(sorted(moved.items()))}
        for new in moved.values():
            manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": new}}
            admin.create(manifest)
        out.append((name, [_moved(each, moved) for each in manifests]))
    return out


def test_strict_dry_run(admin: Client, everything: list[tuple[str, list[Json]]]) -> None:
    refused, taken = [], 0
    for name, manifests in everything:
        for manifest in manifests:
            taken += 1
            try:
                admin.call("PATCH", _path(manifest), manifest, APPLY, **STRICT, dryRun="All")
            except ApiError as error:
                refused.append(f"{name}: {manifest['kind']}: {error}")
    assert refused == []
    assert taken >= len(everything)


APPLY = "application/apply-patch+yaml"
STRICT = {"fieldManager": "test", "force": "true", "fieldValidation": "Strict"}


def test_each_job_that_jobset_makes(
    admin: Client, everything: list[tuple[str, list[Json]]]
) -> None:
    """Made for real, suspended: the API server checks Jobs and their pod templates."""
    jobsets = [(name, m) for name, manifests in everything for m in manifests if _is_run(m)]
    for _, manifest in jobsets:
        suspended = {**manifest, "spec": {**manifest["spec"], "suspend": True}}
        admin.call("PATCH", _path(manifest), suspended, APPLY, **STRICT)
    refused = []
    for name, manifest in jobsets:
        namespace = manifest["metadata"]["namespace"]
        wanted = set(_first_jobs(manifest))

        def there(namespace: str = namespace, wanted: set[str] = wanted) -> bool:
            made = {job["metadata"]["name"] for job in admin.list("Job", namespace)}
            return wanted <= made or bool(_failures(admin, namespace))

        eventually(there, 60)
        refused += [f"{name}: {why}" for why in _failures(admin, namespace)]
        for job in _later_jobs(admin.call("GET", _path(manifest))):
            try:
                admin.create(job, dryRun="All", fieldValidation="Strict")
            except ApiError as error:
                if error.code != 409:  # made for real by now
                    refused.append(f"{name}: {job['metadata']['name']}: {error}")
    assert refused == []
    assert jobsets


def test_a_second_apply_changes_nothing(
    admin: Client, everything: list[tuple[str, list[Json]]]
) -> None:
    """No drift: neither the version nor, by dry-run, any field."""
    drifted = []
    for name, manifests in everything:
        for manifest in manifests:
            if manifest["kind"] == "JobSet":
                continue
            first = admin.call("PATCH", _path(manifest), manifest, APPLY, **STRICT)
            drifted += _drift(admin, name, manifest, first)
    for name, manifest in ((n, m) for n, ms in everything for m in ms if _is_run(m)):
        # Its spec as printed: the test before suspended it.
        admin.call("PATCH", _path(manifest), manifest, APPLY, **STRICT)
        drifted += _drift(admin, name, manifest, _settled(admin, manifest))
    assert drifted == []


def _drift(admin: Client, name: str, manifest: Json, first: Json) -> list[str]:
    again = admin.call("PATCH", _path(manifest), manifest, APPLY, **STRICT, dryRun="All")
    label = f"{name}: {manifest['kind']}/{manifest['metadata']['name']}"
    out = [] if _said(again) == _said(first) else [f"{label}: fields differ"]
    try:
        # Its controller may write a status between two; an apply that changes would never end.
        eventually(lambda: _applied(admin, manifest) == _applied(admin, manifest), 10)
    except AssertionError:
        out.append(f"{label}: applied anew")
    return out


def _applied(admin: Client, manifest: Json) -> str:
    """The version of the object after it is applied."""
    found = admin.call("PATCH", _path(manifest), manifest, APPLY, **STRICT)
    return str(found["metadata"]["resourceVersion"])


def _said(found: Json) -> Json:
    """The object without what the cluster itself keeps on changing."""
    metadata = {
        key: value
        for key, value in found["metadata"].items()
        if key not in ("managedFields", "resourceVersion")
    }
    return {**{key: value for key, value in found.items() if key != "status"}, "metadata": metadata}


def _settled(admin: Client, manifest: Json) -> Json:
    """The JobSet once its controller has seen it."""

    def seen() -> Json | None:
        found = admin.call("GET", _path(manifest))
        return found if found.get("status") else None

    settled: Json = eventually(seen, 60)
    return settled


def _is_run(manifest: Json) -> bool:
    return manifest["kind"] == "JobSet" and "managedBy" not in manifest["spec"]


def _path(manifest: Json) -> str:
    group = manifest["apiVersion"]
    root = f"/apis/{group}" if "/" in group else f"/api/{group}"
    kind = manifest["kind"].lower()
    plural = f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"
    metadata = manifest["metadata"]
    return f"{root}/namespaces/{metadata['namespace']}/{plural}/{metadata['name']}"


def _moved(manifest: Json, moved: dict[str, str]) -> Json:
    namespace = moved[manifest["metadata"]["namespace"]]
    return {**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}


def _jobs(manifest: Json) -> Iterator[tuple[str, Json]]:
    for job in manifest["spec"].get("replicatedJobs", []):
        for index in range(job.get("replicas", 1)):
            yield f"{manifest['metadata']['name']}-{job['name']}-{index}", job


def _first_jobs(manifest: Json) -> Iterator[str]:
    """The Jobs that JobSet makes at once: those that wait for no other."""
    order = (manifest["spec"].get("startupPolicy") or {}).get("startupPolicyOrder")
    if order == "InOrder":
        yield from (name for name, _ in list(_jobs(manifest))[:1])
        return
    yield from (name for name, job in _jobs(manifest) if not job.get("dependsOn"))


def _later_jobs(manifest: Json) -> Iterator[Json]:
    """The others, as JobSet will make them."""
    first = set(_first_jobs(manifest))
    for name, job in _jobs(manifest):
        if name in first:
            continue
        template = copy.deepcopy(job["template"])
        spec = {**template["spec"], "completionMode": "Indexed", "suspend": True}
        spec["template"]["spec"].setdefault("volumes", []).extend(_claimed(manifest))
        metadata = {**template.get("metadata", {}), "name": name}
        metadata["namespace"] = manifest["metadata"]["namespace"]
        yield {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def _claimed(manifest: Json) -> Iterator[Json]:
    """The volumes that JobSet adds for its claim policies."""
    for policy in manifest["spec"].get("volumeClaimPolicies", []):
        for template in policy["templates"]:
            name = template["metadata"]["name"]
            claim = {"claimName": f"{name}-{manifest['metadata']['name']}"}
            yield {"name": name, "persistentVolumeClaim": claim}


def _failures(admin: Client, namespace: str) -> list[str]:
    found = admin.list("Event", namespace, fieldSelector="type=Warning")
    return [json.dumps([e["reason"], e["message"]]) for e in found if "Creat" in e["reason"]]
