"""The ways to install it, one after another on one control plane: each does its work, and no more.

The controller runs with the service account that is installed, so a right that is missing is an
error here, and one too many is found by asking.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import urllib3
import yaml

from tests.cluster.binaries import UnavailableError, find
from tests.cluster.client import ApiError, Client, eventually, path_of
from tests.cluster.compile_test import a_job, a_runtime
from tests.cluster.conftest import CRDS, ROOT
from tests.cluster.jobs import Json, a_jobset, a_note, a_trainjob, conditions, end_pods
from tests.cluster.plane import Plane
from tests.cluster.posting import pods
from tests.cluster.process import Process, free_ports
from tests.cluster.refusals import compare
from tests.cluster.running import process
from trainc.install.files import OVERLAYS
from trainc.install.install import Installation, objects
from trainc.install.meta import NAME, NAMESPACE

SECRETS = (("ssh", "-mpi-ssh-auth"), ("curve", "-flux-curve"))
OTHERS = [path for path in sorted(CRDS.glob("*.yaml")) if "trainer.kubeflow.org" not in path.name]


@pytest.fixture(scope="module")
def plane(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    """One of its own, without our kinds: they come with the installation."""
    try:
        binaries = find(build=False)
    except UnavailableError as why:
        pytest.skip(str(why))
    started = Plane(binaries, tmp_path_factory.mktemp("modes"), OTHERS)
    try:
        started.start()
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="module")
def admin(plane: Plane) -> Client:
    return plane.client()


def _install(admin: Client, wanted: Installation) -> None:
    for manifest in objects(wanted):
        # The kinds need a moment before their objects can be told.
        eventually(partial(_applied, admin, manifest))


def _applied(admin: Client, manifest: Json) -> bool:
    try:
        admin.apply(manifest, manager="kubectl")
    except ApiError as error:
        if error.code != 404:
            raise
        return False
    return True


def _remove(admin: Client, wanted: Installation) -> None:
    """As ``kubectl delete -f`` does, from the last to the first."""
    for manifest in reversed(objects(wanted)):
        metadata = manifest["metadata"]
        if admin.find(manifest["kind"], metadata.get("namespace", ""), metadata["name"]):
            admin.delete(manifest["kind"], metadata.get("namespace", ""), metadata["name"])


def _namespace(admin: Client, name: str) -> None:
    admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    eventually(lambda: admin.find("ServiceAccount", name, "default"))


def _bearer(admin: Client) -> str:
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{NAME}/token"
    return str(admin.call("POST", path, request)["status"]["token"])


@contextmanager
def _installed_controller(
    plane: Plane, admin: Client, namespace: str, folder: Path, *more: str
) -> Iterator[Process]:
    """The controller as its Deployment runs it, but for its addresses."""
    arguments = ["--lease-namespace", NAMESPACE, "--progress", "127.0.0.1:0"]
    arguments += ["--progress-tls", str(folder), "--progress-host", NAME]
    arguments += ["--progress-secret", f"{NAMESPACE}/trainc-progress-tls", *more]
    with process(plane, namespace, *arguments, bearer=_bearer(admin)) as controller:
        yield controller
        assert controller.returncode is None
        assert "orbidden" not in controller.log.read_text()


def _may(client: Client, namespace: str, verb: str, resource: str) -> bool:
    group, _, plural = resource.rpartition("/")
    plural, _, subresource = plural.partition(":")
    attributes = {"namespace": namespace, "verb": verb, "group": group, "resource": plural}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {**attributes, "subresource": subresource}},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    return bool(client.call("POST", path, review)["status"]["allowed"])


SERVED = [
    ("list", "trainer.kubeflow.org/trainjobs"),
    ("patch", "trainer.kubeflow.org/trainjobs:status"),
    ("watch", "jobset.x-k8s.io/jobsets"),
    ("delete", "jobset.x-k8s.io/jobsets"),
    ("create", "secrets"),
    ("create", "events"),
    ("get", "pods"),
]
NEVER = [
    *((verb, "secrets") for verb in ("get", "list", "watch", "update", "patch", "delete")),
    ("update", "trainer.kubeflow.org/trainjobs"),
    ("create", "pods"),
    ("list", "pods"),
    ("create", "pods:exec"),
    ("create", "serviceaccounts:token"),
    ("impersonate", "users"),
    ("list", "configmaps"),
]


def test_namespaced(plane: Plane, admin: Client, tmp_path: Path) -> None:
    """It works in its namespace and can do nothing in another."""
    wanted = Installation(namespaces=("team-a",))
    for name in ("team-a", "team-b"):
        _namespace(admin, name)
    _install(admin, wanted)
    with _installed_controller(plane, admin, "team-a", tmp_path):
        admin.apply(a_trainjob("team-a"))
        admin.apply(a_jobset("team-a"))
        # Its pods wait; kwok would run them without their Secrets, and then nobody wants those.
        waiting = a_note("waits", secrets=SECRETS)
        admin.apply(a_jobset("team-a", "waits", note=waiting, start="never"))
        eventually(lambda: admin.find("Secret", "team-a", "waits-flux-curve"), 120)
        eventually(lambda: pods(admin, "team-a"))
        end_pods(admin, "team-a", "complete")
        eventually(lambda: "Complete" in conditions(admin, "team-a"), 120)
    client = plane.client_with(_bearer(admin))
    assert [each for each in SERVED if not _may(client, "team-a", *each)] == []
    assert [each for each in SERVED if _may(client, "team-b", *each)] == []
    assert [each for each in SERVED if _may(client, "", *each)] == []  # cluster-wide
    assert [each for each in NEVER if _may(client, "team-a", *each)] == []
    _remove(admin, Installation(namespaces=("team-a",), with_crds=False))
    eventually(lambda: admin.find("Namespace", "", NAMESPACE) is None, 60)


def test_a_namespace_without_rights_holds_up_no_other(plane: Plane, admin: Client) -> None:
    """Where a team's namespace is deleted, the rights in it go too."""
    _namespace(admin, "left")
    _install(admin, Installation(namespaces=("left",)))
    arguments = ["--no-leader-elect", "--namespace", "gone"]
    port = free_ports(1)[0]
    with process(plane, "left", *arguments, bearer=_bearer(admin), health=port):
        admin.apply(a_trainjob("left"))
        admin.apply(a_jobset("left", end="complete"))
        eventually(lambda: "Complete" in conditions(admin, "left"), 120)
        ready = urllib3.request("GET", f"http://127.0.0.1:{port}/readyz", retries=False)
        assert (ready.status, ready.data) == (200, b"ok\n")
    _remove(admin, Installation(namespaces=("left",), with_crds=False))
    eventually(lambda: admin.find("Namespace", "", NAMESPACE) is None, 60)


