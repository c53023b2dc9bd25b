"""``trainc install`` in a cluster where the operator's kinds are: kinds, policies and rights."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import kubectl
from tests.cluster.binaries import UnavailableError, find
from tests.cluster.client import ApiError, Client, eventually, path_of
from tests.cluster.conftest import CRDS
from tests.cluster.jobs import Json, a_jobset, a_note, a_trainjob, conditions, end_pods
from tests.cluster.plane import Plane
from tests.cluster.posting import pods
from tests.cluster.refusals import compare
from tests.cluster.running import process
from trainc.install.install import Installation, objects
from trainc.install.install_test import _meaning
from trainc.install.meta import NAME, NAMESPACE


@pytest.fixture(scope="module")
def plane(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    """One of its own: policies reach every namespace. The session's is asked only to skip."""
    try:
        binaries = find(build=False)
    except UnavailableError as why:
        pytest.skip(str(why))
    started = Plane(binaries, tmp_path_factory.mktemp("install"), sorted(CRDS.glob("*.yaml")))
    try:
        started.start()
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="module")
def admin(plane: Plane) -> Client:
    return plane.client()


@pytest.fixture(scope="module")
def before(admin: Client) -> dict[str, Json]:
    """The operator's kinds as they are before, and a TrainJob that no policy has seen."""
    admin.create(a_trainjob("default", "older", runtimeRef={"kind": "Recipe", "name": "x"}))
    return {each["metadata"]["name"]: each for each in admin.list("CustomResourceDefinition")}


@pytest.fixture(scope="module", autouse=True)
def installed(admin: Client, before: dict[str, Json]) -> None:
    """Applied as a user would, over what is there."""
    assert before
    for manifest in objects(Installation()):
        admin.apply(manifest, manager="kubectl")
    eventually(lambda: _is_enforced(admin))


def test_no_field_of_the_operators_kinds_changes(admin: Client, before: dict[str, Json]) -> None:
    for name in (n for n in before if n.endswith("trainer.kubeflow.org")):
        after = admin.get("CustomResourceDefinition", "", name)
        (ours,), (theirs,) = (each["spec"]["versions"] for each in (after, before[name]))
        want = _meaning(copy.deepcopy(theirs["schema"]["openAPIV3Schema"]))
        assert _meaning(ours["schema"]["openAPIV3Schema"]) == want
        assert not after["status"]["conditions"] or all(
            each["status"] == "True"
            for each in after["status"]["conditions"]
            if each["type"] in ("Established", "NamesAccepted")
        )


def test_kubectl_applies_it_and_once_more_changes_nothing(
    plane: Plane, admin: Client, tmp_path: Path
) -> None:
    """What a user types, over the operator's kinds."""
    try:
        program = kubectl.find(build=False)
    except UnavailableError as why:
        pytest.skip(str(why))
    printed = subprocess.run(
        [sys.executable, "-m", "trainc", "install"], capture_output=True, check=True
    ).stdout
    versions = []
    for _ in range(2):
        command = [program, "--kubeconfig", str(plane.kubeconfig()), "--cache-dir", str(tmp_path)]
        command += ["apply", "--server-side", "--force-conflicts", "-f", "-"]
        out = subprocess.run(command, input=printed, capture_output=True)
        assert out.returncode == 0, out.stderr
        versions.append([_version(admin, each) for each in objects(Installation())])
    assert versions[0] == versions[1]


def _version(admin: Client, manifest: Json) -> str:
    """Of the spec where there is one: a status is written by others."""
    metadata = manifest["metadata"]
    found = admin.get(manifest["kind"], metadata.get("namespace", ""), metadata["name"])["metadata"]
    return str(found.get("generation", found["resourceVersion"]))


