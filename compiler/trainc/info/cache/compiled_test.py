from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as made_by
from typing import Any

import pytest

from trainc import names
from trainc.compile import Inputs, compile_documents
from trainc.kube.pod import problems
from trainc.plan.plan import Object, Output, Plan
from trainc.sample import REFERENCE
from trainc.source.parse import parse
from trainc.spec.compat import SOUND, Compat
from trainc.spec.spec import Settings

Json = dict[str, Any]

IMAGE = "example.com/data-cache:1"
RUNTIME = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: ClusterTrainingRuntime
metadata: {name: rt}
spec:
  mlPolicy: {torch: {}}
  template:
    metadata:
      annotations: {trainc.dev/cache: compiled}
    spec:
      replicatedJobs:
      - name: dataset-initializer
        template:
          metadata:
            labels: {trainer.kubeflow.org/trainjob-ancestor-step: dataset-initializer}
          spec:
            template:
              spec:
                containers:
                - name: dataset-initializer
                  image: example.com/initializer:1
                  env:
                  - {name: CACHE_IMAGE, value: "example.com/data-cache:1"}
                  - name: TRAIN_JOB_NAME
                    valueFrom:
                      fieldRef: {fieldPath: "metadata.labels['jobset.sigs.k8s.io/jobset-name']"}
                  volumeMounts:
                  - {name: initializer, mountPath: /workspace}
                volumes:
                - {name: initializer, emptyDir: {}}
      - name: node
        template:
          metadata:
            labels: {trainer.kubeflow.org/trainjob-ancestor-step: trainer}
          spec:
            template:
              spec:
                containers:
                - {name: node, image: "example.com/img:1"}
"""
# The initializer's pods would be refused before the cache's: their names are longer.
SHORT = RUNTIME.replace("- name: dataset-initializer\n        t", "- name: i\n        t")
URI = "cache://reviews/polarity"
METADATA: Mapping[str, Any] = {"METADATA_LOC": "s3://lake/00042.metadata.json"}


def job(name: str = "m", uri: str = URI, env: Mapping[str, Any] = METADATA, more: str = "") -> str:
    items = [{"name": k, "value": v} if isinstance(v, str) else {"name": k, **v}
             for k, v in env.items()]  # fmt: skip
    return f"""\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {{name: {name}, namespace: team}}
spec:
  runtimeRef: {{name: rt}}
  initializer: {{dataset: {{storageUri: "{uri}", env: {json.dumps(items)}{more}}}}}
  trainer: {{numNodes: 2}}
