"""The lints, each against a bad and a good job; ignore comments, levels and the team's rules."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

RUNTIME = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainingRuntime
metadata: {name: own}
spec:
  mlPolicy: {torch: {}}
  template:
    spec:
      replicatedJobs:
      - name: node
        template:
          metadata:
            labels: {trainer.kubeflow.org/trainjob-ancestor-step: trainer}
          spec:
            template:
              spec:
                containers: [{name: node, image: "example.com/llm:1.0"}]
"""
JOB = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata:
  name: llm
spec:
  runtimeRef: {kind: TrainingRuntime, name: own}
  activeDeadlineSeconds: 3600
  trainer:
    numNodes: 2
"""
GPUS = "    resourcesPerNode: {limits: {nvidia.com/gpu: 4FABRIC}}\n"
POD = "                containers:"


def plan(job: str, runtime: str = RUNTIME, profile: str = "none", strict: bool = True) -> Any:
    """The findings of one job with the runtime it names, as lint gives them to ``validate``."""
    from trainc.compile import Inputs, compile_documents
    from trainc.lint.settings import inspection
    from trainc.plan.plan import Output
    from trainc.source.parse import parse
    from trainc.spec.spec import Settings

    documents, problems = parse(f"{job}---\n{runtime}".encode(), "job.yaml")
    assert not problems
    inspect, wrong = inspection(None, profile=profile, allow_ttl=False, strict=strict)
    assert not wrong
    return compile_documents(Inputs(tuple(documents)), Settings(), Output(), inspect).problems


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    code: str
    job: str = JOB
    good: str = JOB
    runtime: str = RUNTIME
    good_runtime: str = RUNTIME
    profile: str = "none"


def job(text: str) -> str:
    return JOB + text


SPOT = f"                tolerations: [{{key: cloud.google.com/gke-spot, operator: Exists}}]\n{POD}"
DISK = (
    f"                volumes: [{{name: d, gcePersistentDisk: {{pdName: d, readOnly: RO}}}}]\n{POD}"
)
GRACE = "                terminationGracePeriodSeconds: 300\n"
RETRY = "          spec:\n            backoffLimit: 3\n            template:"

CACHED = JOB.replace("spec:\n", "spec:\n  initializer: {dataset: {storageUri: 'cache://s/t', env: "
                     "[{name: METADATA_LOC, value: 's3://l/m.json'}]}}\n")  # fmt: skip
INITIALIZER = RUNTIME[RUNTIME.index("      - name: node"):].replace("name: node", "name: dataset-"
    "initializer").replace("step: trainer", "step: dataset-initializer").replace("1.0\"", "1.0\", "
    "env: [{name: CACHE_IMAGE, value: 'e.com/c:1'}], volumeMounts: [{name: initializer, mountPath: "
    "/w}]") + " " * 16 + "volumes: [{name: initializer, emptyDir: {}}]\n"  # fmt: skip

FETCHED = JOB.replace("spec:\n", "spec:\n  initializer: {dataset: {storageUri: 'URI'}}\n")
OURS = RUNTIME + INITIALIZER.replace("example.com/llm", "ghcr.io/trainc-dev/trainc/initializer")

WAITS = "        dependsOn: [{name: dataset-initializer, status: Complete}]\n"
ASKED = FETCHED.replace("URI", "hf://a/b")
DATASET = RUNTIME.replace(
    "      - name: node\n",
    """\
      - name: dataset-initializer
        template:
          metadata:
            labels: {trainer.kubeflow.org/trainjob-ancestor-step: dataset-initializer}
          spec:
            template:
              spec:
                containers:
                - name: dataset-initializer
                  image: ghcr.io/trainc-dev/trainc/dataset-initializer:1.0
                  volumeMounts: [{name: initializer, mountPath: /workspace}]
                volumes: [{name: initializer, persistentVolumeClaim: {claimName: data}}]
      - name: node