def test_the_state_column_tells_the_truth(admin: Client) -> None:
    admin.apply(a_trainjob("default", "resumed"))
    when = "2026-11-22T00:00:00Z"
    resumed = {"type": "Suspended", "status": "False", "reason": "Resumed", "message": ""}
    complete = {"type": "Complete", "status": "True", "reason": "Done", "message": ""}
    for added, want in (([], None), ([complete], "Complete")):
        found = [{**each, "lastTransitionTime": when} for each in [resumed, *added]]
        admin.merge("TrainJob", "default", "resumed", {"status": {"conditions": found}}, "status")
        assert _columns(admin, "resumed")["State"] == want
    admin.delete("TrainJob", "default", "resumed")


def _columns(admin: Client, name: str) -> Json:
    path = path_of("TrainJob", "default", name)
    table = admin.call("GET", path, accept="application/json;as=Table;v=v1;g=meta.k8s.io")
    names = [column["name"] for column in table["columnDefinitions"]]
    return dict(zip(names, table["rows"][0]["cells"], strict=True))


def test_what_the_reference_refuses_is_refused_here(admin: Client) -> None:
    """By the schema at the same field, by a policy that names it, or for a listed reason not."""
    found = compare(admin)
    assert found.wrong == []
    assert found.left  # docs/admission.md lists them
    assert found.cases > 20


@dataclass(frozen=True)
class PolicyCase:
    __test__ = False
    name: str
    old: Json | None
    new: Json
    why: str


def _patched(manager: str = "example.com/x", env: str = "", **spec: Any) -> Json:
    container = {"name": env or "sidecar", "env": [{"name": "A", "value": "b"}]}
    pod = {"spec": {"template": {"spec": {"containers": [container]}}}}
    jobs = [{"name": "node", "template": pod}]
    patch = {
        "manager": manager,
        "trainingRuntimeSpec": {"template": {"spec": {"replicatedJobs": jobs}}},
    }
    return a_trainjob("default", "p", runtimePatches=[patch], **spec)


def _runtime(name: str = "node", replicas: int = 1, step: str = "trainer", **labels: str) -> Json:
    job = {
        "name": "node",
        "replicas": replicas,
        "template": {
            "metadata": {"labels": {"trainer.kubeflow.org/trainjob-ancestor-step": step}},
            "spec": {"template": {"spec": {"containers": [{"name": name, "image": "a"}]}}},
        },
    }
    return {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainingRuntime",
        "metadata": {"name": "r", "namespace": "default", "labels": labels},
        "spec": {"template": {"spec": {"replicatedJobs": [job]}}},
    }


POLICY = [
    PolicyCase("a plain TrainJob", None, a_trainjob("default", "p"), ""),
    PolicyCase("a patch", None, _patched(), ""),
    PolicyCase("a manager without a domain", None, _patched("me"), "runtimePatches.manager"),
    PolicyCase("a manager without a path", None, _patched("a.b/"), "runtimePatches.manager"),
    PolicyCase("a manager in capitals", None, _patched("A.b/c"), "runtimePatches.manager"),
    PolicyCase("env for node", None, _patched(env="node"), "must not have env"),
    PolicyCase(
        "env for an initializer", None, _patched(env="model-initializer"), "must not have env"
    ),
    PolicyCase(
        "another kind of runtime",
        None,
        a_trainjob("default", "p", runtimeRef={"kind": "Recipe", "name": "x"}),
        "unsupported runtime: Recipe.trainer.kubeflow.org",
    ),
    PolicyCase(
        "patched while it runs", a_trainjob("default", "p"), _patched(), "while the TrainJob is"
    ),
    PolicyCase(
        "patched while suspended",
        a_trainjob("default", "p", suspend=True),
        _patched(suspend=True),
        "",
    ),
    PolicyCase("patched and resumed", a_trainjob("default", "p", suspend=True), _patched(), ""),
    PolicyCase("patched and suspended", a_trainjob("default", "p"), _patched(suspend=True), ""),
    PolicyCase("a runtime", None, _runtime(), ""),
    PolicyCase("two replicas", None, _runtime(replicas=2), "replicas: must be 1"),
    PolicyCase("two replicas later", _runtime(), _runtime(replicas=2), "replicas: must be 1"),
    PolicyCase("two replicas of no step", None, _runtime(replicas=2, step="other"), ""),
    PolicyCase("no container node", None, _runtime(name="main"), "containers: must have"),
    PolicyCase("no container of the step", None, _runtime(step="dataset-initializer"), "must have"),
    PolicyCase(
        "not looked at",
        None,
        _runtime(replicas=2, **{"trainer.kubeflow.org/webhook-validation": "disabled"}),
        "",
    ),
]


