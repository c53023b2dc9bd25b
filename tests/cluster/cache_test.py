"""A compiled data cache in a real cluster: accepted, made by LeaderWorkerSet, gone with its job."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from cryptography import x509

from tests.cluster import lws
from tests.cluster.binaries import UnavailableError
from tests.cluster.client import ApiError, Client, eventually
from tests.cluster.plane import Plane
from tests.cluster.running import process, running
from trainc import names
from trainc.compile import Inputs, compile_documents
from trainc.info.cache.compiled_test import METADATA, RUNTIME, job
from trainc.install.admission import admission
from trainc.install.meta import NAME, NAMESPACE
from trainc.install.rbac import own_rights, rights
from trainc.manifest.order import in_order
from trainc.plan.plan import Output
from trainc.source.parse import parse
from trainc.spec.spec import Settings

Json = dict[str, Any]
SMALL = {**METADATA, "CLUSTER_SIZE": "3"}


@pytest.fixture(scope="module", autouse=True)
def operator(plane: Plane) -> Iterator[None]:
    """The LeaderWorkerSet controller."""
    try:
        folder = lws.find(build=False)
    except UnavailableError as why:
        pytest.skip(str(why))
    with lws.running(plane, folder):
        yield


def objects(namespace: str, *jobs: str, runtime: str = RUNTIME, shared: bool = False) -> list[Json]:
    """What a build prints of jobs, in its order."""
    texts = [text.replace("namespace: team", f"namespace: {namespace}") for text in jobs]
    documents, wrong = parse("\n---\n".join((*texts, runtime)).encode(), "input.yaml")
    assert not wrong
    settings = Settings(shared_caches=shared)
    plan = compile_documents(Inputs(tuple(documents)), settings, Output())
    assert not [p for p in plan.problems if p.severity == "error"], plan.problems
    return [copy.deepcopy(dict(o.manifest)) for o in in_order(plan.objects)]


def applied(admin: Client, made: list[Json]) -> None:
    for manifest in made:
        admin.apply(manifest)


def pods(admin: Client, namespace: str, group: str) -> list[Json]:
    found = admin.list("Pod", namespace, labelSelector=f"{names.CACHE_LABEL}={group}")
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def running_pods(admin: Client, namespace: str, group: str, count: int) -> list[Json]:
    found = pods(admin, namespace, group)
    assert len(found) == count, [pod["metadata"]["name"] for pod in found]
    assert all(pod["status"].get("phase") == "Running" for pod in found)
    return found


def test_the_group_has_a_head_and_workers_that_find_each_other(
    plane: Plane, admin: Client, namespace: str
) -> None:
    applied(admin, objects(namespace, job("m", env=SMALL)))
    with running(plane, namespace):
        found = eventually(lambda: running_pods(admin, namespace, "m-cache", 3), 60)
    by_name = {pod["metadata"]["name"]: pod for pod in found}
    assert set(by_name) == {"m-cache-0", "m-cache-0-1", "m-cache-0-2"}
    head = by_name["m-cache-0"]
    env = {i["name"]: i.get("value") for i in head["spec"]["containers"][0]["env"]}
    assert env["LWS_LEADER_ADDRESS"] == f"m-cache-0.m-cache.{namespace}"
    assert env["LWS_GROUP_SIZE"] == "3"
    for name, pod in by_name.items():
        # What the head connects to, and what the certificate names (kube/cacheauth.py).
        assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == (name, "m-cache")
        assert pod["spec"]["serviceAccountName"] == "m-cache"
    service = admin.get("Service", namespace, "m-cache-service")
    labels = head["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    for name in ("m-cache-0-1", "m-cache-0-2"):
        theirs = by_name[name]["metadata"]["labels"]
        assert not service["spec"]["selector"].items() <= theirs.items()


def test_the_secret_is_minted_with_the_names_of_the_cache(
    plane: Plane, admin: Client, namespace: str
) -> None:
    applied(admin, objects(namespace, job("m", env=SMALL)))
    with running(plane, namespace):
        secret = eventually(lambda: admin.find("Secret", namespace, "m-cache-auth"))
    assert set(secret["data"]) == {"ca.crt", "tls.crt", "tls.key", "token"}
    certificate = x509.load_pem_x509_certificate(base64.b64decode(secret["data"]["tls.crt"]))
    named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    hosts = named.get_values_for_type(x509.DNSName)
    assert {"m-cache-service", f"*.m-cache.{namespace}"} <= set(hosts)
    assert certificate.not_valid_after_utc > datetime.now(UTC)


def test_a_second_apply_changes_nothing(plane: Plane, admin: Client, namespace: str) -> None:
    made = objects(namespace, job("m", env=SMALL))
    applied(admin, made)
    with running(plane, namespace):
        eventually(lambda: running_pods(admin, namespace, "m-cache", 3), 60)
        eventually(lambda: admin.get("LeaderWorkerSet", namespace, "m-cache")["metadata"].get(
            "ownerReferences"))  # fmt: skip
        for manifest in made:
            kind, name = manifest["kind"], manifest["metadata"]["name"]
            if kind == "JobSet":
                continue  # its status moves meanwhile; manifests_test.py holds it still
            before = admin.get(kind, namespace, name)
            admin.apply(manifest)
            after = admin.get(kind, namespace, name)
            assert before["metadata"].get("generation") == after["metadata"].get("generation"), name
            assert _settled(before) == _settled(after), name


def _settled(found: Json) -> Json:
    """An object without what moves by itself."""
    gone = {"resourceVersion", "managedFields"}
    metadata = {key: value for key, value in found["metadata"].items() if key not in gone}
    return {**{k: v for k, v in found.items() if k != "status"}, "metadata": metadata}


def test_the_cache_goes_with_its_jobset(plane: Plane, admin: Client, namespace: str) -> None:
    applied(admin, objects(namespace, job("m", env=SMALL)))
    with running(plane, namespace):
        eventually(lambda: running_pods(admin, namespace, "m-cache", 3), 60)
        eventually(lambda: admin.get("LeaderWorkerSet", namespace, "m-cache")["metadata"].get(
            "ownerReferences"))  # fmt: skip
        admin.delete("JobSet", namespace, "m")
        eventually(lambda: admin.find("LeaderWorkerSet", namespace, "m-cache") is None, 60)
        eventually(lambda: not pods(admin, namespace, "m-cache"), 60)
        eventually(lambda: admin.find("Secret", namespace, "m-cache-auth") is None, 60)


def test_the_cache_sleeps_while_its_job_is_suspended_and_when_it_is_over(
    plane: Plane, admin: Client, namespace: str
) -> None:
    made = objects(namespace, job("m", env=SMALL).replace("spec:\n", "spec:\n  suspend: true\n", 1))
    applied(admin, made)
    with running(plane, namespace):
        eventually(lambda: groups(admin, namespace) == 0)
        eventually(lambda: not pods(admin, namespace, "m-cache"), 60)
        admin.merge("JobSet", namespace, "m", {"spec": {"suspend": False}})
        eventually(lambda: running_pods(admin, namespace, "m-cache", 3), 60)
        eventually(lambda: finished(admin, namespace), 60)
        eventually(lambda: groups(admin, namespace) == 0)
        eventually(lambda: not pods(admin, namespace, "m-cache"), 60)
        # What Git says does not wake it.
        group = next(m for m in made if m["kind"] == "LeaderWorkerSet")
        admin.apply(group)
        assert groups(admin, namespace) == 0


def finished(admin: Client, namespace: str) -> bool:
    """Whether the job's JobSet is complete; makes its pods so, and only those."""
    ended = {"metadata": {"annotations": {"kwok.test/end": "complete"}}}
    for pod in admin.list("Pod", namespace, labelSelector="jobset.sigs.k8s.io/jobset-name=m"):
        admin.merge("Pod", namespace, pod["metadata"]["name"], ended)
    status = admin.get("JobSet", namespace, "m").get("status") or {}
    return any(c["type"] == "Completed" for c in status.get("conditions") or ())