"""


def made(
    *jobs: str,
    runtime: str = RUNTIME,
    compat: Compat = SOUND,
    shared: bool = False,
    output: Output = Output(),  # noqa: B008 - a tuple
) -> Plan:
    documents, wrong = parse("\n---\n".join((*jobs, runtime)).encode(), "input.yaml")
    assert not wrong
    settings = Settings(compat, shared_caches=shared)
    return compile_documents(Inputs(tuple(documents)), settings, output)


def by_kind(plan: Plan) -> dict[str, Json]:
    assert not [p for p in plan.problems if p.severity == "error"], plan.problems
    return {str(o.manifest["kind"]): dict(o.manifest) for o in plan.objects}


def pods(group: Json) -> tuple[Json, Json]:
    template = group["spec"]["leaderWorkerTemplate"]
    return template["leaderTemplate"]["spec"], template["workerTemplate"]["spec"]


def env_of(container: Json) -> dict[str, Any]:
    return {i["name"]: i.get("value", i.get("valueFrom")) for i in container.get("env", ())}


def container_of(jobset: Json, name: str) -> tuple[Json, Json]:
    """A container of the JobSet, and its pod."""
    for each in jobset["spec"]["replicatedJobs"]:
        pod: Json = each["template"]["spec"]["template"]["spec"]
        for container in pod["containers"]:
            if container["name"] == name:
                return container, pod
    raise KeyError(name)


def test_a_cache_is_five_objects_beside_the_jobset() -> None:
    found = by_kind(made(job()))
    assert {kind: each["metadata"]["name"] for kind, each in found.items()} == {
        "ServiceAccount": "m-cache",
        "Role": "m-cache",
        "RoleBinding": "m-cache",
        "Service": "m-cache-service",
        "LeaderWorkerSet": "m-cache",
        "JobSet": "m",
    }
    assert found["Role"]["rules"] == []
    assert found["ServiceAccount"]["automountServiceAccountToken"] is False
    assert "replicas" not in found["LeaderWorkerSet"]["spec"]  # the controller's


def test_head_and_workers_are_what_the_contract_says() -> None:
    group = by_kind(made(job()))["LeaderWorkerSet"]
    assert group["spec"]["leaderWorkerTemplate"]["size"] == 3
    assert group["spec"]["leaderWorkerTemplate"]["restartPolicy"] == "None"
    for role, pod in zip(("head", "worker"), pods(group), strict=True):
        (container,) = pod["containers"]
        assert container["command"] == ["python", "-m", "trainc.cache"]
        assert container["args"] == [role, "0.0.0.0", "50051"]  # noqa: S104
        assert container["image"] == IMAGE
        env = env_of(container)
        assert env["METADATA_LOC"] == "s3://lake/00042.metadata.json"
        assert (env["SCHEMA_NAME"], env["TABLE_NAME"]) == ("reviews", "polarity")
        assert "TRAIN_JOB_NAME" not in env
        assert "CACHE_IMAGE" not in env
        assert container["readinessProbe"]["httpGet"] == {
            "path": "/ready", "port": "health", "scheme": "HTTPS"}  # fmt: skip
        mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
        for name in ("CERT", "KEY", "CA"):
            path = env[f"TRAINC_CACHE_TLS_{name}"]
            assert path.rpartition("/")[0] in mounted
        assert mounted <= {m["mountPath"] for m in container["volumeMounts"]
                           if m["name"] in {v["name"] for v in pod["volumes"]}}  # fmt: skip


def test_the_pods_pass_what_the_api_server_checks_of_pods() -> None:
    found = by_kind(made(job(env={**METADATA, "WORKER_DISK": "20Gi"})))
    jobset = found["JobSet"]
    for pod in pods(found["LeaderWorkerSet"]):
        one = {"name": "x", "template": {"spec": {"template": {
            "spec": {**pod, "restartPolicy": "Never"}}}}}  # fmt: skip
        assert not [*problems({**jobset, "spec": {"replicatedJobs": [one]}})]


def test_the_initializer_waits_and_trusts_the_ca_alone() -> None:
    container, pod = container_of(by_kind(made(job()))["JobSet"], "dataset-initializer")
    env = env_of(container)
    assert env["CACHE_HEAD"] == "m-cache-service:8080"
    assert env["TRAINC_CACHE_TLS_CA"] == "/var/run/secrets/trainc/cache/ca.crt"
    (auth,) = (v["secret"] for v in pod["volumes"] if "secret" in v)
    assert auth["secretName"] == "m-cache-auth"  # noqa: S105
    assert [item["key"] for item in auth["items"]] == ["ca.crt"]


@pytest.mark.parametrize(
    ("given", "want"), [({}, 2400), ({"CACHE_READY_TIMEOUT_SECONDS": "60"}, 660)]
)
def test_the_wait_has_a_deadline_that_retries_do_not_move(given: dict[str, str], want: int) -> None:
    found = by_kind(made(job(env={**METADATA, **given})))
    spec = found["JobSet"]["spec"]["replicatedJobs"][0]["template"]["spec"]
    assert spec["activeDeadlineSeconds"] == want
    own = RUNTIME.replace(
        "          spec:\n", "          spec:\n            activeDeadlineSeconds: 7\n", 1
    )
    spec = by_kind(made(job(), runtime=own))["JobSet"]["spec"]["replicatedJobs"][0]
    assert spec["template"]["spec"]["activeDeadlineSeconds"] == 7
    (container,) = pods(found["LeaderWorkerSet"])[0]["containers"]
    assert "CACHE_READY_TIMEOUT_SECONDS" not in env_of(container)


def test_resizing_the_cache_leaves_the_jobset_as_it_is() -> None:
    def jobset(size: str) -> Json:
        found = by_kind(made(job(env={**METADATA, "CLUSTER_SIZE": size})))["JobSet"]
        found["metadata"] = {}  # the digest in its annotation changes, and may
        return found

    assert jobset("3") == jobset("9")


def test_the_trainer_finds_the_cache_and_sees_no_private_key() -> None:
    container, pod = container_of(by_kind(made(job()))["JobSet"], "node")
    env = env_of(container)
    assert env["TRAINC_CACHE_ADDRESS"] == "grpc+tls://m-cache-service:50051"
    (auth,) = (v["secret"] for v in pod["volumes"] if "secret" in v)
    assert [item["key"] for item in auth["items"]] == ["ca.crt", "token"]
    for name in ("TRAINC_CACHE_TLS_CA", "TRAINC_CACHE_TOKEN_FILE"):
        assert env[name].startswith("/var/run/secrets/trainc/cache/")


def test_the_job_has_the_last_word_on_its_env() -> None:
    own = "trainer: {env: [{name: TRAINC_CACHE_ADDRESS, value: 'grpc://elsewhere:1'}]}"
    text = job().replace("trainer: {numNodes: 2}", own)
    container, _ = container_of(by_kind(made(text))["JobSet"], "node")
    assert env_of(container)["TRAINC_CACHE_ADDRESS"] == "grpc://elsewhere:1"


def test_the_controller_is_told_of_cache_and_secret() -> None:
    jobset = by_kind(made(job()))["JobSet"]
    note = json.loads(jobset["metadata"]["annotations"][names.JOB_ANNOTATION])
    assert note["cache"] == "m-cache"
    assert note["secrets"] == [{"kind": "cache-auth", "name": "m-cache-auth"}]


def test_an_inline_secret_holds_pair_and_token() -> None:
    secret = by_kind(made(job(), output=Output(secrets="inline")))["Secret"]
    assert secret["metadata"]["name"] == "m-cache-auth"
    assert set(secret["stringData"]) == {"ca.crt", "tls.crt", "tls.key", "token"}


def test_an_insecure_cache_has_no_secret_anywhere() -> None:
    runtime = RUNTIME.replace(
        "cache: compiled", 'cache: compiled, trainc.dev/cache-insecure: "true"'
    )
    plan = made(job(), runtime=runtime, output=Output(secrets="inline"))
    assert "m-cache-auth" not in json.dumps([o.manifest for o in plan.objects])
    found = by_kind(plan)
    for pod in pods(found["LeaderWorkerSet"]):
        (container,) = pod["containers"]
        assert env_of(container)["TRAINC_CACHE_INSECURE"] == "true"
        assert container["readinessProbe"]["httpGet"]["scheme"] == "HTTP"
    node, _ = container_of(found["JobSet"], "node")
    assert env_of(node)["TRAINC_CACHE_ADDRESS"] == "grpc://m-cache-service:50051"


def test_a_job_cannot_make_its_cache_insecure() -> None:
    patch = """\
  runtimePatches:
  - manager: example.com/me
    trainingRuntimeSpec:
      template:
        metadata: {annotations: {trainc.dev/cache-insecure: "true"}}