@pytest.mark.parametrize("case", POLICY, ids=lambda case: case.name)
def test_policies(admin: Client, case: PolicyCase) -> None:
    kind, name = case.new["kind"], case.new["metadata"]["name"]
    path = path_of(kind, "default", name)
    try:
        if case.old is not None:
            admin.create(case.old)
        if not case.why:
            _write(admin, path, case)
            return
        with pytest.raises(ApiError) as refused:
            _write(admin, path, case)
        assert refused.value.code == 422
        assert case.why in str(refused.value)
    finally:
        if admin.find(kind, "default", name):
            admin.delete(kind, "default", name)


def _write(admin: Client, path: str, case: PolicyCase) -> None:
    if case.old is None:
        admin.create(case.new)
    else:
        admin.call("PATCH", path, {"spec": case.new["spec"]}, "application/merge-patch+json")


def test_what_was_there_can_be_labelled_and_let_go_but_not_changed(admin: Client) -> None:
    """Or no finalizer could be taken off an object that is older than the policies."""
    finalizers = ["example.com/hold"]
    for metadata in ({"labels": {"a": "b"}}, {"finalizers": finalizers}, {"finalizers": None}):
        admin.merge("TrainJob", "default", "older", {"metadata": metadata})
    with pytest.raises(ApiError, match="unsupported runtime: Recipe"):
        admin.merge("TrainJob", "default", "older", {"spec": {"suspend": True}})
    admin.delete("TrainJob", "default", "older")
    assert admin.find("TrainJob", "default", "older") is None


def test_a_deprecated_runtime_warns(admin: Client) -> None:
    labels = {"trainer.kubeflow.org/support": "deprecated"}
    runtime = {**_runtime(), "kind": "ClusterTrainingRuntime"}
    runtime["metadata"] = {"name": "old", "labels": labels}
    heard = admin.warnings(lambda: admin.create(runtime, dryRun="All"))
    assert any("runtime-deprecation-policy" in each for each in heard)


@pytest.fixture(scope="module")
def bearer(admin: Client) -> str:
    """The controller's own service account, as the Deployment runs with it."""
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{NAME}/token"
    return str(admin.call("POST", path, request)["status"]["token"])


def test_its_rights_are_enough(plane: Plane, admin: Client, bearer: str, tmp_path: Path) -> None:
    """A job from its Secret to its end, by a controller that may do no more than is installed."""
    namespace = "rights"
    admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    arguments = ["--lease-namespace", NAMESPACE, "--progress", "127.0.0.1:0"]
    arguments += ["--progress-tls", str(tmp_path), "--progress-host", "trainc-controller"]
    arguments += ["--progress-secret", f"{NAMESPACE}/trainc-progress-tls"]
    with process(plane, namespace, *arguments, bearer=bearer) as controller:
        secrets = (("ssh", "-mpi-ssh-auth"), ("curve", "-flux-curve"))
        admin.apply(a_trainjob(namespace))
        admin.apply(a_jobset(namespace))
        # Its pods wait; kwok would run them without their Secrets, and then nobody wants those.
        waiting = a_note("waits", secrets=secrets)
        admin.apply(a_jobset(namespace, "waits", note=waiting, start="never"))
        admin.apply(a_trainjob(namespace, "late", activeDeadlineSeconds=1))
        admin.apply(a_jobset(namespace, "late"))
        eventually(lambda: admin.find("Secret", namespace, "waits-flux-curve"), 120)
        eventually(lambda: admin.find("JobSet", namespace, "late") is None, 60)
        eventually(lambda: pods(admin, namespace))
        end_pods(admin, namespace, "complete")
        eventually(lambda: "Complete" in conditions(admin, namespace), 120)
        eventually(lambda: admin.find("Secret", NAMESPACE, "trainc-progress-tls"))
        assert controller.returncode is None
        assert "forbidden" not in controller.tail(500)


