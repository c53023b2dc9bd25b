"""``trainc explain`` on the sample repository and the examples: who set what, and what starts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.corpus import ROOT
from tests.gitops.repository import repository, trainc
from trainc.compile import Inputs, compile_documents
from trainc.errors import Problem
from trainc.explain.stages import stages
from trainc.info.info import Info
from trainc.library import stock
from trainc.names import JOB_ANNOTATION, MANAGED_BY_LABEL
from trainc.plan.plan import Object, Output
from trainc.source.source import load
from trainc.spec.spec import Settings


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return repository(tmp_path_factory.mktemp("sample"))


def explained(root: Path, *args: str) -> dict[str, Any]:
    done = trainc(root, "explain", *args, "-o", "json")
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)
    return dict(found)


def setters(found: dict[str, Any]) -> dict[str, str]:
    """Last step of a setting's path -> value, who, file and line."""
    out = {}
    for each in found["settings"]:
        label = each["path"].rpartition("containers[node].")[2]
        by = each["setBy"]
        where = f"{by['file']}:{by['line']}" if "file" in by else ""
        out[label] = " ".join(filter(None, [json.dumps(each["value"]), by["who"], where]))
    return out


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    args: tuple[str, ...]
    want: dict[str, str]


CASES = [
    TestCase(
        "the TrainJob over the runtime",
        ("jobs/vision.yaml", "image"),
        {"image": '"example.com/train:1.0" TrainJob jobs/vision.yaml:9'},
    ),
    TestCase(
        "an overlay over both",
        ("jobs/vision.yaml", "trainer", "--env", "prod"),
        {
            "image": '"example.com/vision:prod" overlay overlays/prod/patches.yaml:5',
            "command[0]": '"torchrun" overlay overlays/prod/patches.yaml:6',
            "command[1]": '"prod.py" overlay overlays/prod/patches.yaml:6',
            "args[0]": '"--prod" overlay overlays/prod/patches.yaml:7',
            "env[TIER]": '"prod" overlay overlays/prod/patches.yaml:9',
            "env[KEEP]": '"1" TrainJob jobs/vision.yaml:14',
            "resources.limits.nvidia.com/gpu": '"8" overlay overlays/prod/patches.yaml:8',
        },
    ),
    TestCase(
        "an overlay of the runtime",
        ("jobs/vision.yaml", "nodeSelector", "--env", "prod"),
        {
            "spec.replicatedJobs[node].template.spec.template.spec.nodeSelector.pool": (
                '"gpu" overlay overlays/prod/patches.yaml:22'
            )
        },
    ),
    TestCase(
        "a policy, at the line that selects it",
        ("jobs/torch.yaml", "env.PET_NNODES"),
        {"env[PET_NNODES]": '"2" policy runtimes/torch.yaml:7'},
    ),
    TestCase(
        "a policy that leaves the last word to the job",
        ("jobs/jax.yaml", "env.KEEP"),
        {"env[KEEP]": '"1" TrainJob jobs/jax.yaml:14'},
    ),
    TestCase(
        "a default", ("jobs/torch.yaml", "namespace"), {"metadata.namespace": '"default" default'}
    ),
    TestCase(
        "a template, at its own line",
        ("templates/sweep.yaml.j2", "args", "--job", "sweep-2"),
        {"args[0]": '"--lr=0.01" TrainJob templates/sweep.yaml.j2:13'},
    ),
    TestCase(
        "the runtime",
        ("templates/sweep.yaml.j2", "containers[node].name", "--job", "sweep-1"),
        {"name": '"node" runtime runtimes/torch.yaml:17'},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_who_set_it(root: Path, case: TestCase) -> None:
    found = setters(explained(root, *case.args))
    assert case.want.items() <= found.items()


def test_what_a_value_replaced_and_where_a_template_has_its_values_from(root: Path) -> None:
    found = explained(root, "templates/sweep.yaml.j2", "image", "--env", "prod", "--job", "sweep-1")
    (image,) = found["settings"]
    (former,) = image["over"]
    assert former["value"] == "example.com/torch:1.0"
    assert former["setBy"]["who"] == "runtime"
    assert "values.image comes from trainc.yaml:4:10" in image["setBy"]["note"]


def test_a_number_that_a_policy_passes_on_names_its_line(root: Path) -> None:
    (nodes,) = explained(root, "jobs/torch.yaml", "env.PET_NNODES")["settings"]
    assert nodes["setBy"]["note"] == "from TrainJob  jobs/torch.yaml:10:5 (spec.trainer.numNodes)"
    (slots,) = explained(ROOT, "examples/mpi-launcher", "trainer.numProcPerNode")["settings"]
    assert slots["setBy"]["note"] == (
        "from TrainJob  examples/mpi-launcher/job.yaml:37:5 (spec.trainer.numProcPerNode)"
    )


def test_a_patch_of_the_job_is_named_by_its_manager() -> None:
    found = explained(ROOT, "examples/torch/job.yaml", "volumeMounts[/datasets/imagenet].mountPath")
    (mount,) = found["settings"]
    assert (mount["setBy"]["who"], mount["setBy"]["name"]) == ("patch", "acme.com/vision")


def test_torch_starts_torchrun_on_each_node() -> None:
    world = explained(ROOT, "examples/torch/job.yaml")["world"]
    assert (world["size"], world["gpus"]) == (16, {"asked": 16, "used": 16})
    assert [each["line"].split()[:7] for each in world["starts"]] == [
        [
            "torchrun",
            "--nnodes=2",
            "--nproc-per-node=auto",
            f"--node-rank={rank}",
            "--master-addr=resnet50-imagenet-node-0-0.resnet50-imagenet",
            "--master-port=29500",
            "train.py",
        ]
        for rank in (0, 1)
    ]


def test_mpi_starts_its_launcher_with_a_hostfile() -> None:
    world = explained(ROOT, "examples/mpi-launcher")["world"]
    assert (world["policy"], world["size"]) == ("mpi", 8)
    (start,) = world["starts"]
    assert start["pod"] == "recommender-horovod-launcher-0-0"
    assert start["line"].startswith("mpirun --allow-run-as-root ")
    assert start["line"].endswith("--table=gs://acme-ads/clicks/2026-10")
    assert world["hostfile"].count("slots=2\n") == 4


def test_the_image_of_mpi_workers_is_the_runtimes(tmp_path: Path) -> None:
    job = (ROOT / "examples/deepspeed/job.yaml").read_text()
    job = job.replace("  trainer:\n", "  trainer:\n    image: example.com/t5:1\n", 1)
    (tmp_path / "job.yaml").write_text(job)
    found = explained(tmp_path, "job.yaml", "containers[node].image")["settings"]
    by = {each["path"].split("[")[1].split("]")[0]: each["setBy"]["who"] for each in found}
    assert by == {"launcher": "TrainJob", "node": "runtime"}


def test_others_start_with_their_variables(root: Path) -> None:
    world = explained(root, "jobs/jax.yaml")["world"]
    assert [each["line"] for each in world["starts"]] == [
        f"JAX_NUM_PROCESSES=2 JAX_PROCESS_ID={rank} "
        "JAX_COORDINATOR_ADDRESS=job-jax-node-0-0.job-jax:29500 --lr=1"
        for rank in (0, 1)
    ]


def test_idle_gpus_are_told(root: Path, tmp_path: Path) -> None:
    job = (root / "jobs/torch.yaml").read_text().replace("own-torch", "torch-distributed")
    more = "    numProcPerNode: 2\n    resourcesPerNode: {limits: {nvidia.com/gpu: 8}}\n"
    (tmp_path / "job.yaml").write_text(job + more)
    done = trainc(tmp_path, "explain", "job.yaml")
    assert "GPUs 16 asked, 4 used, 12 idle" in done.stdout
    assert "world size 4: nodes 2, processes on each 2" in done.stdout


@dataclass(frozen=True)
class Refused:
    __test__ = False
    name: str
    args: tuple[str, ...]
    status: int
    want: str


@pytest.mark.parametrize(
    "case",
    [
        Refused("no file", (), 2, "name the FILE"),
        Refused("too much", ("a", "b", "c"), 2, "FILE and PATH"),
        Refused("a field there is not", ("jobs/jax.yaml", "trainer.env.X"), 1, "has: DEBUG, "),
        Refused("a job there is not", ("jobs", "--job", "x"), 1, "there are: job-flux, "),
        Refused("a file there is not", ("nope.yaml",), 1, "nope.yaml"),
        Refused("all environments", ("jobs", "--env", "all"), 1, "say which with --env"),
        Refused("no job in it", ("runtimes/torch.yaml",), 1, "no TrainJob"),
    ],
    ids=lambda case: case.name,
)
def test_what_cannot_be_explained(root: Path, case: Refused) -> None:
    done = trainc(root, "explain", *case.args)
    assert (done.returncode, done.stdout) == (case.status, "")
    assert case.want in done.stderr


def compiled_examples() -> list[tuple[Info, Any]]:
    source = load([str(ROOT / "examples")])
    found, _ = stock(source.documents, (), None)
    seen: list[tuple[Info, Any]] = []

    def inspect(info: Info, objects: tuple[Object, ...]) -> tuple[Problem, ...]:
        jobset = next(each.manifest for each in objects if each.manifest["kind"] == "JobSet")
        seen.append((info, jobset))
        return ()

    settings = Settings(features=frozenset({"TrainJobStatus"}))
    compile_documents(Inputs(source.documents, (found,)), settings, Output(), inspect)
    return seen


def test_the_stages_end_at_what_is_printed() -> None:
    """What explain compiles anew is what the build has made: no step of it is missing."""
    every = compiled_examples()
    assert len(every) > 15
    for info, jobset in every:
        last = stages(info.spec, jobset)[-2].manifest
        assert last["spec"] == jobset["spec"], info.name
        metadata = jobset["metadata"]
        labels = {k: v for k, v in metadata["labels"].items() if k != MANAGED_BY_LABEL}
        notes = {k: v for k, v in metadata["annotations"].items() if k != JOB_ANNOTATION}
        assert last["metadata"].get("labels", {}) == labels
        assert last["metadata"].get("annotations", {}) == notes


def test_every_value_of_the_examples_has_a_setter() -> None:
    """All leaves, and each line that is named holds the key, or the item, it is named for."""
    known = {"runtime", "patch", "TrainJob", "policy", "feature", "default", "trainc"}
    told = 0
    for folder in sorted(path.parent for path in (ROOT / "examples").glob("*/job.yaml")):
        done = trainc(ROOT, "explain", str(folder), "spec", "-o", "json")
        assert done.returncode == 0, done.stderr
        for setting in json.loads(done.stdout)[0]["settings"]:
            by = setting["setBy"]
            assert by["who"] in known, setting
            file = folder / Path(by.get("file", "")).name
            if not by.get("file") or not file.is_file():
                continue
            line = file.read_text().splitlines()[by["line"] - 1]
            last = by["field"].rpartition(".")[2].partition("[")[0]
            value = setting["value"]
            assert last in line or str(value) in line or "- " in line, (setting, line)
            told += 1
    assert told > 200


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("build",), "environments: dev, prod; --out-dir takes all of them\n"),
        (("explain", "jobs"), "environments: dev, prod\n"),
        (("flux", "ignore"), "environments: dev, prod\n"),
    ],
    ids=lambda each: each[0] if isinstance(each, tuple) else "",
)
def test_a_command_names_no_option_that_it_lacks(
    command: tuple[str, ...], told: str, root: Path
) -> None:
    done = trainc(root, *command, "--env", "all")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith(f"hint: {told}")