"""
    found = by_kind(made(job(env={**METADATA, "TRAINC_CACHE_INSECURE": "true"}) + patch))
    (container,) = pods(found["LeaderWorkerSet"])[0]["containers"]
    assert env_of(container)["TRAINC_CACHE_TLS_CERT"]
    assert "TRAINC_CACHE_INSECURE" not in env_of(container)
    assert container["readinessProbe"]["httpGet"]["scheme"] == "HTTPS"
    node, _ = container_of(found["JobSet"], "node")
    assert env_of(node)["TRAINC_CACHE_ADDRESS"].startswith("grpc+tls://")


def test_sizes_and_probes_follow_the_environment() -> None:
    env = {**METADATA, "CLUSTER_SIZE": "5", "HEAD_CPU": "500m", "HEAD_MEM": "512Mi",
           "WORKER_CPU": "8", "WORKER_MEM": "64Gi", "WORKER_DISK": "200Gi",
           "READINESS_INITIAL_DELAY_SECONDS": "0", "READINESS_PERIOD_SECONDS": "2",
           "READINESS_TIMEOUT_SECONDS": "3", "READINESS_FAILURE_THRESHOLD": "9"}  # fmt: skip
    group = by_kind(made(job(env=env)))["LeaderWorkerSet"]
    head, worker = pods(group)
    assert group["spec"]["leaderWorkerTemplate"]["size"] == 5
    assert head["containers"][0]["resources"]["limits"] == {"cpu": "500m", "memory": "512Mi"}
    want = {"cpu": "8", "memory": "64Gi", "ephemeral-storage": "200Gi"}
    assert worker["containers"][0]["resources"] == {"limits": want, "requests": want}
    assert {"name": "cache-rows", "emptyDir": {"sizeLimit": "200Gi"}} in worker["volumes"]
    probe = worker["containers"][0]["readinessProbe"]
    assert (probe["initialDelaySeconds"], probe["periodSeconds"]) == (0, 2)
    assert (probe["timeoutSeconds"], probe["failureThreshold"]) == (3, 9)


def test_the_cache_stands_where_the_initializer_may_stand() -> None:
    runtime = RUNTIME.replace(
        "                volumes:\n",
        """\
                nodeSelector: {pool: memory}
                tolerations: [{key: dedicated, operator: Exists}]
                imagePullSecrets: [{name: registry}]
                volumes:
                - {name: lake, persistentVolumeClaim: {claimName: lake}}
