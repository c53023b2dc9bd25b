"""``trainc diff`` says "in place" exactly where the API server and the webhooks take a change."""

from __future__ import annotations

import copy
import json
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import lws
from tests.cluster.binaries import UnavailableError
from tests.cluster.client import ApiError, Client, eventually
from tests.cluster.conftest import ROOT
from tests.cluster.plane import Plane
from tests.gitops.repository import repository
from trainc import build
from trainc.diff.fields import differences
from trainc.diff.mutability import refusals
from trainc.diff.settled import settled
from trainc.install.admission import admission

Json = dict[str, Any]

SOURCES = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: ClusterTrainingRuntime
metadata: {name: rt}
spec:
  mlPolicy: {numNodes: 1, torch: {}}
  template:
    spec:
      failurePolicy: {maxRestarts: 2}
      ttlSecondsAfterFinished: 600
      volumeClaimPolicies:
      - templates:
        - metadata: {name: data}
          spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
      replicatedJobs:
      - name: prepare
        template:
          spec:
            template:
              spec: {containers: [{name: prepare, image: "example.com/p:1"}]}
      - name: node
        dependsOn: [{name: prepare, status: Complete}]
        template:
          metadata: {labels: {trainer.kubeflow.org/trainjob-ancestor-step: trainer}}
          spec:
            template:
              metadata: {labels: {team: a}}
              spec:
                nodeSelector: {pool: gpu}
                tolerations: [{key: gpu, operator: Exists}]
                containers:
                - name: node
                  image: "example.com/t:1"
                  resources: {limits: {cpu: "1"}}
                  volumeMounts: [{name: data, mountPath: /data}]
---
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {name: m}
spec:
  runtimeRef: {name: rt}
  trainer: {numNodes: 2, args: [a, b], env: [{name: A, value: a}, {name: B, value: b}]}