@pytest.mark.parametrize(
    ("verb", "resource"),
    [
        ("get", "secrets"),
        ("list", "secrets"),
        ("watch", "secrets"),
        ("update", "secrets"),
        ("patch", "secrets"),
        ("delete", "secrets"),
        ("get", "configmaps"),
        ("list", "pods"),
        ("create", "pods"),
        ("delete", "trainjobs"),
        ("create", "jobsets"),
    ],
)
def test_its_rights_are_no_more(plane: Plane, bearer: str, verb: str, resource: str) -> None:
    groups = {"trainjobs": "trainer.kubeflow.org", "jobsets": "jobset.x-k8s.io"}
    asked = {
        "namespace": "default",
        "verb": verb,
        "resource": resource,
        "group": groups.get(resource, ""),
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": asked},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    assert not plane.client_with(bearer).call("POST", path, review)["status"]["allowed"]


def _secret(name: str, **changes: Any) -> Json:
    owner = {"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet", "name": "m", "uid": "u"}
    labels = {"app.kubernetes.io/managed-by": "trainc", "trainc.dev/trainjob": "m"}
    metadata = {"name": name, "namespace": "default", "labels": labels, "ownerReferences": [owner]}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque"}
    for key, value in changes.items():
        (secret if key in secret else metadata)[key] = value
    return secret


@dataclass(frozen=True)
class SecretCase:
    __test__ = False
    name: str
    secret: Json
    taken: bool


@pytest.mark.parametrize(
    "case",
    [
        SecretCase("what it mints", _secret("m-mpi-ssh-auth"), True),
        SecretCase("another job's", _secret("n-mpi-ssh-auth"), False),
        SecretCase("any name", _secret("admin-token"), False),
        SecretCase("without labels", _secret("m-mpi-ssh-auth", labels={}), False),
        SecretCase("without an owner", _secret("m-mpi-ssh-auth", ownerReferences=[]), False),
        SecretCase(
            "a service account's token",
            _secret(
                "m-mpi-ssh-auth",
                type="kubernetes.io/service-account-token",
                annotations={"kubernetes.io/service-account.name": "default"},
            ),
            False,
        ),
    ],
    ids=lambda case: case.name,
)
def test_only_secrets_it_mints(plane: Plane, bearer: str, case: SecretCase) -> None:
    client = plane.client_with(bearer)
    if case.taken:
        assert client.create(case.secret, dryRun="All")
        return
    with pytest.raises(ApiError) as refused:
        client.create(case.secret, dryRun="All")
    assert "trainc-secrets" in str(refused.value)


def test_deleting_it_leaves_running_jobs_running(plane: Plane, admin: Client) -> None:
    """Last: everything but the kinds goes."""
    namespace = "stays"
    admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    admin.apply(a_trainjob(namespace))
    admin.apply(a_jobset(namespace))
    (pod,) = eventually(lambda: _running(admin, namespace))
    for manifest in reversed(objects(Installation(with_crds=False))):
        metadata = manifest["metadata"]
        admin.delete(manifest["kind"], metadata.get("namespace", ""), metadata["name"])
    (still,) = _running(admin, namespace)
    assert still["metadata"]["uid"] == pod["metadata"]["uid"]
    end_pods(admin, namespace, "complete")
    eventually(lambda: _jobset_done(admin, namespace))


def _running(admin: Client, namespace: str) -> list[Json]:
    return [pod for pod in admin.list("Pod", namespace) if pod["status"]["phase"] == "Running"]


def _jobset_done(admin: Client, namespace: str) -> bool:
    found = admin.get("JobSet", namespace, "m").get("status", {}).get("conditions") or []
    return any(each["type"] == "Completed" for each in found)


def _is_enforced(admin: Client) -> bool:
    """Policies take effect a moment after they are there."""
    try:
        admin.create(_patched("me"), dryRun="All")
    except ApiError:
        return True
    return False
