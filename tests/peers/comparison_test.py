"""What docs/comparison.md says of helm, kustomize, kubeconform, kapitan and CUE, tried."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.peers.programs import program
from tests.tools import CUE, HELM, KAPITAN, KUBECONFORM, KUSTOMIZE

pytestmark = pytest.mark.programs

JOB = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {name: llm}
spec:
  runtimeRef: {name: torch-distributed}
  trainer:
    numNodes: 2
    image: example.com/llm:1.0
    env: [{name: A, value: a}, {name: B, value: b}]
"""
PATCH = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {name: llm}
spec: {trainer: {env: [{name: B, value: c}]}}
"""


def run(*command: str | Path, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def trainc(cwd: Path, *args: str) -> "subprocess.CompletedProcess[str]":
    return run(sys.executable, "-m", "trainc", *args, cwd=cwd)


def kustomized(folder: Path, text: str) -> dict[str, object]:
    (folder / "kustomization.yaml").write_text(f"resources: [job.yaml]\n{text}")
    done = run(program(KUSTOMIZE), "build", ".", cwd=folder)
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = yaml.safe_load(done.stdout)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "job.yaml").write_text(JOB)
    return tmp_path


def test_kustomize_replaces_lists_of_a_trainjob_and_trainc_merges_them(folder: Path) -> None:
    (folder / "patch.yaml").write_text(PATCH)
    found = kustomized(folder, "patches: [{path: patch.yaml}]\n")
    assert found["spec"]["trainer"]["env"] == [{"name": "B", "value": "c"}]  # type: ignore[index]
    (folder / "trainc.yaml").write_text("sources: [job.yaml]\n")
    (folder / "overlays/prod").mkdir(parents=True)
    (folder / "patch.yaml").rename(folder / "overlays/prod/patch.yaml")
    built = trainc(folder, "build", "--env", "prod").stdout
    assert "- name: A\n" in built
    assert "value: c\n" in built


def test_the_images_of_kustomize_do_not_reach_a_trainjob(folder: Path) -> None:
    found = kustomized(folder, "images: [{name: example.com/llm, newTag: '2.0'}]\n")
    assert found["spec"]["trainer"]["image"] == "example.com/llm:1.0"  # type: ignore[index]


def test_a_suffix_of_kustomize_breaks_a_compiled_job_and_rename_does_not(folder: Path) -> None:
    (folder / "job.yaml").write_text(trainc(folder, "build", "job.yaml").stdout)
    text = yaml.safe_dump(kustomized(folder, "nameSuffix: -v2\n"))
    assert "name: llm-v2\n" in text
    assert "llm-node-0-0.llm\n" in text
    (folder / "job.yaml").write_text(JOB)
    (jobset,) = yaml.safe_load_all(trainc(folder, "build", "--on-change", "rename").stdout)
    name = jobset["metadata"]["name"]
    assert f"{name}-node-0-0.{name}" in yaml.safe_dump(jobset)


def chart(folder: Path, template: str) -> Path:
    (folder / "chart/templates").mkdir(parents=True)
    (folder / "chart/Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 0.1.0\n")
    (folder / "chart/values.yaml").write_text("image: x\n")
    (folder / "chart/templates/job.yaml").write_text(template)
    return folder / "chart"


def test_a_value_nobody_set_is_nothing_in_helm_and_an_error_in_trainc(folder: Path) -> None:
    text = JOB.replace("example.com/llm:1.0", "{{ .Values.imgae }}")
    done = run(program(HELM), "template", chart(folder, text), cwd=folder)
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout)["spec"]["trainer"]["image"] is None
    (folder / "trainc.yaml").write_text("sources: [none]\nvalues: {image: x}\n")
    (folder / "none").mkdir()
    (folder / "templates").mkdir()
    template = text.replace(".Values.imgae", "values.imgae")
    (folder / "templates/job.yaml.j2").write_text(template)
    done = trainc(folder, "build")
    assert done.returncode == 1
    assert "templates/job.yaml.j2:8:1" in done.stderr
    assert "there is: image" in done.stderr


def test_a_list_in_values_of_helm_is_whole_and_an_image_is_a_value(folder: Path) -> None:
    template = JOB.replace("[{name: A, value: a}, {name: B, value: b}]", "{{ toJson .Values.env }}")
    made = chart(folder, template.replace("llm:1.0", "llm:{{ .Values.tag }}"))
    made.joinpath("values.yaml").write_text("env: [{name: A, value: a}, {name: B, value: b}]\n")
    (folder / "prod.yaml").write_text("env: [{name: B, value: c}]\n")
    flags = ("-f", "prod.yaml", "--set", "tag=2.0")
    done = run(program(HELM), "template", made, *flags, cwd=folder)
    trainer = yaml.safe_load(done.stdout)["spec"]["trainer"]
    assert trainer["env"] == [{"name": "B", "value": "c"}]
    assert trainer["image"] == "example.com/llm:2.0"


def test_helm_and_kustomize_take_what_is_no_trainjob(folder: Path) -> None:
    bad = JOB.replace("numNodes: 2", "numNodes: two")
    done = run(program(HELM), "template", chart(folder, bad), cwd=folder)
    assert done.returncode == 0
    (folder / "job.yaml").write_text(bad)
    found = kustomized(folder, "")
    assert found["spec"]["trainer"]["numNodes"] == "two"  # type: ignore[index]
    assert trainc(folder, "validate", "job.yaml").returncode == 1


def test_helm_can_be_random_and_trainc_cannot(folder: Path) -> None:
    made = chart(folder, JOB.replace("name: llm", "name: llm-{{ randAlphaNum 8 | lower }}"))
    one, two = (run(program(HELM), "template", made, cwd=folder).stdout for _ in range(2))
    assert one != two
    builds = {trainc(folder, "build", "job.yaml").stdout for _ in range(2)}
    assert len(builds) == 1


def test_kubeconform_needs_our_schemas_and_knows_no_more(folder: Path) -> None:
    kubeconform = program(KUBECONFORM)
    late = JOB.replace("name: llm", f"name: {'l' * 60}")
    (folder / "job.yaml").write_text(late)
    assert trainc(folder, "schema", "--layout", "kubeconform", "--out-dir", "s").returncode == 0
    layout = "{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json"
    empty = run(kubeconform, "-schema-location", f"{folder}/e/{layout}", "job.yaml", cwd=folder)
    assert empty.returncode == 1
    assert "could not find schema" in empty.stdout
    done = run(kubeconform, "-schema-location", f"{folder}/s/{layout}", "job.yaml", cwd=folder)
    assert done.returncode == 0, done.stdout
    refused = trainc(folder, "validate", "job.yaml")
    assert refused.returncode == 1
    assert "shorten the TrainJob's name by 4" in refused.stderr


TARGET = """\
parameters:
  image: example.com/llm:1.0
  kapitan:
    compile:
    - {output_path: ., input_type: jinja2, input_paths: [templates/job.yaml]}
    vars: {target: t}