def test_its_pods_keep_to_the_restricted_standard(admin: Client) -> None:
    """The API server's own admission lets them in, with the image's user and without a token."""
    _install(admin, OVERLAYS["cluster"])
    made = eventually(lambda: len(p := admin.list("Pod", NAMESPACE)) == 2 and p)
    namespace = admin.get("Namespace", "", NAMESPACE)
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    eventually(lambda: all(p["status"]["phase"] == "Running" for p in admin.list("Pod", NAMESPACE)))
    plain = {"name": "x", "image": "x:1"}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x", "namespace": NAMESPACE},
        "spec": {"containers": [plain]},
    }
    with pytest.raises(ApiError, match="violates PodSecurity"):
        admin.create(pod, dryRun="All")
    budget = eventually(lambda: _allows(admin))
    assert budget == 1, made


def _allows(admin: Client) -> int:
    """How many of its pods a drain may take away now."""
    found = admin.get("PodDisruptionBudget", NAMESPACE, NAME).get("status", {})
    return int(found.get("disruptionsAllowed", 0))


def test_our_kinds_and_policies_alone_refuse_what_the_reference_refuses(admin: Client) -> None:
    """No kind of the operator was ever here."""

    def refused() -> int:
        found = compare(admin)
        assert found.wrong == []
        return found.cases

    # Policies take effect a moment after they are there.
    assert eventually(refused, 60, 1) > 20


def test_kubeflow_sdk(plane: Plane, admin: Client, tmp_path: Path) -> None:
    """With --compile it makes whatever kind of object a TrainJob comes to, and reads no more."""
    _install(admin, OVERLAYS["kubeflow-sdk"])
    namespace = "sdk"
    _namespace(admin, namespace)
    runtime = a_runtime(namespace)
    runtime["spec"]["podGroupPolicy"] = {"coscheduling": {}}
    env = [{"name": "METADATA_LOC", "value": "s3://lake/a/b/metadata/1.metadata.json"}]
    admin.apply(runtime)
    jobs = [
        a_job(namespace, "gang"),
        a_trainjob(namespace, "plain"),
        a_trainjob(namespace, "mpi", runtimeRef={"name": "deepspeed-distributed"}),
        a_trainjob(namespace, "flux", runtimeRef={"name": "flux-distributed"}),
        a_trainjob(
            namespace,
            "cached",
            runtimeRef={"name": "torch-distributed-with-cache"},
            initializer={"dataset": {"storageUri": "cache://a/b", "env": env}},
        ),
    ]
    with _installed_controller(plane, admin, namespace, tmp_path, "--compile"):
        for job in jobs:
            admin.create(job)
        for job in jobs:
            name = job["metadata"]["name"]
            eventually(partial(admin.find, "JobSet", namespace, name), 120)
        for name in ("mpi-mpi-ssh-auth", "flux-flux-curve", "cached-cache-auth"):
            eventually(partial(admin.find, "Secret", namespace, name), 120)
        for kind in ("LeaderWorkerSet", "ServiceAccount", "Role", "RoleBinding"):
            assert admin.find(kind, namespace, "cached-cache"), kind
        podgroups = "/apis/scheduling.x-k8s.io/v1alpha1/namespaces/sdk/podgroups"
        assert [p["metadata"]["name"] for p in admin.call("GET", podgroups)["items"]] == ["gang"]
    client = plane.client_with(_bearer(admin))
    assert [each for each in NEVER if _may(client, namespace, *each)] == []