"""
APPLY = "application/apply-patch+yaml"
STRICT = {"fieldManager": "test", "force": "true", "fieldValidation": "Strict"}


def pod(jobset: Json) -> Json:
    found: Json = jobset["spec"]["replicatedJobs"][1]["template"]["spec"]["template"]
    return found


def set_(path: str, value: Any) -> Callable[[Json], None]:
    """Sets what stands at a path of keys and indexes."""

    def change(root: Any) -> None:
        *steps, last = [int(s) if s.isdigit() else s for s in path.split("/")]
        for step in steps:
            root = root[step] if isinstance(step, int) else root.setdefault(step, {})
        root[last] = value

    return change


def drop(path: str) -> Callable[[Json], None]:
    def change(root: Any) -> None:
        *steps, last = [int(s) if s.isdigit() else s for s in path.split("/")]
        for step in steps:
            root = root[step]
        del root[last]

    return change


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    change: Callable[[Json], Any]
    held: bool = False
    in_place: bool = False


def reversed_env(jobset: Json) -> None:
    pod(jobset)["spec"]["containers"][0]["env"].reverse()


POD = "spec/replicatedJobs/1/template/spec/template"
NODE = f"{POD}/spec/containers/0"
JOBSETS = [
    TestCase("an argument", set_(f"{NODE}/args/0", "x")),
    TestCase("an argument while suspended", set_(f"{NODE}/args/0", "x"), held=True),
    TestCase("an image", set_(f"{NODE}/image", "example.com/t:2")),
    TestCase("env in another order", reversed_env),
    TestCase("the same quantity", set_(f"{NODE}/resources/limits/cpu", "1000m"), in_place=True),
    TestCase("another quantity", set_(f"{NODE}/resources/limits/cpu", "1001m")),
    TestCase("an empty list", set_(f"{POD}/spec/initContainers", []), in_place=True),
    TestCase("a default in words", set_(f"{POD}/spec/restartPolicy", "OnFailure"), in_place=True),
    TestCase("no default", set_(f"{POD}/spec/restartPolicy", "Never")),
    TestCase("a node selector", set_(f"{POD}/spec/nodeSelector/zone", "b")),
    TestCase(
        "a node selector while suspended", set_(f"{POD}/spec/nodeSelector/zone", "b"), True, True
    ),
    TestCase("no node selector while suspended", drop(f"{POD}/spec/nodeSelector"), True, True),
    TestCase(
        "a toleration while suspended",
        set_(f"{POD}/spec/tolerations", [{"operator": "Exists"}]),
        True,
        True,
    ),
    TestCase(
        "a gate while suspended", set_(f"{POD}/spec/schedulingGates", [{"name": "x"}]), True, True
    ),
    TestCase("a pod label while suspended", set_(f"{POD}/metadata/labels/b", "c"), True, True),
    TestCase("no pod metadata while suspended", drop(f"{POD}/metadata"), True, True),
    TestCase("a pod label", set_(f"{POD}/metadata/labels/b", "c")),
    TestCase("affinity while suspended", set_(f"{POD}/spec/affinity", {"podAffinity": {}}), True),
    TestCase(
        "a label of the Job while suspended",
        set_("spec/replicatedJobs/1/template/metadata/labels/x", "y"),
        True,
    ),
    TestCase("suspend", set_("spec/suspend", True), in_place=True),
    TestCase("resume", set_("spec/suspend", False), held=True, in_place=True),
    TestCase("the number of nodes", set_("spec/replicatedJobs/1/template/spec/parallelism", 3)),
    TestCase("replicas", set_("spec/replicatedJobs/0/replicas", 2)),
    TestCase("no mode in words", drop("spec/replicatedJobs/0/template/spec/completionMode")),
    TestCase("replicas by default", drop("spec/replicatedJobs/0/replicas"), in_place=True),
    TestCase("another job", set_("spec/replicatedJobs/0/name", "other")),
    TestCase("one job less", drop("spec/replicatedJobs/1")),
    TestCase("no dependsOn", drop("spec/replicatedJobs/1/dependsOn")),
    TestCase("labels of its own", set_("metadata/labels/a", "b"), in_place=True),
    TestCase("annotations of its own", set_("metadata/annotations/a", "b"), in_place=True),
    TestCase("the time it is kept", set_("spec/ttlSecondsAfterFinished", 60), in_place=True),
    TestCase("no time it is kept", drop("spec/ttlSecondsAfterFinished"), in_place=True),
    TestCase("restarts", set_("spec/failurePolicy/maxRestarts", 3)),
    TestCase("no failure policy", drop("spec/failurePolicy"), in_place=True),
    TestCase("a success policy", set_("spec/successPolicy", {"operator": "Any"})),
    TestCase("the success policy in words", set_("spec/successPolicy", {"operator": "All"}),
             in_place=True),
    TestCase("a startup policy", set_("spec/startupPolicy", {"startupPolicyOrder": "InOrder"})),
    TestCase("no startup policy", drop("spec/startupPolicy"), in_place=True),
    TestCase("no network", drop("spec/network"), in_place=True),
    TestCase("half a network", set_("spec/network", {"enableDNSHostnames": True})),
    TestCase("a network", set_("spec/network", {"subdomain": "x"})),
    TestCase("the network in words", set_("spec/network/enableDNSHostnames", True),
             in_place=True),
    TestCase(
        "a claim",
        set_("spec/volumeClaimPolicies/0/templates/0/spec/resources/requests/storage", "2Gi"),
    ),
    TestCase("no claims", drop("spec/volumeClaimPolicies"), in_place=True),
    TestCase("who manages it", set_("spec/managedBy", "example.com/x")),
    TestCase(
        "a coordinator", set_("spec/coordinator", {"replicatedJob": "node"}), in_place=True
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def jobset() -> Json:
    made = build(SOURCES)
    assert made.ok, made.problems
    found = next(each for each in made.objects if each["kind"] == "JobSet")
    # Two defaults of the webhook in words: what is printed once is taken away with its words.
    found["spec"]["replicatedJobs"][0]["template"]["spec"]["completionMode"] = "Indexed"
    found["spec"]["startupPolicy"] = {"startupPolicyOrder": "AnyOrder"}
    found["spec"]["network"] = {"publishNotReadyAddresses": True}
    return found


def is_taken(admin: Client, manifest: Json) -> bool:
    """Whether the server applies the manifest to the object that is there."""
    try:
        admin.call("PATCH", path(manifest), manifest, APPLY, **STRICT, dryRun="All")
    except ApiError as error:
        assert error.code in (403, 422), error
        return False
    return True


def path(manifest: Json) -> str:
    group, metadata = manifest["apiVersion"], manifest["metadata"]
    root = f"/apis/{group}" if "/" in group else f"/api/{group}"
    where = f"/namespaces/{metadata['namespace']}" if metadata.get("namespace") else ""
    plural = {"NetworkPolicy": "networkpolicies"}.get(
        manifest["kind"], f"{manifest['kind'].lower()}s"
    )
    return f"{root}{where}/{plural}/{metadata['name']}"


def placed(manifest: Json, namespace: str, name: str = "") -> Json:
    out = copy.deepcopy(manifest)
    out["metadata"]["namespace"] = namespace
    out["metadata"]["name"] = name or out["metadata"]["name"]
    return out


def judged(old: Json, new: Json) -> bool:
    return not refusals(settled(old), settled(new, old))


@pytest.mark.parametrize("case", JOBSETS, ids=lambda case: case.name)
def test_jobset(admin: Client, namespace: str, jobset: Json, case: TestCase) -> None:
    old = placed(jobset, namespace)
    old["spec"]["suspend"] = case.held
    new = copy.deepcopy(old)
    case.change(new)
    admin.apply(old)
    assert is_taken(admin, new) is case.in_place
    assert judged(old, new) is case.in_place


def test_jobsets_changed_at_random(admin: Client, namespace: str, jobset: Json) -> None:
    """Any one leaf of the examples' JobSets changed, dropped or doubled: the server's verdict."""
    built = build(str(ROOT / "examples"))
    olds = [jobset, *(each for each in built.objects if each["kind"] == "JobSet")]
    rand = random.Random(7)
    seen = {True: 0, False: 0}
    for number, manifest in enumerate(olds):
        for held in (False, True):
            old = placed(manifest, namespace, f"r{number}{'h' if held else ''}")
            old["spec"]["suspend"] = held
            admin.apply(old)
            for _ in range(20):
                new = mutated(old, rand)
                if new is None or not is_sound(admin, new):
                    continue
                verdict = is_taken(admin, new)
                assert judged(old, new) is verdict, differences(settled(old), settled(new))
                seen[verdict] += 1
    assert min(seen.values()) > 10, seen


def is_sound(admin: Client, manifest: Json) -> bool:
    """Whether the server would take it as a new object; else its refusal says nothing."""
    fresh = placed(manifest, manifest["metadata"]["namespace"], "fresh")
    try:
        admin.call("PATCH", path(fresh), fresh, APPLY, **STRICT, dryRun="All")
    except ApiError:
        return False
    return True


def mutated(root: Json, rand: random.Random) -> Json | None:
    """The object with one leaf changed or gone; None where nothing came of it."""
    out = copy.deepcopy(root)
    places: list[tuple[Any, Any]] = []

    def visit(node: Any) -> None:
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            places.append((node, key))
            if isinstance(value, dict | list):
                visit(value)

    visit(out["spec"])
    visit(out["metadata"].get("labels", {}))
    node, key = rand.choice(places)
    value = node[key]
    if rand.random() < 0.25:
        del node[key]
    elif isinstance(value, bool):
        node[key] = not value
    elif isinstance(value, int):
        node[key] = value + 1
    elif isinstance(value, str):
        node[key] = {"500m": "0.5"}.get(value, f"{value}x")
    else:
        return None
    return out


def test_trainjob(admin: Client, namespace: str) -> None:
    """The CRD's rules, and trainc's own policy for what was the reference's webhook."""
    policies(admin, namespace)
    patch = {
        "manager": "example.com/m",
        "trainingRuntimeSpec": {
            "template": {
                "spec": {
                    "replicatedJobs": [
                        {
                            "name": "node",
                            "template": {
                                "spec": {"template": {"spec": {"nodeSelector": {"a": "b"}}}}
                            },
                        }
                    ]
                }
            }
        },
    }
    old: Json = {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": {"name": "m", "namespace": namespace},
        "spec": {
            "runtimeRef": {"name": "torch-distributed"},
            "trainer": {"numNodes": 2, "resourcesPerNode": {"limits": {"cpu": 1}}},
            "runtimePatches": [patch],
            "suspend": False,
        },
    }
    selector = (
        "spec/runtimePatches/0/trainingRuntimeSpec/template/spec/replicatedJobs/0"
        "/template/spec/template/spec"
    )
    cases = [
        TestCase("trainer", set_("spec/trainer/numNodes", 3)),
        TestCase("the quantity in words", set_("spec/trainer/resourcesPerNode/limits/cpu", "1")),
        TestCase("no trainer", drop("spec/trainer"), in_place=True),
        TestCase("an initializer", set_("spec/initializer", {"model": {}}), in_place=True),
        TestCase("a deadline", set_("spec/activeDeadlineSeconds", 5), in_place=True),
        TestCase("a runtime", set_("spec/runtimeRef/name", "other")),
        TestCase("the kind in words", set_("spec/runtimeRef/kind", "ClusterTrainingRuntime"),
                 in_place=True),
        TestCase("another controller", set_("spec/managedBy", "kueue.x-k8s.io/multikueue")),
        TestCase("suspend", set_("spec/suspend", True), in_place=True),
        TestCase("a selector", set_(f"{selector}/nodeSelector/a", "c")),
        TestCase("a selector while suspended", set_(f"{selector}/nodeSelector/a", "c"), True, True),
        TestCase("no patch", set_("spec/runtimePatches", [])),
        TestCase("no patch while suspended", set_("spec/runtimePatches", []), True, True),
        TestCase("an account while suspended", set_(f"{selector}/serviceAccountName", "x"), True,
                 True),
        TestCase("a label", set_("metadata/labels", {"a": "b"}), in_place=True),
    ]  # fmt: skip
    wrong = []
    for number, case in enumerate(cases):
        before = placed(old, namespace, f"m{number}")
        before["spec"]["suspend"] = case.held
        admin.apply(before)
        after = copy.deepcopy(before)
        case.change(after)
        verdicts = (is_taken(admin, after), judged(before, after))
        if verdicts != (case.in_place, case.in_place):
            wrong.append((case.name, verdicts))
    assert wrong == []