"""


@pytest.mark.parametrize(("key", "names"), [("env", ["A", "B", "B"]), ("~env", ["B"])])
def test_kapitan_appends_to_a_list_or_replaces_it(key: str, names: list[str], folder: Path) -> None:
    kapitan = program(KAPITAN)
    for name in ("inventory/targets", "inventory/classes", "templates"):
        (folder / name).mkdir(parents=True)
    (folder / "inventory/classes/shared.yml").write_text(
        "parameters: {env: [{name: A, value: a}, {name: B, value: b}]}\n"
    )
    target = TARGET.replace("  image: example.com/llm:1.0", f"  {key}: [{{name: B, value: c}}]")
    (folder / "inventory/targets/t.yml").write_text(f"classes: [shared]\n{target}")
    (folder / "templates/job.yaml").write_text("{{ inventory.parameters.env }}")
    done = run(kapitan, "compile", cwd=folder)
    assert done.returncode == 0, done.stderr
    made = yaml.safe_load((folder / "compiled/t/job.yaml").read_text())
    assert [item["name"] for item in made] == names


def test_kapitan_can_be_random_and_kustomize_cannot(folder: Path) -> None:
    assert kustomized(folder, "") == kustomized(folder, "")
    kapitan = program(KAPITAN)
    for name in ("inventory/targets", "inventory/classes", "templates"):
        (folder / name).mkdir(parents=True)
    (folder / "inventory/targets/t.yml").write_text(TARGET)
    (folder / "templates/job.yaml").write_text("{{ range(999) | list | shuffle }}")
    made = set()
    for _ in range(2):
        assert run(kapitan, "compile", cwd=folder).returncode == 0
        made.add((folder / "compiled/t/job.yaml").read_text())
    assert len(made) == 2


def test_kapitan_tells_the_line_of_a_missing_value_and_takes_what_is_no_trainjob(
    folder: Path,
) -> None:
    kapitan = program(KAPITAN)
    for name in ("inventory/targets", "inventory/classes", "templates"):
        (folder / name).mkdir(parents=True)
    (folder / "inventory/targets/t.yml").write_text(TARGET)
    template = folder / "templates/job.yaml"
    template.write_text(JOB.replace("example.com/llm:1.0", "{{ inventory.parameters.imgae }}"))
    done = run(kapitan, "compile", cwd=folder)
    assert done.returncode != 0
    assert "templates/job.yaml:8" in done.stdout + done.stderr
    template.write_text(JOB.replace("example.com/llm:1.0", "{{ inventory.parameters.image }}"))
    assert run(kapitan, "compile", cwd=folder).returncode == 0
    assert "image: example.com/llm:1.0" in (folder / "compiled/t/job.yaml").read_text()
    template.write_text(JOB.replace("numNodes: 2", "numNodes: two"))
    assert run(kapitan, "compile", cwd=folder).returncode == 0


@dataclass(frozen=True)
class Cue:
    __test__ = False
    name: str
    text: str
    says: str


REFUSED = [
    Cue("a list", """\
