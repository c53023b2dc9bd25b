"""``trainc schema``: schemas that take what trainc takes, tried with kubeconform; modelines."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from tests.gitops.repository import job, repository, runtime
from tests.peers.programs import program
from tests.tools import KUBECONFORM

ROOT = Path(__file__).parents[2]
LOCATION = "{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json"


def trainc(folder: Path, *args: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "trainc", *args]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def conforms(folder: Path, *files: Path) -> dict[str, Any]:
    """What kubeconform says of files, by our schemas alone."""
    done = trainc(folder, "schema", "--layout", "kubeconform", "--out-dir", "schemas")
    assert done.returncode == 0, done.stderr
    command = [program(KUBECONFORM), "-strict", "-output", "json", "-verbose",
               "-schema-location", str(folder / "schemas" / LOCATION), *files]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)["resources"]
    return {f"{each['kind']}/{each['name']}": (each["status"], each["msg"]) for each in found}


@pytest.mark.programs
def test_kubeconform_takes_what_trainc_takes_and_prints(tmp_path: Path) -> None:
    root = repository(tmp_path / "repository")
    done = trainc(root, "build", "--env", "all", "--emit", "both", "--out-dir", "out")
    assert done.returncode == 0, done.stderr
    kinds = ("jobset", "trainjob", "podgroup")
    printed = [path for path in (root / "out").rglob("*.yaml") if path.name.startswith(kinds)]
    stock = sorted((ROOT / "runtimes").glob("*.yaml"))
    found = conforms(tmp_path, root / "jobs", root / "runtimes", *printed, *stock)
    assert {status for status, _ in found.values()} == {"statusValid"}
    assert len(found) > 30


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    text: str
    says: str


CASES = [
    TestCase("an unknown field", job("x", "own").replace("numNodes", "nodes"), "nodes"),
    TestCase("a wrong type", job("x", "own").replace("numNodes: 2", "numNodes: two"), "numNodes"),
    TestCase(
        "a bound",
        job("x", "own").replace("spec:", "spec:\n  activeDeadlineSeconds: 0"),
        "activeDeadlineSeconds",
    ),
    TestCase("a runtime", runtime("x", "torch: {}").replace("name: node\n", "nam: node\n"), "nam"),
]


@pytest.mark.programs
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_kubeconform_refuses_what_trainc_refuses(case: TestCase, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(case.text)
    ((status, message),) = conforms(tmp_path, tmp_path / "x.yaml").values()
    assert status == "statusInvalid"
    assert case.says in message


def schema(kind: str) -> dict[str, Any]:
    done = trainc(ROOT, "schema", "--kind", kind)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_schema_is_of_its_own_kind() -> None:
    text = job("x", "own")
    jsonschema_rs.validate(schema("TrainJob"), yaml.safe_load(text))
    for kind in ("TrainingRuntime", "JobSet"):
        with pytest.raises(jsonschema_rs.ValidationError):
            jsonschema_rs.validate(schema(kind), yaml.safe_load(text))


def test_the_project_has_one_too() -> None:
    jsonschema_rs.validate(schema("trainc.yaml"), {"sources": ["jobs"]})
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validate(schema("trainc.yaml"), {"source": ["jobs"]})


def test_policies_of_our_own_are_in_the_schema_of_runtimes() -> None:
    assert "deepspeed" in json.dumps(schema("TrainingRuntime")) or trainc(
        ROOT, "validate", "examples/deepspeed"
    ).returncode == 0  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    repository(tmp_path)
    assert trainc(tmp_path, "schema", "--out-dir", "schemas").returncode == 0
    return tmp_path


def test_modelines_lead_to_the_schemas(root: Path) -> None:
    both = root / "jobs" / "both.yaml"
    both.write_text(f"{job('a', 'own-a')}---\n{runtime('a', 'torch: {}')}")
    files = ["jobs/jax.yaml", "runtimes/jax.yaml", "trainc.yaml", "jobs/both.yaml"]
    before = {name: (root / name).read_text() for name in files}
    done = trainc(root, "schema", "modeline", "--write", *files)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    wanted = ("../schemas/trainjob.json", "../schemas/clustertrainingruntime.json",
              "schemas/trainc.json", "../schemas/any.json")  # fmt: skip
    for name, want in zip(files, wanted, strict=True):
        text = (root / name).read_text()
        assert text == f"# yaml-language-server: $schema={want}\n{before[name]}"
        assert ((root / name).parent / want).is_file()
    assert trainc(root, "schema", "modeline", "--write", *files).returncode == 0
    assert (root / files[0]).read_text().count("$schema") == 1
    assert trainc(root, "validate", "--env", "dev").returncode == 0


def test_a_modeline_may_be_only_shown_and_lead_anywhere(root: Path) -> None:
    before = (root / "jobs/jax.yaml").read_text()
    place = "https://example.com/schemas/"
    done = trainc(root, "schema", "modeline", "--schemas", place, "jobs/jax.yaml")
    line = "# yaml-language-server: $schema=https://example.com/schemas/trainjob.json"
    assert done.stdout == f"jobs/jax.yaml: {line}\n"
    assert (root / "jobs/jax.yaml").read_text() == before


@dataclass(frozen=True)
class Refused:
    __test__ = False
    name: str
    args: tuple[str, ...]
    status: int
    says: str


REFUSED = [
    Refused("nothing asked", (), 2, "--kind KIND"),
    Refused("both asked", ("--kind", "TrainJob", "--out-dir", "x"), 2, "--kind KIND"),
    Refused("an unknown kind", ("--kind", "Pod"), 2, "there are: TrainJob"),
    Refused("no such file", ("modeline", "nope.yaml"), 1, "nope.yaml: error: no such file"),
    Refused("no schemas", ("modeline", "--schemas", "nope", "jobs/jax.yaml"), 1,
            "trainc schema --out-dir nope writes it"),
    Refused("a template", ("modeline", "templates/sweep.yaml.j2"), 1, "template"),
    Refused("something else", ("modeline", "overlays/prod/values.yaml"), 1, "no schema fits"),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_what_cannot_be_is_told(case: Refused, root: Path) -> None:
    done = trainc(root, "schema", *case.args)
    assert done.returncode == case.status, done.stderr
    assert case.says in done.stderr