def policies(admin: Client, namespace: str) -> None:
    """The policy on TrainJobs, for one namespace alone, in force."""
    policy, binding = copy.deepcopy(admission()[:2])
    name = f"{policy['metadata']['name']}-{namespace}"
    policy["metadata"]["name"] = binding["metadata"]["name"] = name
    binding["spec"]["policyName"] = name
    chosen = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    policy["spec"]["matchConstraints"]["namespaceSelector"] = chosen
    admin.apply(policy)
    admin.apply(binding)
    bad = {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": {"name": "bad", "namespace": namespace},
        "spec": {"runtimeRef": {"name": "x"}, "runtimePatches": [{"manager": "nodomain"}]},
    }

    def refused() -> bool:
        try:
            admin.create(bad, dryRun="All")
        except ApiError:
            return True
        return False

    eventually(refused)


def of(kind: str, group: str = "v1", **parts: Any) -> Json:
    return {"apiVersion": group, "kind": kind, "metadata": {"name": "m"}, **parts}


RBAC = "rbac.authorization.k8s.io/v1"
ROLE = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "a"}
HELPERS = [
    (of("ConfigMap", data={"a": "1"}), set_("data/a", "2"), True),
    (of("ConfigMap", data={"a": "1"}), set_("immutable", True), True),
    (of("ConfigMap", data={"a": "1"}, immutable=True), set_("data/a", "2"), False),
    (of("ConfigMap", data={"a": "1"}, immutable=True), drop("immutable"), False),
    (of("ConfigMap", data={"a": "1"}, immutable=True), set_("metadata/labels", {"a": "b"}), True),
    (of("Secret", data={"a": "MQ=="}), set_("data/a", "Mg=="), True),
    (of("Secret", data={"a": "MQ=="}, immutable=True), set_("data/a", "Mg=="), False),
    (of("Secret", data={"a": "MQ=="}), set_("type", "example.com/x"), False),
    (of("Secret", data={"a": "MQ=="}), set_("type", "Opaque"), True),
    (of("Service", spec={"clusterIP": "None", "selector": {"a": "b"}}),
     set_("spec/selector/a", "c"), True),
    (of("Service", spec={"clusterIP": "None", "selector": {"a": "b"}}),
     set_("spec/clusterIP", "10.96.7.7"), False),
    (of("Service", spec={"clusterIP": "None", "selector": {"a": "b"}}),
     drop("spec/clusterIP"), True),
    (of("ServiceAccount"), set_("automountServiceAccountToken", False), True),
    (of("Role", RBAC, rules=[]),
     set_("rules", [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]), True),
    (of("RoleBinding", RBAC, roleRef=ROLE, subjects=[]), set_("roleRef/name", "b"), False),
    (of("RoleBinding", RBAC, roleRef=ROLE, subjects=[]),
     set_("subjects", [{"kind": "ServiceAccount", "name": "x", "namespace": "y"}]), True),
    (of("PodGroup", "scheduling.x-k8s.io/v1alpha1", spec={"minMember": 2}),
     set_("spec/minMember", 3), True),
]  # fmt: skip