job: spec: trainer: env: [{name: "A", value: "a"}, {name: "B", value: "b"}]
job: spec: trainer: env: [{name: "B", value: "c"}]
""", "incompatible list lengths (1 and 2)"),
    Cue("a value nobody set", """\
values: {image: string}
job: spec: trainer: image: values.image
""", "incomplete value string:\n    ./job.cue:1:17"),
    Cue("a misspelt value", """\
values: {image: "x"}
job: spec: trainer: image: values.imgae
""", "undefined field: imgae:\n    ./job.cue:2:35"),
    Cue("another value", """\
job: spec: trainer: image: "llm:1.0"
job: spec: trainer: image: "llm:2.0"
""", "conflicting values"),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_the_language_of_timoni_refuses(case: Cue, tmp_path: Path) -> None:
    (tmp_path / "job.cue").write_text(case.text)
    done = run(program(CUE), "export", "job.cue", cwd=tmp_path)
    assert done.returncode == 1
    assert case.says in done.stderr


@pytest.mark.parametrize(("old", "new", "says"), [
    ("numNodes: 2", "numNodes: two", "./job.yaml:7:15"),
    ("name: llm", f"name: {'l' * 60}", ""),
])  # fmt: skip
def test_the_language_of_timoni_knows_the_types_and_no_more(
    old: str, new: str, says: str, folder: Path
) -> None:
    cue = program(CUE)
    (folder / "job.yaml").write_text(JOB.replace(old, new))
    (folder / "schema.json").write_text(trainc(folder, "schema", "--kind", "TrainJob").stdout)
    done = run(cue, "vet", "job.yaml", "schema.json", cwd=folder)
    assert done.returncode == bool(says), done.stderr
    assert says in done.stderr
    assert trainc(folder, "validate", "job.yaml").returncode == 1