""",
        1,
    ).replace("mountPath: /workspace}", "mountPath: /workspace}\n" + " " * 18
              + "- {name: lake, mountPath: /lake, readOnly: true}")  # fmt: skip
    for pod in pods(by_kind(made(job(), runtime=runtime))["LeaderWorkerSet"]):
        assert pod["nodeSelector"] == {"pool": "memory"}
        assert pod["tolerations"] == [{"key": "dedicated", "operator": "Exists"}]
        assert pod["imagePullSecrets"] == [{"name": "registry"}]
        mounts = {m["name"]: m["mountPath"] for m in pod["containers"][0]["volumeMounts"]}
        assert mounts["lake"] == "/lake"
        assert "initializer" not in mounts


@dataclass(frozen=True)
class Identity:
    __test__ = False
    name: str
    env: dict[str, str]
    want: dict[str, str]


@pytest.mark.parametrize(
    "case",
    [
        Identity("aws", {"IAM_ROLE": "arn:aws:iam::1:role/r"}, {
            "eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/r",
            "eks.amazonaws.com/sts-regional-endpoints": "true"}),
        Identity("google", {"GCP_SERVICE_ACCOUNT": "a@p.iam.gserviceaccount.com"}, {
            "iam.gke.io/gcp-service-account": "a@p.iam.gserviceaccount.com"}),
        Identity("azure", {"AZURE_CLIENT_ID": "1-2"}, {
            "azure.workload.identity/client-id": "1-2"}),
    ],
    ids=lambda case: case.name,
)  # fmt: skip
def test_a_cloud_lends_its_identity(case: Identity) -> None:
    found = by_kind(made(job(env={**METADATA, **case.env})))
    assert found["ServiceAccount"]["metadata"]["annotations"] == case.want
    assert "IAM_ROLE" not in env_of(pods(found["LeaderWorkerSet"])[0]["containers"][0])


def test_a_service_account_that_is_there_is_used_and_not_printed() -> None:
    found = by_kind(made(job(env={**METADATA, "CACHE_SERVICE_ACCOUNT": "lake-reader"})))
    assert not {"ServiceAccount", "Role", "RoleBinding"} & set(found)
    assert all(p["serviceAccountName"] == "lake-reader" for p in pods(found["LeaderWorkerSet"]))


def test_credentials_of_the_job_reach_the_cache() -> None:
    found = by_kind(made(job(more=", secretRef: {name: lake}")))
    for pod in pods(found["LeaderWorkerSet"]):
        assert pod["containers"][0]["envFrom"] == [{"secretRef": {"name": "lake"}}]


@dataclass(frozen=True)
class Wrong:
    """What is refused, and where."""

    __test__ = False
    name: str
    message: str
    field: str
    env: dict[str, Any] = made_by(default_factory=lambda: dict(METADATA))
    uri: str = URI
    job: str = "m"
    runtime: str = RUNTIME


DATASET = "spec.initializer.dataset"
WRONG = [
    Wrong("a lone head", 'CLUSTER_SIZE must be a number, at least 2, got "1"',
          f"{DATASET}.env[1].value", {**METADATA, "CLUSTER_SIZE": "1"}),
    Wrong("a size that is none", "CLUSTER_SIZE must be a number",
          f"{DATASET}.env[1].value", {**METADATA, "CLUSTER_SIZE": "three"}),
    Wrong("memory that is none", "WORKER_MEM must be a quantity above 0",
          f"{DATASET}.env[1].value", {**METADATA, "WORKER_MEM": "64 GB"}),
    Wrong("memory that is too little", "WORKER_MEM must be at least 320Mi",
          f"{DATASET}.env[1].value", {**METADATA, "WORKER_MEM": "256Mi"}),
    Wrong("a unit forgotten", "HEAD_MEM must be at least 192Mi",
          f"{DATASET}.env[1].value", {**METADATA, "HEAD_MEM": "2"}),
    Wrong("no CPU at all", "HEAD_CPU must be a quantity above 0",
          f"{DATASET}.env[1].value", {**METADATA, "HEAD_CPU": "0"}),
    Wrong("a size only the cluster knows", "must be a value",
          f"{DATASET}.env[1].value", {**METADATA, "CLUSTER_SIZE": {
              "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}}),
    Wrong("an unknown lifetime", "CACHE_LIFETIME must be job or shared",
          f"{DATASET}.env[1].value", {**METADATA, "CACHE_LIFETIME": "forever"}),
    Wrong("a table without its schema", "neither cache://SCHEMA/TABLE nor",
          f"{DATASET}.storageUri", uri="cache://polarity"),
    Wrong("a scheme in capitals", "neither cache://SCHEMA/TABLE nor",
          f"{DATASET}.storageUri", uri="Cache://reviews/polarity"),
    Wrong("a blank too many", "neither cache://SCHEMA/TABLE nor",
          f"{DATASET}.storageUri", uri="cache://reviews/polarity "),
    Wrong("nobody to wait", "no container dataset-initializer that could wait",
          f"{DATASET}.storageUri", runtime=RUNTIME.replace(
              "                containers:\n                - name: dataset-initializer",
              "                containers: [{name: other, image: 'example.com/o:1'}]\n"
              "                initContainers:\n                - name: dataset-initializer", 1)
          .replace("trainjob-ancestor-step: dataset-initializer", "other: label")),
    Wrong("an unknown kind", "neither cache://SCHEMA/TABLE nor",
          f"{DATASET}.storageUri", uri="cache+xml://s3://lake/x"),
    Wrong("a table that is nowhere", "nothing says where", f"{DATASET}.storageUri", {}),
    Wrong("a name too long", "must be at most 44 characters beside a compiled cache, got 45",
          "metadata.name", job="m" * 45, runtime=SHORT),
    Wrong("no image", "CACHE_IMAGE is not set", DATASET,
          runtime=RUNTIME.replace("CACHE_IMAGE", "OTHER")),
    Wrong("an annotation nobody reads", 'must be compiled, got "yes"',
          "spec.template.metadata.annotations.trainc.dev/cache",
          runtime=RUNTIME.replace("cache: compiled", 'cache: "yes"')),
    Wrong("a size of the runtime",  "CLUSTER_SIZE must be a number",
          "spec.template.spec.replicatedJobs[0].template.spec.template.spec.containers[0]"
          ".env[1].value",
          runtime=RUNTIME.replace("                  - name: TRAIN_JOB", " " * 18
                                  + "- {name: CLUSTER_SIZE, value: '0'}\n" + " " * 18
                                  + "- name: TRAIN_JOB")),
]  # fmt: skip


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.name)
def test_what_cannot_be_is_told_at_its_place(case: Wrong) -> None:
    plan = made(job(case.job, case.uri, case.env), runtime=case.runtime)
    (problem,) = (p for p in plan.problems if p.severity == "error")
    assert case.message in problem.message
    assert problem.field == case.field
    assert problem.mark is not None
    assert problem.mark.line > 1


def test_the_longest_name_that_fits_does() -> None:
    assert "LeaderWorkerSet" in by_kind(made(job("m" * 44), runtime=SHORT))


@pytest.mark.parametrize("uri", ["cache+parquet://s3://lake/reviews", "cache+csv:///lake/x"])
def test_files_are_a_source_too(uri: str) -> None:
    found = by_kind(made(job(uri=uri, env={})))
    env = env_of(pods(found["LeaderWorkerSet"])[1]["containers"][0])
    assert env["STORAGE_URI"] == uri
    assert "SCHEMA_NAME" not in env


@pytest.mark.parametrize(
    ("uri", "runtime", "compat"),
    [
        (URI, RUNTIME, REFERENCE),
        (URI, RUNTIME.replace("annotations: {trainc.dev/cache: compiled}", "labels: {}"), SOUND),
        ("hf://org/name", RUNTIME, SOUND),
    ],
    ids=["the reference", "no annotation", "another scheme"],
)
def test_nobody_else_gets_a_cache(uri: str, runtime: str, compat: Compat) -> None:
    found = by_kind(made(job(uri=uri), runtime=runtime, compat=compat))
    assert set(found) == {"JobSet"}
    assert "CACHE_HEAD" not in env_of(container_of(found["JobSet"], "dataset-initializer")[0])


def of_cache(plan: Plan) -> list[Object]:
    return [o for o in plan.objects if o.manifest["kind"] != "JobSet"]


def test_jobs_that_want_the_same_share_a_cache() -> None:
    plan = made(job("a"), job("b"), shared=True, output=Output(secrets="inline"))
    assert not plan.problems
    kinds = [o.manifest["kind"] for o in of_cache(plan)]
    assert sorted(kinds) == sorted({*kinds})
    assert "Secret" in kinds
    (name,) = {o.manifest["metadata"]["labels"][names.CACHE_LABEL]
               for o in of_cache(plan) if o.manifest["kind"] != "Secret"}  # fmt: skip
    assert name.startswith("shared-")
    assert {o.trainjob for o in of_cache(plan)} == {("team", "")}
    for each in plan.objects:
        if each.manifest["kind"] == "JobSet":
            container, _ = container_of(dict(each.manifest), "node")
            address = env_of(container)["TRAINC_CACHE_ADDRESS"]
            assert address == f"grpc+tls://{name}-service:50051"


def test_a_shared_cache_is_named_by_its_content() -> None:
    def name(*jobs: str, **more: Any) -> set[str]:
        return {o.manifest["metadata"]["name"] for o in of_cache(made(*jobs, **more))
                if o.manifest["kind"] == "LeaderWorkerSet"}  # fmt: skip

    asked = {**METADATA, "CACHE_LIFETIME": "shared"}
    assert name(job("a", env=asked)) == name(job("b", env=asked))
    larger = name(job(env={**asked, "CLUSTER_SIZE": "9"}))
    other = name(job(env={**asked, "SNAPSHOT_ID": "7"}))
    assert len(larger | other | name(job(env=asked))) == 3
    own = {**METADATA, "CACHE_LIFETIME": "job"}
    assert name(job(env=own), shared=True) == {"m-cache"}


def test_a_shared_cache_does_not_end_with_a_job() -> None:
    jobset = by_kind(made(job(), shared=True))["JobSet"]
    note = json.loads(jobset["metadata"]["annotations"][names.JOB_ANNOTATION])
    assert "cache" not in note
    (secret,) = note["secrets"]
    assert secret["name"].startswith("shared-")
