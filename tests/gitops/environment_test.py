"""Environments end to end: values, templates, overlays, layout, and every error at its place."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.gitops.repository import repository, trainc, write
from trainc.budget import Budget
from trainc.errors import TraincError
from trainc.project.file import Project
from trainc.project.rendering import Rendering
from trainc.source.values import Values


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repository(tmp_path)


def jobsets(text: str) -> dict[str, Any]:
    found = [each for each in yaml.safe_load_all(text) if each["kind"] == "JobSet"]
    return {each["metadata"]["name"]: each["spec"] for each in found}


def node(spec: dict[str, Any]) -> dict[str, Any]:
    pod = spec["replicatedJobs"][0]["template"]["spec"]["template"]["spec"]
    return {**pod["containers"][0], "nodeSelector": pod.get("nodeSelector")}


def test_an_environment_reaches_everything_of_the_trainer(root: Path) -> None:
    done = trainc(root, "build", "--env", "prod")
    assert done.returncode == 0, done.stderr
    built = jobsets(done.stdout)
    assert len(built) == 12
    vision = node(built["vision"])
    assert vision["image"] == "example.com/vision:prod"
    assert vision["command"] == ["torchrun", "prod.py"]
    assert vision["args"] == ["--prod"]
    assert vision["resources"]["limits"] == {"nvidia.com/gpu": "8"}
    env = {item["name"]: item.get("value") for item in vision["env"]}
    assert "DEBUG" not in env
    assert (env["TIER"], env["KEEP"]) == ("prod", "1")
    assert vision["nodeSelector"] == {"pool": "gpu"}
    assert built["job-jax"]["replicatedJobs"][0]["template"]["spec"]["parallelism"] == 4
    assert built["sweep-1"]["replicatedJobs"][0]["template"]["spec"]["parallelism"] == 3


def test_the_default_environment_is_built_where_none_is_named(root: Path) -> None:
    built = jobsets(trainc(root, "build").stdout)
    assert node(built["vision"])["image"] == "example.com/train:1.0"
    assert built["sweep-1"]["replicatedJobs"][0]["template"]["spec"]["parallelism"] == 1


def test_all_environments_have_folders_of_their_own_and_are_deterministic(root: Path) -> None:
    for out, seed in (("one", "1"), ("two", "2")):
        done = trainc(root, "build", "--env", "all", "--out-dir", out, PYTHONHASHSEED=seed)
        assert done.returncode == 0, done.stderr
    one, two = (
        {path.relative_to(root / out): path.read_bytes() for path in (root / out).rglob("*.*")
         if path.is_file()}
        for out in ("one", "two")
    )  # fmt: skip
    assert one == two
    assert {path.parts[:2] for path in one if len(path.parts) > 2} == {
        ("dev", "default"),
        ("prod", "default"),
    }


def test_an_environment_that_is_gone_leaves_no_files(root: Path) -> None:
    (root / "trainc.yaml").write_text("sources: [jobs]\nvalues: {image: x, rates: []}\n")
    assert trainc(root, "build", "--out-dir", "out").returncode == 0
    for path in (root / "overlays/prod").iterdir():
        path.unlink()
    (root / "overlays/prod").rmdir()
    assert trainc(root, "build", "--out-dir", "out").returncode == 0
    assert not list((root / "out/prod").rglob("*.yaml"))
    assert list((root / "out/dev").rglob("*.yaml"))


def test_one_file_is_built_as_its_project_says(root: Path) -> None:
    built = jobsets(trainc(root, "build", "--env", "prod", "jobs/vision.yaml").stdout)
    assert list(built) == ["vision"]
    assert node(built["vision"])["image"] == "example.com/vision:prod"


@dataclass(frozen=True)
class Layered:
    __test__ = False
    name: str
    args: tuple[str, ...]
    want: str


@pytest.mark.parametrize(
    "case",
    [
        Layered("the project's", (), "example.com/sweep:1.0"),
        Layered("a file over the project", ("--values", "v.yaml"), "file"),
        Layered("a flag over a file", ("--values", "v.yaml", "--set", "image=flag"), "flag"),
        Layered("the last file", ("--values", "v.yaml", "--values", "w.yaml"), "last"),
        Layered("text that looks like a number", ("--set-string", "image=1.10"), "1.10"),
    ],
    ids=lambda case: case.name,
)
def test_values_have_an_order(root: Path, case: Layered) -> None:
    (root / "v.yaml").write_text("image: file\n")
    (root / "w.yaml").write_text("image: last\n")
    sweep = root / "templates/sweep.yaml.j2"
    sweep.write_text(sweep.read_text().replace("{{ values.image }}", '"{{ values.image }}"'))
    done = trainc(root, "build", *case.args)
    assert node(jobsets(done.stdout)["sweep-1"])["image"] == case.want, done.stderr


@dataclass(frozen=True)
class Refused:
    __test__ = False
    name: str
    file: str
    text: str
    want: tuple[str, ...]


REFUSED = [
    Refused(
        "an unknown key of trainc.yaml", "trainc.yaml", "source: [jobs]\n",
        ("trainc.yaml:1:1", "unknown key", "did you mean sources?"),
    ),
    Refused(
        "a value of the wrong type", "trainc.yaml", "sources: [jobs]\nemit: all\n",
        ("trainc.yaml:2:1", "emit"),
    ),
    Refused(
        "a patch that matches nothing", "overlays/prod/patches.yaml",
        "target: {name: visoin}\npatch: {spec: {suspend: true}}\n",
        ("overlays/prod/patches.yaml:1:1", "matches nothing", "vision"),
    ),
    Refused(
        "an operation that fails", "overlays/prod/patches.yaml",
        "target: {name: vision}\npatch:\n  - {op: remove, path: /spec/nothing}\n",
        ("overlays/prod/patches.yaml:3:", "nothing stands at 'nothing'"),
    ),
    Refused(
        "overlays in a circle", "overlays/base/overlay.yaml", "extends: prod\n",
        ("overlays/base/overlay.yaml:1:1", "prod -> base -> prod"),
    ),
    Refused(
        "an overlay there is not", "overlays/prod/overlay.yaml", "extends: bas\n",
        ("overlays/prod/overlay.yaml:1:1", "no overlay 'bas'", "base"),
    ),
    Refused(
        "abstract that is text", "overlays/base/overlay.yaml", "abstract: 'yes'\n",
        ("overlays/base/overlay.yaml:1:1", "abstract: must be true or false"),
    ),
    Refused(
        "replace without a tool that does", "trainc.yaml", "sources: [jobs]\non_change: replace\n",
        ("trainc.yaml:2:1", "on_change: replace needs a profile"),
    ),
    Refused(
        "a value nobody set", "templates/sweep.yaml.j2", "a: 1\nb: {{ values.nope }}\n",
        ("templates/sweep.yaml.j2:2:1", "no value 'nope'", "image, nodes, rates"),
    ),
    Refused(
        "a patch that is a template", "overlays/prod/more.yaml.j2", "a: 1\n",
        ("overlays/prod/more.yaml.j2: error: patches are not templates", "plain YAML"),
    ),
    Refused(
        "a key that a loop writes twice", "templates/sweep.yaml.j2",
        "{# a #}\n{# b #}\nx: 1\n{% for n in [1, 2] %}\nk: {{ n }}\n{% endfor %}\n",
        ("templates/sweep.yaml.j2:5:1", "duplicate key 'k', first set at 5:1"),
    ),
    Refused(
        "a list that does not end", "templates/sweep.yaml.j2",
        "{# a\n b #}\n{% set a = '[' %}\n{% set b = 1 %}\nx: {{ a }}1,\n\ny: }\n",
        ("templates/sweep.yaml.j2:7:", "of line 7)"),
    ),
    Refused(
        "a syntax error", "templates/sweep.yaml.j2", "a: 1\n{% endfor %}\n",
        ("templates/sweep.yaml.j2:2:1", "endfor"),
    ),
    Refused(
        "a loop without end", "templates/sweep.yaml.j2",
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        ("templates/sweep.yaml.j2:1", "steps"),
    ),
    Refused(
        "an include of itself", "templates/sweep.yaml.j2",
        "{% include 'templates/sweep.yaml.j2' %}",
        ("templates/sweep.yaml.j2:1", "deeper"),
    ),
    Refused(
        "a way out of the sandbox", "templates/sweep.yaml.j2",
        "a: {{ ''.__class__.__mro__ }}\n", ("templates/sweep.yaml.j2:1",),
    ),
    Refused(
        "a file outside the project", "templates/sweep.yaml.j2",
        "{% include '../outside.j2' %}\n", ("templates/sweep.yaml.j2:1", "no template"),
    ),
    Refused(
        "a value of the wrong type, told where it came from", "overlays/prod/values.yaml",
        "nodes: four\n",
        (
            "templates/sweep.yaml.j2:12:", 'must be an integer, got "four"',
            "rendered: numNodes: four", "values.nodes comes from overlays/prod/values.yaml:1:1",
        ),
    ),
    Refused(
        "a patch that breaks the schema, at its own place", "overlays/prod/patches.yaml",
        "target: {name: vision}\npatch:\n  spec:\n    trainer:\n      numNodes: none\n",
        ("overlays/prod/patches.yaml:5:7", "spec.trainer.numNodes"),
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_a_mistake_is_told_at_its_place(root: Path, case: Refused) -> None:
    (root.parent / "outside.j2").write_text("a: 1\n")
    (root / case.file).write_text(case.text)
    done = trainc(root, "build", "--env", "prod")
    assert done.returncode == 1, done.stderr
    assert not done.stdout
    for part in case.want:
        assert part in done.stderr


def test_without_a_default_the_environments_are_named(root: Path) -> None:
    (root / "trainc.yaml").write_text("sources: [jobs]\nvalues: {image: x, rates: []}\n")
    done = trainc(root, "build")
    assert done.returncode == 1
    assert "dev, prod" in done.stderr


def test_an_empty_environment_is_not_the_default_one(root: Path) -> None:
    done = trainc(root, "build", "--env", "")
    assert (done.returncode, done.stdout) == (1, "")
    assert "--env names no environment" in done.stderr
    assert "dev, prod" in done.stderr


@pytest.mark.parametrize("name", ["sweep.yaml.j2", "_shared.j2"])
def test_a_template_that_is_no_text_is_told(root: Path, name: str) -> None:
    (root / "templates/sweep.yaml.j2").write_text("{% include 'templates/_shared.j2' %}\n")
    (root / "templates/_shared.j2").write_text("# nothing\n")
    (root / "templates" / name).write_bytes(b"a: 1\nb: \xff\n")
    done = trainc(root, "build", "--env", "prod")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"templates/{name}:2:1: error: no UTF-8" in done.stderr


def test_a_template_that_is_not_rendered_is_told(root: Path) -> None:
    (root / "jobs/more.yaml.j2").write_text("a: {{ nope }}\n")
    (root / "jobs/again.yml.j2").write_text("a: {{ nope }}\n")
    (root / "jobs/_macros.yaml.j2").write_text("a: {{ nope }}\n")
    done = trainc(root, "build", "--env", "prod")
    assert done.returncode == 0
    assert "jobs/again.yml.j2: warning: a template outside of templates/" in done.stderr
    assert "not rendered, nor 1 more" in done.stderr


def test_a_template_may_end_in_yml(root: Path) -> None:
    (root / "templates/sweep.yaml.j2").rename(root / "templates/sweep.yml.j2")
    built = jobsets(trainc(root, "build", "--env", "prod").stdout)
    assert "sweep-1" in built


def test_a_folder_that_cannot_be_read_is_not_an_empty_one(root: Path) -> None:
    def denied(path: str) -> Any:
        raise PermissionError(13, "Permission denied", path)

    with pytest.MonkeyPatch.context() as patched, pytest.raises(TraincError) as told:
        patched.setattr("os.scandir", denied)
        Rendering(Project(str(root)), Values(), "", Budget()).files("templates", ())
    (problem,) = told.value.problems
    assert problem.message == "permission denied"
    assert problem.hint


def test_a_file_that_is_wrong_does_not_make_its_patches_wrong(root: Path) -> None:
    (root / "jobs/vision.yaml").write_text("kind: [\n")
    done = trainc(root, "validate", "--env", "prod")
    assert done.returncode == 1
    assert "jobs/vision.yaml:2:1: error" in done.stderr
    assert "matches nothing" not in done.stderr


def test_an_abstract_overlay_is_no_environment(root: Path) -> None:
    (root / "overlays/base/overlay.yaml").write_text("abstract: true\n")
    done = trainc(root, "build", "--env", "base")
    assert (done.returncode, done.stdout) == (1, "")
    assert "base is abstract" in done.stderr


def test_no_environment_is_called_as_all_of_them_are(root: Path) -> None:
    (root / "overlays/all").mkdir()
    done = trainc(root, "build", "--env", "all", "--out-dir", "out")
    assert done.returncode == 1
    assert "overlays/all: error: --env all means every environment" in done.stderr


@pytest.mark.parametrize(
    ("folder", "path", "says"),
    [
        (".", "overlays/dev", "overlays/dev: error: holds patches, no sources"),
        (".", "overlays/prod/patches.yaml", "overlays/prod/patches.yaml: error: holds patches"),
        ("overlays/dev", ".", "overlays/dev: error: holds patches, no sources"),
        (".", "rules", "rules: error: holds rules, no sources"),
        (".", "rules/team.yaml", "rules/team.yaml: error: holds rules, no sources"),
    ],
)
@pytest.mark.parametrize("command", ["build", "validate", "check", "explain"])
def test_what_is_no_source_is_not_read_as_one(
    command: str, folder: str, path: str, says: str, tmp_path: Path
) -> None:
    root = repository(tmp_path)
    write("rules/team.yaml", "TRC404: off\n")(root)
    done = trainc(root / folder, command, path, "--env", "dev")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(says)
    assert len(done.stderr.splitlines()) == 2