def test_helpers(admin: Client, namespace: str) -> None:
    wrong = []
    for number, (manifest, change, in_place) in enumerate(HELPERS):
        old = placed(manifest, namespace, f"h{number}")
        admin.call("PATCH", path(old), old, APPLY, **STRICT)
        new = copy.deepcopy(old)
        change(new)
        verdicts = (is_taken(admin, new), judged(old, new))
        if verdicts != (in_place, in_place):
            wrong.append((number, json.dumps(manifest), verdicts))
    assert wrong == []


def trainc(root: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "trainc", *args]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def verdicts(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    assert done.returncode in (0, 1), done.stderr
    return {
        f"{each['kind']}/{each['name']}": each["verdict"]
        for each in json.loads(done.stdout)["changes"]
    }


def edited(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.fixture
def project(tmp_path: Path, namespace: str) -> Path:
    """The sample repository without what the plane has no kind for."""
    root = repository(tmp_path)
    (root / "jobs/volcano.yaml").unlink()
    edited(root / "trainc.yaml", "sources: [jobs]\n", f"sources: [jobs]\nnamespace: {namespace}\n")
    return root


def test_against_a_cluster(admin: Client, plane: Plane, project: Path) -> None:
    """What is printed and applied has no differences; each change has the server's verdict."""
    compare = ("diff", "--cluster", "--kubeconfig", str(plane.kubeconfig()), "-o", "json")
    objects = json.loads(trainc(project, "build", "-o", "json").stdout)
    assert set(verdicts(trainc(project, *compare)).values()) == {"create"}
    for manifest in objects:
        admin.call("PATCH", path(manifest), manifest, APPLY, **STRICT)
    done = trainc(project, *compare)
    assert (done.returncode, verdicts(done)) == (0, {}), done.stdout
    edited(project / "jobs/jax.yaml", "--lr=1", "--lr=2")
    edited(project / "jobs/vision.yaml", "numNodes: 2", "numNodes: 3")
    edited(project / "jobs/xgboost.yaml", "team: other", "team: other, kueue.x-k8s.io/x: z")
    (project / "jobs/mpi.yaml").unlink()
    suspended = next(o for o in objects if o["metadata"]["name"] == "job-torch")
    admin.merge(
        "JobSet", suspended["metadata"]["namespace"], "job-torch", {"spec": {"suspend": True}}
    )
    done = trainc(project, *compare)
    assert done.returncode == 1
    assert verdicts(done) == {
        "JobSet/job-jax": "replace",
        "JobSet/vision": "replace",
        "JobSet/job-xgboost": "change",
        "JobSet/job-mpi": "prune",
        "ConfigMap/job-mpi-mpi-hostfile": "prune",
        # job-torch, suspended there: what the output does not print stays as it is.
    }
    fields = {
        change["name"]: [(f["path"], f.get("old"), f.get("new")) for f in change["fields"]]
        for change in json.loads(done.stdout)["changes"]
        if change.get("fields")
    }
    args = "spec.replicatedJobs[0].template.spec.template.spec.containers[0].args[0]"
    assert fields["job-jax"] == [(args, "--lr=1", "--lr=2")]


def test_what_kubectl_applied_and_is_no_longer_printed_goes(
    admin: Client, plane: Plane, project: Path
) -> None:
    """Client-side apply keeps what it applied in an annotation: a label that is gone is told."""
    edited(project / "jobs/jax.yaml", "team: other", "kueue.x-k8s.io/x: z")
    text = trainc(project, "build", "jobs/jax.yaml", "-o", "json").stdout
    (manifest,) = json.loads(text)
    note = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(manifest)}
    manifest["metadata"]["annotations"] |= note
    admin.create(manifest)
    edited(project / "jobs/jax.yaml", "kueue.x-k8s.io/x: z", "team: other")
    compare = ("diff", "--cluster", "--kubeconfig", str(plane.kubeconfig()), "-o", "json")
    (change,) = json.loads(trainc(project, *compare, "jobs/jax.yaml").stdout)["changes"]
    assert change["verdict"] == "change"
    assert {"path": "metadata.labels.kueue.x-k8s.io/x", "old": "z"} in change["fields"]


def test_without_the_right_to_try_the_rules_decide(
    admin: Client, plane: Plane, project: Path, namespace: str
) -> None:
    rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]}]
    admin.create(placed({**of("Role", RBAC, rules=rules)}, namespace, "reader"))
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"}
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": namespace}
    admin.create(placed(of("RoleBinding", RBAC, roleRef=role, subjects=[subject]), namespace))
    token = admin.call(
        "POST",
        f"/api/v1/namespaces/{namespace}/serviceaccounts/default/token",
        {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}},
    )["status"]["token"]
    for manifest in json.loads(trainc(project, "build", "jobs/jax.yaml", "-o", "json").stdout):
        admin.call("PATCH", path(manifest), manifest, APPLY, **STRICT)
    edited(project / "jobs/jax.yaml", "--lr=1", "--lr=2")
    config = plane.kubeconfig("reader", bearer=token)
    compare = ("diff", "--cluster", "--kubeconfig", str(config), "-o", "json", "jobs/jax.yaml")
    done = trainc(project, *compare)
    (change,) = json.loads(done.stdout)["changes"]
    assert change["verdict"] == "replace"
    assert "a dry run is not allowed here" in change["effects"][-1]