def groups(admin: Client, namespace: str) -> int:
    spec = admin.get("LeaderWorkerSet", namespace, "m-cache")["spec"]
    return int(spec["replicas"])


def test_a_shared_cache_outlives_its_jobs_and_owns_its_secret(
    plane: Plane, admin: Client, namespace: str
) -> None:
    made = objects(namespace, job("a", env=SMALL), job("b", env=SMALL), shared=True)
    (group,) = (m["metadata"]["name"] for m in made if m["kind"] == "LeaderWorkerSet")
    applied(admin, made)
    with running(plane, namespace):
        eventually(lambda: running_pods(admin, namespace, group, 3), 60)
        secret = eventually(lambda: admin.find("Secret", namespace, f"{group}-auth"))
        (owner,) = secret["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["name"]) == ("LeaderWorkerSet", group)
        for name in ("a", "b"):
            admin.delete("JobSet", namespace, name)
        eventually(lambda: not admin.list("JobSet", namespace))
        assert "ownerReferences" not in admin.get("LeaderWorkerSet", namespace, group)["metadata"]
        admin.delete("LeaderWorkerSet", namespace, group)
        eventually(lambda: admin.find("Secret", namespace, f"{group}-auth") is None, 60)


@pytest.fixture
def bearer(admin: Client, namespace: str) -> str:
    """A controller's own account, with the rights and the limits of an installation."""
    about = {"apiVersion": "v1", "metadata": {"name": NAMESPACE}}
    admin.apply({**about, "kind": "Namespace"})
    named = {"name": NAME, "namespace": NAMESPACE}
    admin.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": named})
    policies = [each for each in admission() if each["metadata"]["name"] == "trainc-secrets"]
    for manifest in (*own_rights(), *rights([namespace], True), *policies):
        admin.apply(manifest)
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{NAME}/token"
    return str(admin.call("POST", path, request)["status"]["token"])


def test_a_trainjob_made_in_the_cluster_has_its_cache_with_the_installed_rights(
    plane: Plane, admin: Client, namespace: str, bearer: str
) -> None:
    runtime = yaml.safe_load(RUNTIME)
    runtime["kind"] = "TrainingRuntime"
    runtime["metadata"]["namespace"] = namespace
    admin.apply(runtime)
    shared = {**SMALL, "CACHE_LIFETIME": "shared"}
    with process(
        plane, namespace, "--compile", "--lease-namespace", NAMESPACE, bearer=bearer
    ) as controller:
        for name, env in (("own", SMALL), ("one", shared), ("two", shared)):
            trainjob = yaml.safe_load(job(name, env=env))
            trainjob["metadata"]["namespace"] = namespace
            trainjob["spec"]["runtimeRef"]["kind"] = "TrainingRuntime"
            admin.create(trainjob)
        eventually(lambda: running_pods(admin, namespace, "own-cache", 3), 60)
        eventually(lambda: len(admin.list("LeaderWorkerSet", namespace)) == 2, 60)
        (group,) = (
            each["metadata"]["name"]
            for each in admin.list("LeaderWorkerSet", namespace)
            if each["metadata"]["name"] != "own-cache"
        )
        eventually(lambda: admin.find("Secret", namespace, "own-cache-auth"), 60)
        eventually(lambda: admin.find("Secret", namespace, f"{group}-auth"), 60)
        for name in ("own", "one", "two"):
            admin.delete("TrainJob", namespace, name)
        eventually(lambda: admin.find("LeaderWorkerSet", namespace, "own-cache") is None, 60)
        eventually(lambda: admin.find("ServiceAccount", namespace, "own-cache") is None, 60)
        eventually(lambda: admin.find("Role", namespace, "own-cache") is None, 60)
        assert running_pods(admin, namespace, group, 3)
        assert "forbidden" not in controller.tail(500)
        assert "denied" not in controller.tail(500)


SHORT = RUNTIME.replace("- name: dataset-initializer\n        t", "- name: i\n        t")


def test_the_longest_name_that_the_build_lets_pass_runs(
    plane: Plane, admin: Client, namespace: str
) -> None:
    name = "m" * 44
    applied(admin, objects(namespace, job(name, env=SMALL), runtime=SHORT))
    with running(plane, namespace):
        eventually(lambda: running_pods(admin, namespace, f"{name}-cache", 3), 60)


def test_a_few_letters_more_would_not_run(plane: Plane, admin: Client, namespace: str) -> None:
    """The rule of the build is the cluster's, not a guess."""
    made = objects(namespace, job("m" * 44, env=SMALL), runtime=SHORT)
    text = json.dumps([m for m in made if m["kind"] != "JobSet"]).replace("m" * 44, "m" * 48)
    with pytest.raises((ApiError, AssertionError)):
        applied(admin, json.loads(text))
        eventually(lambda: running_pods(admin, namespace, "m" * 48 + "-cache", 3), 8)