AFTER""",
).replace(
    'image: "example.com/llm:1.0"}]',
    """image: "example.com/llm:1.0",
                              volumeMounts: [{name: initializer, mountPath: /workspace}]}]
                volumes: [{name: initializer, persistentVolumeClaim: {claimName: data}}]""",
)
CLAIMS = RUNTIME.replace(
    "      replicatedJobs",
    """\
      volumeClaimPolicies:
      - templates:
        - metadata: {name: data}
          spec: {accessModes: [MODE], resources: {requests: {storage: 1Gi}}}
      replicatedJobs""",
).replace('llm:1.0"}]', 'llm:1.0", volumeMounts: [{name: data, mountPath: /d}]}]')

CASES = [
    TestCase("TRC101", job(GPUS.replace("FABRIC", "") + "    numProcPerNode: 1\n"),
             job(GPUS.replace("FABRIC", "") + "    numProcPerNode: 4\n")),
    TestCase("TRC102", job("    resourcesPerNode: {requests: {nvidia.com/gpu: 4}}\n"),
             job("    resourcesPerNode: {requests: {nvidia.com/gpu: 4}, limits: "
                 "{nvidia.com/gpu: 4}}\n")),
    TestCase("TRC201", job(GPUS.replace("FABRIC", "")), job(GPUS.replace("FABRIC", ", rdma/ib: 1"))),  # noqa: E501
    TestCase("TRC202", runtime=RUNTIME.replace(POD, DISK.replace("RO", "false")),
             good_runtime=RUNTIME.replace(POD, DISK.replace("RO", "true"))),
    TestCase("TRC204", FETCHED.replace("URI", "ftp://d/s"), FETCHED.replace("URI", "GS://d/s"),
             OURS, OURS),
    TestCase("TRC204", FETCHED.replace("URI", "gs://d/s"), FETCHED.replace("URI", "s3://d/s"),
             OURS.replace("trainc-dev/trainc/", "kubeflow/trainer/"),
             OURS.replace("trainc-dev/trainc/", "kubeflow/trainer/")),
    TestCase("TRC205", CACHED, CACHED, RUNTIME + INITIALIZER,
             (RUNTIME + INITIALIZER).replace("  template:\n    spec:", "  template:\n    metadata: "
             "{annotations: {trainc.dev/cache: compiled}}\n    spec:", 1)),
    TestCase("TRC301", job("    env: [{name: HF_TOKEN, value: hf_abcdefghijklmnopqrstuv}]\n"),
             job("    env: [{name: HF_TOKEN, valueFrom: {secretKeyRef: {name: hf, key: token}}}]\n")),  # noqa: E501
    TestCase("TRC301", job("    env: [{name: SERVER_TOKEN, value: abcdefghijkl}]\n"),
             job("    env: [{name: SERVER_TOKEN, value: /var/run/secrets/acme/token}]\n")),
    TestCase("TRC301", job("    env: [{name: DB_PASSWORD, value: hunter22hunter22}]\n"),
             job("    env: [{name: TOKENIZER_PATH, value: /models/tokenizer}]\n")),
    TestCase("TRC302", job("    image: example.com:5000/llm\n"),
             job("    image: example.com:5000/llm:2.1\n")),
    TestCase("TRC302", job("    image: example.com/llm:latest\n"),
             job(f"    image: example.com/llm:latest@sha256:{'a' * 64}\n")),
    TestCase("TRC401", runtime=RUNTIME.replace("      replicatedJobs",
             "      ttlSecondsAfterFinished: 60\n      replicatedJobs"), profile="argocd"),
    TestCase("TRC402", runtime=RUNTIME.replace("          spec:\n            template:", RETRY),
             good_runtime=RUNTIME.replace("          spec:\n            template:", RETRY).replace(
             "      replicatedJobs", "      failurePolicy: {maxRestarts: 3}\n      replicatedJobs")),  # noqa: E501
    TestCase("TRC403", runtime=RUNTIME.replace(POD, SPOT),
             good_runtime=RUNTIME.replace(POD, GRACE + SPOT)),
    TestCase("TRC404", JOB.replace("  activeDeadlineSeconds: 3600\n", "")),
    TestCase("TRC405", runtime=RUNTIME.replace("{name: own}",
             "{name: own, labels: {trainer.kubeflow.org/support: deprecated}}")),
    TestCase("TRC406", JOB.replace("name: llm\n", "name: llm\n  labels: "
             "{kueue.x-k8s.io/queue-name: gpu}\n").replace("spec:\n", "spec:\n  suspend: false\n"),
             JOB.replace("name: llm\n", "name: llm\n  labels: {kueue.x-k8s.io/queue-name: gpu}\n")),
    TestCase("TRC406", JOB.replace("spec:\n", "spec:\n  suspend: false\n"), JOB,
             RUNTIME.replace("  template:\n    spec:", "  template:\n    metadata:\n      labels: "
             "{kueue.x-k8s.io/queue-name: gpu}\n    spec:", 1)),
    TestCase("TRC407", job("    args: ['${PET_NNODES}']\n"), job("    args: [$PET_NNODES]\n")),
    TestCase("TRC408", job(f"    args: [{'x' * 300_000}]\n"), job(f"    args: [{'x' * 200_000}]\n")),  # noqa: E501
]  # fmt: skip


CASES += [
    TestCase("TRC202", runtime=CLAIMS.replace("MODE", "ReadWriteOnce"),
             good_runtime=CLAIMS.replace("MODE", "ReadWriteMany")),
    TestCase("TRC203", ASKED, ASKED, DATASET.replace("AFTER", ""), DATASET.replace("AFTER", WAITS)),
    TestCase("TRC203", ASKED, ASKED, DATASET.replace("AFTER", WAITS).replace("data}", "other}", 1),
             DATASET.replace("AFTER", WAITS)),
    TestCase("TRC408", job(f"    args: [{'x' * 600_000}, {'y' * 600_000}]\n"),
             job("    args: [x]\n")),
]  # fmt: skip

_EMPTY = RUNTIME[: RUNTIME.index("      replicatedJobs:")] + "      replicatedJobs: []\n"
CASES += [TestCase("TRC108", runtime=_EMPTY)]


MODEL = """\
      - name: model-initializer
        dependsOn: [{name: dataset-initializer, status: Complete}]
        template:
          metadata:
            labels: {trainer.kubeflow.org/trainjob-ancestor-step: model-initializer}
          spec:
            template:
              spec:
                containers:
                - name: model-initializer
                  image: ghcr.io/trainc-dev/trainc/model-initializer:1.0
                  volumeMounts: [{name: initializer, mountPath: /workspace}]
                volumes: [{name: initializer, persistentVolumeClaim: {claimName: data}}]
      - name: node