def test_only_what_the_same_application_manages_is_pruned(
    admin: Client, plane: Plane, project: Path
) -> None:
    """Two applications in one namespace, as Argo CD marks them; neither prunes the other's."""
    mark = "argocd.argoproj.io/tracking-id"
    for name, app in (("jax", "one"), ("torch", "one"), ("plain", "two")):
        text = trainc(project, "build", f"jobs/{name}.yaml", "-o", "json").stdout
        for manifest in json.loads(text):
            manifest["metadata"].setdefault("annotations", {})[mark] = f"{app}:x/y:n/{name}"
            query = {**STRICT, "fieldManager": "argocd-controller"}
            admin.call("PATCH", path(manifest), manifest, APPLY, **query)
    compare = ("diff", "--cluster", "--kubeconfig", str(plane.kubeconfig()), "-o", "json")
    done = trainc(project, *compare, "jobs/jax.yaml")
    assert verdicts(done) == {"JobSet/job-torch": "prune"}


def test_a_finished_job_would_run_again(admin: Client, plane: Plane, project: Path) -> None:
    (manifest,) = json.loads(trainc(project, "build", "jobs/jax.yaml", "-o", "json").stdout)
    manifest["spec"]["suspend"] = True  # else the controller writes the status too
    admin.call("PATCH", path(manifest), manifest, APPLY, **STRICT)
    condition = {
        "type": "Completed",
        "status": "True",
        "reason": "AllJobsCompleted",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    metadata = manifest["metadata"]
    status = {"status": {"conditions": [condition], "terminalState": "Completed"}}
    admin.merge("JobSet", metadata["namespace"], metadata["name"], status, "status")
    edited(project / "jobs/jax.yaml", "--lr=1", "--lr=2")
    compare = ("diff", "--cluster", "--kubeconfig", str(plane.kubeconfig()), "-o", "json")
    (change,) = json.loads(trainc(project, *compare, "jobs/jax.yaml").stdout)["changes"]
    assert change["verdict"] == "replace"
    assert change["effects"] == ["the job has finished; it would run again"]
    assert change["stopsRunningJob"] is False


def test_a_cluster_that_is_not_there(tmp_path: Path, project: Path) -> None:
    config = {"apiVersion": "v1", "kind": "Config", "clusters": [], "contexts": [], "users": []}
    (tmp_path / "config").write_text(json.dumps(config))
    done = trainc(project, "diff", "--cluster", "--kubeconfig", str(tmp_path / "config"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "no credentials" in done.stderr


def test_client_side_apply_takes_what_is_there(admin: Client, namespace: str) -> None:
    """``kubectl apply`` sends lists whole: an unchanged JobSet is no change, and can be resumed."""
    built = build(str(ROOT / "examples"))
    jobsets = [each for each in built.objects if each["kind"] == "JobSet"]
    assert len(jobsets) > 15
    for number, manifest in enumerate(jobsets):
        old = placed(manifest, namespace, f"c{number}")
        old["spec"]["suspend"] = True
        admin.create(old)
        for spec in (old["spec"], {**old["spec"], "suspend": False}):
            patch = {"spec": spec}
            admin.call("PATCH", path(old), patch, "application/merge-patch+json", dryRun="All")


WORKERS = "spec/leaderWorkerTemplate"
GROUPS = {"subGroupSize": 1}
CACHES = [
    TestCase("workers", set_(f"{WORKERS}/size", 3), in_place=True),
    TestCase("replicas", set_("spec/replicas", 2), in_place=True),
    TestCase(
        "an image",
        set_(f"{WORKERS}/workerTemplate/spec/containers/0/image", "example.com/c:2"),
        in_place=True,
    ),
    TestCase("sub-groups", set_(f"{WORKERS}/subGroupPolicy", GROUPS)),
    TestCase("a label", set_("metadata/labels/a", "b"), in_place=True),
]


def test_leaderworkerset(admin: Client, plane: Plane, namespace: str) -> None:
    """With the controller's own webhooks; of a set with sub-groups their size is fixed."""
    try:
        folder = lws.find(build=False)
    except UnavailableError as why:
        pytest.skip(str(why))
    built = build(str(ROOT / "examples/cache"))
    (manifest,) = [each for each in built.objects if each["kind"] == "LeaderWorkerSet"]
    grouped = copy.deepcopy(manifest)
    grouped["spec"]["leaderWorkerTemplate"]["subGroupPolicy"] = GROUPS
    size = f"{WORKERS}/subGroupPolicy/subGroupSize"
    more = [
        (grouped, TestCase("their size", set_(size, 2))),
        (grouped, TestCase("no sub-groups", drop(f"{WORKERS}/subGroupPolicy"))),
        (grouped, TestCase("another size", set_(f"{WORKERS}/size", 4), in_place=True)),
    ]
    wrong = []
    with lws.running(plane, folder):
        for number, (old, case) in enumerate([*((manifest, case) for case in CACHES), *more]):
            before = placed(old, namespace, f"l{number}")
            admin.call("PATCH", path(before), before, APPLY, **STRICT)
            after = copy.deepcopy(before)
            case.change(after)
            found = (is_taken(admin, after), judged(before, after))
            if found != (case.in_place, case.in_place):
                wrong.append((case.name, found))
    assert wrong == []