def test_the_sidecar_of_argo_cd_is_taken(admin: Client) -> None:
    """The patch, on a Deployment that has the volumes of Argo CD's repo server."""
    _namespace(admin, "argocd")
    labels = {"app.kubernetes.io/name": "argocd-repo-server"}
    volumes: list[Json] = [
        {"name": name, "emptyDir": {}} for name in ("var-files", "plugins", "tmp")
    ]
    pod = {"containers": [{"name": "argocd-repo-server", "image": "argocd:1"}], "volumes": volumes}
    server = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "argocd-repo-server", "namespace": "argocd"},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
    admin.create(server)
    path = path_of("Deployment", "argocd", "argocd-repo-server")
    patch = yaml.safe_load((ROOT / "deploy" / "argo-cd" / "sidecar.yaml").read_text())
    content = "application/strategic-merge-patch+json"
    admin.call("PATCH", path, patch, content, fieldValidation="Strict")
    spec = admin.get("Deployment", "argocd", "argocd-repo-server")["spec"]["template"]["spec"]
    assert [each["name"] for each in spec["containers"]] == ["trainc", "argocd-repo-server"]
    mounted = {each["name"] for each in spec["containers"][0]["volumeMounts"]}
    assert mounted <= {each["name"] for each in spec["volumes"]}


@pytest.mark.parametrize(
    "kind", ["trainer.kubeflow.org/trainjobs", "jobset.x-k8s.io/jobsets"], ids=lambda kind: kind
)
def test_users_get_rights_on_jobs_by_their_role(admin: Client, kind: str) -> None:
    """Who may edit a namespace may edit jobs there, who may view, view: for `trainc status`."""
    for role, verbs in (("edit", {"create", "delete", "patch", "get"}), ("view", {"get", "list"})):
        eventually(partial(_holds, admin, role, kind, verbs))
        assert role == "edit" or "create" not in _held(admin, role, kind)


def _holds(admin: Client, role: str, kind: str, verbs: set[str]) -> bool:
    return verbs <= _held(admin, role, kind)


def _held(admin: Client, role: str, kind: str) -> set[str]:
    """The verbs on a kind that an aggregated role has."""
    group, plural = kind.split("/")
    rules = admin.get("ClusterRole", "", role).get("rules") or []
    ours = (rule for rule in rules if group in rule["apiGroups"])
    return {verb for rule in ours if plural in rule["resources"] for verb in rule["verbs"]}


def test_deleting_it_leaves_jobs_running(admin: Client) -> None:
    """Without the kinds: those that were compiled in the cluster run on."""
    before = {p["metadata"]["uid"] for p in _running(admin, "sdk")}
    assert before
    _remove(admin, Installation(compiles=True, with_runtimes=True, with_crds=False))
    eventually(lambda: admin.find("Namespace", "", NAMESPACE) is None, 60)
    assert {p["metadata"]["uid"] for p in _running(admin, "sdk")} >= before


def test_deleting_the_kinds_too_leaves_built_jobs_running(admin: Client) -> None:
    """TrainJobs go with their kind; a JobSet from Git belongs to none of them and runs on."""
    _install(admin, OVERLAYS["cluster"])
    namespace = "built"
    _namespace(admin, namespace)
    admin.apply(a_trainjob(namespace))
    admin.apply(a_jobset(namespace))
    (pod,) = eventually(lambda: _running(admin, namespace))
    _remove(admin, OVERLAYS["cluster"])
    gone = "trainjobs.trainer.kubeflow.org"
    eventually(lambda: admin.find("CustomResourceDefinition", "", gone) is None, 60)
    eventually(lambda: admin.find("Namespace", "", NAMESPACE) is None, 60)
    (still,) = _running(admin, namespace)
    assert still["metadata"]["uid"] == pod["metadata"]["uid"]
    end_pods(admin, namespace, "complete")
    eventually(lambda: _completed(admin, namespace))


def _running(admin: Client, namespace: str) -> list[Json]:
    return [pod for pod in admin.list("Pod", namespace) if pod["status"]["phase"] == "Running"]


def _completed(admin: Client, namespace: str) -> bool:
    found = admin.get("JobSet", namespace, "m").get("status", {}).get("conditions") or []
    return any(each["type"] == "Completed" for each in found)