"""
PARQUET = CACHED.replace("cache://s/t", "cache+parquet://s3://l/t")
BOTH = ASKED.replace("{dataset:", "{model: {storageUri: 'hf://a/c'}, dataset:")
CHAIN = DATASET.replace("AFTER", "").replace("      - name: node\n", MODEL) + WAITS.replace(
    "dataset", "model"
)
LAUNCHED = RUNTIME.replace("{torch: {}}", "{mpi: {numProcPerNode: 2}}").replace(
    "      replicatedJobs:\n",
    """\
      replicatedJobs:
      - name: launcher
        template:
          spec:
            template:
              spec:
                containers: [{name: node, image: "example.com/llm:1.0"}]
""",
)
GOOD = DATASET.replace("AFTER", WAITS)

CASES += [
    TestCase("TRC101", job(GPUS.replace("FABRIC", "")), job(GPUS.replace("FABRIC", "")), LAUNCHED,
             LAUNCHED.replace("numProcPerNode: 2", "numProcPerNode: 4")),
    TestCase("TRC201", job(GPUS.replace("FABRIC", "")), job(GPUS.replace("FABRIC", "")), RUNTIME,
             RUNTIME.replace("            template:\n", "            template:\n"
             "              metadata: {annotations: {k8s.v1.cni.cncf.io/networks: rdma}}\n")),
    TestCase("TRC203", BOTH, BOTH, CHAIN.replace(WAITS, ""), CHAIN),
    TestCase("TRC203", ASKED, ASKED,
             GOOD.replace("persistentVolumeClaim: {claimName: data}", "emptyDir: {}", 1), GOOD),
    TestCase("TRC203", ASKED, ASKED, GOOD.replace("mountPath: /workspace", "mountPath: /data", 1),
             GOOD.replace("mountPath: /workspace", "mountPath: /workspace/dataset", 1)),
    TestCase("TRC205", PARQUET, PARQUET, RUNTIME + INITIALIZER,
             (RUNTIME + INITIALIZER).replace("  template:\n    spec:", "  template:\n    metadata: "
             "{annotations: {trainc.dev/cache: compiled}}\n    spec:", 1)),
    TestCase("TRC203", ASKED, PARQUET,
             GOOD.replace("persistentVolumeClaim: {claimName: data}", "emptyDir: {}", 1),
             RUNTIME + WAITS + INITIALIZER),
    TestCase("TRC301", job("    env: [{name: MYTOKEN, value: abcdefghijkl}]\n"),
             job("    env: [{name: TOKENIZER, value: meta-llama/Llama-3.1-8B}, {name: MAX_TOKENS, "
                 "value: '104857600'}, {name: PAD_TOKEN, value: <|endoftext|>}, {name: "
                 "PASSWORDLESS, value: as-agreed}, {name: SECRET_STORE, value: vault-prod}]\n")),
    TestCase("TRC301", job("    env: [{name: DB_PASSWORD2, value: abcdefghijkl}]\n")),
    TestCase("TRC302", job("    image: example.com/llm:main\n"),
             job("    image: example.com/llm:maintained\n")),
    TestCase("TRC404", JOB.replace("  activeDeadlineSeconds: 3600\n", ""),
             JOB.replace("  activeDeadlineSeconds: 3600\n", ""), RUNTIME,
             RUNTIME.replace("          spec:\n            template:", "          spec:\n"
             "            activeDeadlineSeconds: 60\n            template:")),
    TestCase("TRC407", job("    env: [{name: A, value: 'x${B}'}]\n"),
             job("    args: ['$${PET_NNODES}']\n")),
    TestCase("TRC408", job(f"    args: ['{'<' * 50_000}']\n"), job(f"    args: ['{'é' * 70_000}']\n")),  # noqa: E501
]  # fmt: skip


@dataclass(frozen=True)
class Claim:
    __test__ = False
    name: str
    claim: str
    told: bool


CLAIMED = "{name: data, namespace: default}"
CLAIM = (
    "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: METADATA\n"
    "spec: {accessModes: MODES, resources: {requests: {storage: 1Gi}}}\n"
)
CLAIMS_BESIDE = [
    Claim("of one node", CLAIM.replace("MODES", "[ReadWriteOnce]"), True),
    Claim("of one pod", CLAIM.replace("MODES", "[ReadWriteOncePod]"), True),
    Claim("of many", CLAIM.replace("MODES", "[ReadWriteOnce, ReadWriteMany]"), False),
    Claim("for many to read", CLAIM.replace("MODES", "[ReadOnlyMany]"), False),
    Claim("of another namespace", CLAIM.replace("MODES", "[ReadWriteOnce]").replace(
          "METADATA", "{name: data, namespace: other}"), False),
    Claim("of another name", CLAIM.replace("MODES", "[ReadWriteOnce]").replace(
          "METADATA", "{name: others}"), False),
    Claim("without modes", CLAIM.replace("accessModes: MODES, ", ""), False),
    Claim("without a spec", "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: METADATA\n",
          False),
    Claim("none", "", False),
]  # fmt: skip
MOUNTED = RUNTIME.replace(
    POD,
    f"                volumes: [{{name: d, persistentVolumeClaim: {{claimName: data}}}}]\n{POD}",
)


@pytest.mark.parametrize("case", CLAIMS_BESIDE, ids=lambda case: case.name)
@pytest.mark.parametrize("project", [False, True])
def test_a_claim_beside_the_job_is_looked_at(case: Claim, project: bool, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(f"{JOB}---\n{MOUNTED}")
    (tmp_path / "data.yaml").write_text(case.claim.replace("METADATA", CLAIMED))
    if project:
        (tmp_path / "overlays" / "prod").mkdir(parents=True)
        (tmp_path / "overlays/prod/patch.yaml").write_text(
            "target: {kind: TrainJob}\npatch: {metadata: {labels: {a: b}}}\n"
        )
        (tmp_path / "trainc.yaml").write_text("default_env: prod\nsources: [job.yaml, data.yaml]\n")
    done = trainc(tmp_path, "build", *(() if project else ("job.yaml", "data.yaml")))
    assert done.returncode == 0, done.stderr
    assert "PersistentVolumeClaim\n" not in done.stdout
    assert ("claim data is of one node, and there are 2: all but one wait" in done.stderr) is (
        case.told
    )


def test_a_claim_of_one_node_is_good_for_one(tmp_path: Path) -> None:
    claim = CLAIM.replace("MODES", "[ReadWriteOnce]").replace("METADATA", CLAIMED)
    text = f"{JOB.replace('numNodes: 2', 'numNodes: 1')}---\n{MOUNTED}---\n{claim}---\n{claim}"
    (tmp_path / "job.yaml").write_text(text)
    done = trainc(tmp_path, "build", "job.yaml")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("profile", ["argocd", "flux"])
@pytest.mark.parametrize("code", ["TRC407", "TRC408"])
def test_what_a_profile_sees_to_is_no_finding(code: str, profile: str) -> None:
    text = job(f"    args: ['${{PET_NNODES}}', {'x' * 300_000}]\n")
    assert code in codes(plan(text))
    assert code not in codes(plan(text, profile=profile))


def codes(problems: Any) -> set[str]:
    return {problem.code for problem in problems if problem.code}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_a_bad_job_is_found(case: TestCase) -> None:
    found = [p for p in plan(case.job, case.runtime, case.profile) if p.code == case.code]
    assert len(found) == 1, [str(problem) for problem in found]
    assert found[0].mark is not None
    assert found[0].mark.line > 1
    assert found[0].hint


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_a_good_job_is_left_alone(case: TestCase) -> None:
    assert case.code not in codes(plan(case.good, case.good_runtime))


def test_a_queue_of_the_template_takes_suspend_away(tmp_path: Path) -> None:
    queue = "  template:\n    metadata:\n      labels: {kueue.x-k8s.io/queue-name: gpu}\n    spec:"
    (tmp_path / "job.yaml").write_text(f"{JOB}---\n{RUNTIME.replace(TEMPLATE, queue, 1)}")
    assert "suspend" not in trainc(tmp_path, "build", "job.yaml").stdout


TEMPLATE = "  template:\n    spec:"


@pytest.mark.parametrize("prefix", ["registry.example:5000/ml", "ghcr.io/trainc-dev/trainc"])
def test_schemes_are_those_of_our_images_wherever_they_come_from(
    tmp_path: Path, prefix: str
) -> None:
    text = FETCHED.replace("{kind: TrainingRuntime, name: own}", "{name: torchtune-llama3.2-1b}")
    (tmp_path / "job.yaml").write_text(text.replace("URI", "ftp://x/y"))
    built = trainc(tmp_path, "build", "--image-prefix", prefix, "job.yaml")
    assert f"image: {prefix}/dataset-initializer:" in built.stdout
    assert "the dataset initializer cannot read ftp:// [TRC204]" in built.stderr


def test_a_build_gives_no_advice_but_warnings() -> None:
    bad = JOB.replace("  activeDeadlineSeconds: 3600\n", "") + "    image: example.com/llm\n"
    found = {problem.code: problem.severity for problem in plan(bad, strict=False)}
    assert found == {"TRC302": "warning"}


def test_compat_never_lints(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(f"{job('    image: example.com/llm')}\n---\n{RUNTIME}")
    assert "TRC302" in trainc(tmp_path, "build", "job.yaml").stderr
    assert "TRC302" not in trainc(tmp_path, "build", "--compat", "v2.3.0", "job.yaml").stderr


def test_validate_gives_all_findings_and_build_its_warnings(tmp_path: Path) -> None:
    text = JOB.replace("  activeDeadlineSeconds: 3600\n", "") + "    image: example.com/llm\n"
    (tmp_path / "job.yaml").write_text(f"{text}---\n{RUNTIME}")
    validated = trainc(tmp_path, "validate", "job.yaml")
    assert (validated.returncode, validated.stdout) == (0, "")
    assert "note: spec.activeDeadlineSeconds" in validated.stderr or "[TRC404]" in validated.stderr
    assert "[TRC302]" in validated.stderr
    built = trainc(tmp_path, "build", "job.yaml")
    assert "[TRC404]" not in built.stderr
    assert "[TRC302]" in built.stderr
    for command in ("build", "validate"):
        assert not trainc(tmp_path, command, "--compat", "v2.3.0", "job.yaml").stderr


@pytest.mark.parametrize(("level", "status", "says"), [
    ("error", 1, "error:"), ("warning", 0, "warning:"), ("info", 0, ""), ("off", 0, ""),
])  # fmt: skip
def test_a_level_is_the_projects(level: str, status: int, says: str, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(f"{job('    image: example.com/llm')}\n---\n{RUNTIME}")
    (tmp_path / "trainc.yaml").write_text(f"rules: {{TRC302: {level}}}\n")
    done = trainc(tmp_path, "build")
    assert done.returncode == status
    assert says in done.stderr
    assert ("[TRC302]" in done.stderr) is bool(says)
    assert ("[TRC302]" in trainc(tmp_path, "validate").stderr) is (level != "off")


@dataclass(frozen=True)
class Comment:
    __test__ = False
    name: str
    image: str
    ignored: bool


COMMENTS = [
    Comment("none", "    image: example.com/llm", False),
    Comment("beside", "    image: example.com/llm  # trainc: ignore[TRC302] pinned by mirror", True),  # noqa: E501
    Comment("above", "    # trainc: ignore[TRC302] pinned by mirror\n    image: example.com/llm", True),  # noqa: E501
    Comment("another code", "    image: example.com/llm  # trainc: ignore[TRC301] no", False),
    Comment("below", "    image: example.com/llm\n    # trainc: ignore[TRC302] late", False),
    Comment("two codes", "    image: example.com/llm  # trainc: ignore[TRC301, TRC302] x", True),
]  # fmt: skip


@pytest.mark.parametrize("case", COMMENTS, ids=lambda case: case.name)
def test_a_comment_takes_a_finding_away(case: Comment, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(f"{job(case.image)}\n---\n{RUNTIME}")
    assert ("TRC302" not in trainc(tmp_path, "build", "job.yaml").stderr) is case.ignored


def test_a_comment_at_the_top_is_for_the_whole_document(tmp_path: Path) -> None:
    bad = job("    image: example.com/llm\n")
    text = f"# trainc: ignore[TRC302] a demo\n{bad}---\n{bad.replace('llm', 'other')}---\n{RUNTIME}"
    (tmp_path / "job.yaml").write_text(text)
    stderr = trainc(tmp_path, "build", "job.yaml").stderr
    assert stderr.count("TRC302") == 1
    assert "example.com/other" in stderr


def trainc(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "trainc", *args], cwd=folder,
                          capture_output=True, text=True)  # fmt: skip


@dataclass(frozen=True)
class Rules:
    __test__ = False
    name: str
    text: str
    status: int
    says: str


RULES = [
    Rules("kept", "- {name: acme/nodes, expression: 'trainjob.spec.trainer.numNodes < 9'}", 0, ""),
    Rules("broken by a job", "- {name: acme/nodes, expression: 'trainjob.spec.trainer.numNodes < 2', "  # noqa: E501
          "message: one node only, field: spec.trainer.numNodes, severity: error}", 1,
          "job.yaml:9:5: error: spec.trainer.numNodes: one node only [acme/nodes]"),
    Rules("over manifests", "- {name: m, expression: \"manifests.all(m, m.kind == 'Job')\"}", 0,
          "warning: metadata.name: breaks the rule m [m]"),
    Rules("over the runtime", "- {name: r, expression: \"runtime.metadata.name == 'x'\"}", 0, "[r]"),  # noqa: E501
    Rules("no CEL", "- {name: acme/x, expression: 'trainjob.spec ='}", 1,
          "trainc.yaml:2:18: error: expression: rule acme/x is no CEL expression"),
    Rules("no such field", "- {name: x, expression: 'trainjob.spec.nope == 1'}", 1,
          "trainc.yaml:2:13: error: expression: rule x cannot be evaluated"),
    Rules("not a truth", "- {name: x, expression: '1 + 1'}", 1, "must be true or false, is int"),
    Rules("a name nobody knows", "- {name: x, expression: 'has(job) || true'}", 1,
          "trainc.yaml:2:13: error: expression: rule x names job, which nobody knows"),
    Rules("bound by a loop", "- {name: x, expression: '[1].all(n, [n].exists(m, m == n))'}", 0, ""),
    Rules("two types", "- {name: x, expression: \"trainjob.spec.trainer.numNodes < 'x'\"}", 1,
          "rule x cannot be evaluated: < of int and string"),
    Rules("deep", f"- {{name: x, expression: '{'(' * 500}true{')' * 500}'}}", 1,
          "rule x is nested too deeply"),
    Rules("no pattern", "- {name: x, expression: \"'a'.matches('(')\"}", 1,
          "rule x cannot be evaluated: matches(): '(' is no regular expression: missing ): ("),
    Rules("a pattern", "- {name: x, expression: \"'abc'.matches('^a.c$') && !'a'.matches('b')\"}",
          0, ""),
    Rules("no such item", "- {name: x, expression: 'manifests[9].kind != null'}", 1,
          "rule x cannot be evaluated: a list has no item of that index"),
    Rules("no time", "- {name: x, expression: \"duration('5x') > duration('1s')\"}", 1,
          "rule x cannot be evaluated: a value out of range, or one that cannot be converted"),
    Rules("a name with a blank", "- {name: a b, expression: 'false'}", 1,
          "name 'a b' must be of letters, digits, ., _, - and /"),
    Rules("a field of a number", "- {name: x, expression: 'true', field: 3}", 1,
          "trainc.yaml:2:3: error: rules: field must be text"),
    Rules("a name that is a code", "- {name: TRC302, expression: 'true'}", 1,
          "TRC302 is a code of trainc: give the rule a name of its own"),
    Rules("a level for what is always an error", "- {name: TRC102, severity: off}", 1,
          "TRC102 is what a cluster would refuse: it is always an error"),
    Rules("a level for what the compiler does", "- {name: TRC406, severity: error}", 1,
          "TRC406 has no level: the compiler reports what it does"),
    Rules("unknown code", "- {name: TRC999, severity: off}", 1, "TRC999 is no code"),
    Rules("stock code is an error", "- {name: TRC402, severity: error}", 1,
          "error: spec.template.spec.replicatedJobs[0].template.spec.backoffLimit"),
]  # fmt: skip


@pytest.mark.parametrize("case", RULES, ids=lambda case: case.name)
def test_a_team_has_rules_of_its_own(case: Rules, tmp_path: Path) -> None:
    pytest.importorskip("celpy", reason="cel-python is not installed")
    runtime = RUNTIME.replace("          spec:\n            template:", RETRY)
    (tmp_path / "job.yaml").write_text(f"{JOB}---\n{runtime}")
    (tmp_path / "trainc.yaml").write_text(f"rules:\n{case.text}\n")
    done = trainc(tmp_path, "build")
    assert done.returncode == case.status, done.stderr
    assert case.says in done.stderr
    assert bool(done.stdout) is (case.status == 0)


@pytest.mark.parametrize("name", ["acme/nodes", "acme.nodes-2", "TEAM_1"])
def test_a_comment_takes_a_teams_finding_away(name: str, tmp_path: Path) -> None:
    pytest.importorskip("celpy", reason="cel-python is not installed")
    text = JOB.replace("numNodes: 2", f"numNodes: 2  # trainc: ignore[TRC404, {name}] as agreed")
    (tmp_path / "job.yaml").write_text(f"{text}---\n{RUNTIME}")
    rule = f"{{name: {name}, expression: 'false', field: spec.trainer.numNodes}}"
    (tmp_path / "trainc.yaml").write_text(f"rules: [{rule}]\n")
    assert trainc(tmp_path, "build").stderr == ""
    (tmp_path / "job.yaml").write_text(f"{JOB}---\n{RUNTIME}")
    assert f"[{name}]" in trainc(tmp_path, "build").stderr


def test_rules_may_stand_in_files_of_their_own(tmp_path: Path) -> None:
    pytest.importorskip("celpy", reason="cel-python is not installed")
    (tmp_path / "job.yaml").write_text(f"{JOB}---\n{RUNTIME}")
    (tmp_path / "trainc.yaml").write_text("")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "team.yaml").write_text("- {name: acme, expression: 'false'}\n")
    done = trainc(tmp_path, "build", "--problems", "json")
    assert [each["code"] for each in json.loads(done.stderr)] == ["acme"]


@pytest.mark.parametrize("swallows", ["{}", "[1].exists(x, {})", "{} || true"])
def test_the_rounds_of_a_rule_are_counted(
    swallows: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("celpy", reason="cel-python is not installed")
    from trainc.errors import Mark
    from trainc.lint import cel
    from trainc.lint.settings import Rule

    loop = "[1,2,3].all(a, [1,2,3].all(b, [1,2,3].all(c, a + b + c > 0)))"
    rule = Rule("x", swallows.format(loop), "m", "error", "", Mark("rules.yaml", 1, 1))
    for most, want in ((100, []), (39, ["rule x takes more than 39 rounds of loops"])):
        monkeypatch.setattr(cel, "MAX_ROUNDS", most)
        inspect, broken = cel.team_rules([rule])
        assert not broken
        assert [found.message for found in inspected(inspect)] == want


def inspected(inspect: Any) -> Any:
    from trainc.compile import Inputs, compile_documents
    from trainc.plan.plan import Output
    from trainc.source.parse import parse
    from trainc.spec.spec import Settings

    documents, _ = parse(f"{JOB}---\n{RUNTIME}".encode(), "job.yaml")
    return compile_documents(Inputs(tuple(documents)), Settings(), Output(), inspect).problems


@pytest.mark.parametrize("command", ["build", "validate", "check"])
def test_a_file_of_rules_that_cannot_be_read_is_told(command: str, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(f"{JOB}---\n{RUNTIME}")
    (tmp_path / "trainc.yaml").write_text("")
    (tmp_path / "rules" / "folder.yaml").mkdir(parents=True)
    (tmp_path / "rules" / "link.yml").symlink_to("nowhere")
    (tmp_path / "rules" / ".#draft.yaml").symlink_to("a lock of an editor")
    done = trainc(tmp_path, command)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        "rules/folder.yaml: error: is a directory [TRC002]\n    hint: name the files in it\n"
        "rules/link.yml: error: no such file or directory [TRC002]\n"
    )
    assert "draft" not in done.stderr


@pytest.mark.parametrize("text", ["3", "rules: 3", "text"])
def test_a_file_of_rules_that_holds_none_is_told(text: str, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(f"{JOB}---\n{RUNTIME}")
    (tmp_path / "trainc.yaml").write_text("")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "team.yaml").write_text(text)
    done = trainc(tmp_path, "build")
    assert done.returncode == 1
    assert "rules/team.yaml:1:" in done.stderr
    assert "must be a list or a mapping of rules" in done.stderr


def test_nobody_without_rules_pays_for_cel(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(f"{job('    image: example.com/llm')}\n---\n{RUNTIME}")
    program = (
        "import os, sys, runpy; sys.argv = ['trainc', 'build', 'job.yaml']\n"
        "os._exit = sys.exit\n"
        "try: runpy.run_module('trainc', run_name='__main__')\n"
        "except SystemExit: print('celpy' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path,
                          capture_output=True, text=True)  # fmt: skip
    assert "TRC302" in done.stderr
    assert done.stderr.endswith("False\n")


def test_every_code_has_a_bad_job() -> None:
    from tests.lint.fatal_test import CODES
    from tests.lint.sync_test import OURS
    from trainc.lint.explanation import EXPLANATIONS

    assert {case.code for case in CASES} | CODES | OURS == set(EXPLANATIONS)
