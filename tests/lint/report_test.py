"""Reports as other programs read them: SARIF by its schema, JUnit by an XML parser."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import jsonschema_rs
import pytest

from trainc.errors import Mark, Problem
from trainc.report.forms import rendered

# SARIF 2.1.0 of OASIS, as the crate serde-sarif 0.8.0 ships it.
SCHEMA = Path(__file__).parent / "data" / "sarif-2.1.0.schema.json"

PROBLEMS = [
    Problem(
        "must be < 3 & more",
        "TRC010",
        Mark("a b/job.yaml", 3, 7),
        "TrainJob/m",
        "spec.x",
        hint="do: 1,2",
    ),
    Problem("100% wrong\nreally", "TRC302", Mark("job.yaml"), severity="warning"),
    Problem("no place \x1b[31m", "TRC404", severity="note"),
]
JOB = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {name: llm}
spec:
  runtimeRef: {name: torch-distributed}
  trainer: {numNodes: 2, image: example.com/llm}
"""


@pytest.mark.parametrize("problems", [[], PROBLEMS], ids=["none", "some"])
def test_sarif_is_what_its_schema_says(problems: list[Problem]) -> None:
    log = json.loads(rendered("sarif", problems))
    # The schema's pattern of a language has a bracket too many, which this engine refuses to read.
    schema = SCHEMA.read_text(encoding="utf-8").replace("{2}]?$", "{2}$")
    jsonschema_rs.validate(json.loads(schema), log)
    (run,) = log["runs"]
    assert [result["level"] for result in run["results"]] == [p.severity for p in problems]


def test_sarif_points_at_lines_and_rules() -> None:
    (run,) = json.loads(rendered("sarif", PROBLEMS))["runs"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b/job.yaml"
    assert place["region"] == {"startLine": 3, "startColumn": 7}
    second = run["results"][1]
    assert run["tool"]["driver"]["rules"][second["ruleIndex"]]["id"] == second["ruleId"] == "TRC302"


def test_github_escapes_what_would_end_a_command() -> None:
    assert rendered("github", PROBLEMS).splitlines() == [
        "::error file=a b/job.yaml,line=3,col=7,title=TRC010::"
        "spec.x: must be < 3 & more%0Ahint: do: 1,2",
        "::warning file=job.yaml,title=TRC302::100%25 wrong%0Areally",
        "::notice title=TRC404::no place \\x1b[31m",
    ]


@pytest.mark.parametrize(("problems", "failures"), [([], 0), (PROBLEMS, 1)])
def test_junit_fails_for_errors_alone(problems: list[Problem], failures: int) -> None:
    root = ElementTree.fromstring(rendered("junit", problems))
    assert len(root.findall(".//failure")) == failures == int(root.attrib["failures"])
    assert len(root.findall(".//testcase")) == max(len(problems), 1)


def trainc(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    (folder / "job.yaml").write_text(JOB)
    return subprocess.run([sys.executable, "-m", "trainc", *args], cwd=folder,
                          capture_output=True, text=True)  # fmt: skip


def test_a_report_may_go_to_a_file_of_its_own(tmp_path: Path) -> None:
    done = trainc(
        tmp_path, "build", "job.yaml", "--problems", "sarif", "--problems-file", "x.sarif"
    )
    assert done.returncode == 0
    (run,) = json.loads((tmp_path / "x.sarif").read_text())["runs"]
    assert [result["ruleId"] for result in run["results"]] == ["TRC302"]
    assert "[TRC302]" in done.stderr


@pytest.mark.parametrize("command", ["build", "validate"])
def test_a_report_that_cannot_be_written_is_no_success(command: str, tmp_path: Path) -> None:
    flags = ("--problems", "json", "--problems-file", "none/x.json")
    for _ in range(2):  # compiled, and told from memory
        done = trainc(tmp_path, command, "job.yaml", *flags)
        assert done.returncode == 1
        assert "error: cannot write: No such file or directory: none/x.json" in done.stderr


@dataclass(frozen=True)
class Hosted:
    __test__ = False
    name: str
    folder: str
    args: tuple[str, ...]
    want: str
    project: bool = True


@pytest.mark.parametrize("form", ["sarif", "github"])
@pytest.mark.parametrize(
    "case",
    [
        Hosted("at the top of the repository", ".", ("teams/a",), "teams/a/jobs/job.yaml"),
        Hosted("in the project", "teams/a", (), "teams/a/jobs/job.yaml"),
        Hosted("below it", "teams/a/jobs", (), "teams/a/jobs/job.yaml"),
        Hosted("no project", ".", ("teams/a",), "teams/a/jobs/job.yaml", project=False),
        Hosted("a file", "teams", ("a/jobs/job.yaml",), "teams/a/jobs/job.yaml", project=False),
        Hosted("its folder", "teams/a", ("jobs",), "teams/a/jobs/job.yaml", project=False),
    ],
    ids=lambda case: case.name,
)
def test_a_code_host_is_told_of_places_in_the_repository(
    case: Hosted, form: str, tmp_path: Path
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "teams/a/jobs").mkdir(parents=True)
    if case.project:
        (tmp_path / "teams/a/trainc.yaml").write_text("sources: [jobs]\n")
    (tmp_path / "teams/a/jobs/job.yaml").write_text(JOB)
    command = [sys.executable, "-m", "trainc", "validate", *case.args, "--problems", form]
    for _ in range(2):  # compiled, and told from memory
        done = subprocess.run(command, cwd=tmp_path / case.folder, capture_output=True, text=True)
        assert done.returncode == 0
        if form == "github":
            assert f"file={case.want}," in done.stderr
            continue
        found = json.loads(done.stderr)["runs"][0]["results"][0]["locations"][0]
        assert found["physicalLocation"]["artifactLocation"]["uri"] == case.want


def test_a_broken_project_is_told_at_its_place_in_the_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: elsewhere\n")
    (tmp_path / "a").mkdir()
    (tmp_path / "a/trainc.yaml").write_text("foo: 1\n")
    done = trainc(tmp_path, "validate", "a", "--problems", "github")
    assert done.returncode == 1
    assert done.stderr.startswith("::error file=a/trainc.yaml,line=1,col=1")


def test_a_report_goes_where_a_link_leads(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "x.json").symlink_to("reports/x.json")
    for _ in range(2):  # made, and made anew
        trainc(tmp_path, "build", "job.yaml", "--problems", "json", "--problems-file", "x.json")
        assert (tmp_path / "x.json").is_symlink()
        assert "TRC302" in (tmp_path / "reports/x.json").read_text()
        assert [path.name for path in (tmp_path / "reports").iterdir()] == ["x.json"]


def test_a_report_goes_through_a_pipe_that_stays_one(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    flags = ("--problems", "json", "--problems-file", "pipe")
    assert trainc(tmp_path, "build", "job.yaml", *flags).returncode == 0
    assert b"TRC302" in os.read(reader, 1 << 16)
    os.close(reader)
    assert (tmp_path / "pipe").is_fifo()


def test_a_report_that_no_disk_holds_is_no_success(tmp_path: Path) -> None:
    flags = ("--problems", "json", "--problems-file", "/dev/full")
    done = trainc(tmp_path, "build", "job.yaml", *flags)
    assert done.returncode == 1
    assert "error: cannot write: No space left on device" in done.stderr


@pytest.mark.parametrize("target", ["../outside/x.json", "../outside/new.json", "/dev/null"])
def test_no_link_leads_a_report_out_of_the_repository(target: str, tmp_path: Path) -> None:
    root, outside = tmp_path / "repository", tmp_path / "outside"
    (root / ".git").mkdir(parents=True)
    outside.mkdir()
    (outside / "x.json").write_text("theirs")
    (root / "x.json").symlink_to(target)
    done = trainc(root, "build", "job.yaml", "--problems", "json", "--problems-file", "x.json")
    assert done.returncode == 1
    assert "a link leads out of the repository, not written: x.json" in done.stderr
    assert [(path.name, path.read_text()) for path in outside.iterdir()] == [("x.json", "theirs")]


@pytest.mark.parametrize(("level", "status"), [("error", 0), ("warning", 1), ("note", 1)])
def test_warnings_fail_where_it_is_wished(level: str, status: int, tmp_path: Path) -> None:
    done = trainc(tmp_path, "build", "job.yaml", "--fail-on", level)
    assert done.returncode == status
    assert bool(done.stdout) is (status == 0)


def test_wrong_usage_is_reported_in_the_form_too(tmp_path: Path) -> None:
    done = trainc(tmp_path, "build", "--problems", "sarif", "--nope")
    assert done.returncode == 2
    assert json.loads(done.stderr)["runs"][0]["results"][0]["level"] == "error"


@pytest.mark.parametrize("command", ["validate", "build --out-dir out", "check"])
def test_what_two_environments_share_is_told_once(command: str, tmp_path: Path) -> None:
    for env in ("dev", "prod"):
        (tmp_path / "overlays" / env).mkdir(parents=True)
        (tmp_path / "overlays" / env / "overlay.yaml").write_text("abstract: false\n")
    (tmp_path / "trainc.yaml").write_text("sources: [job.yaml]\n")
    for _ in range(2):  # compiled, and told from memory
        assert trainc(tmp_path, *command.split()).stderr.count("[TRC302]") == 1


SMALL = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {name: NAME}
spec:
  runtimeRef: {name: torch-distributed}
  trainer: {numNodes: 1, image: example.com/llm:1.0}
"""
OVERLAY = """\
target: {kind: TrainJob}
patch:
  spec:
    trainer: {image: example.com/llm:latest}
"""


def shared(folder: Path) -> None:
    """Writes a project of two environments whose overlays set one image for three jobs."""
    (folder / "trainc.yaml").write_text("sources: [jobs]\n")
    files = {f"jobs/{name}.yaml": SMALL.replace("NAME", name) for name in ("a", "b", "c")}
    files |= {"overlays/base/image.yaml": OVERLAY, "overlays/base/overlay.yaml": "abstract: true\n"}
    for env in ("dev", "prod"):
        files[f"overlays/{env}/overlay.yaml"] = "extends: base\n"
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def test_a_finding_in_an_overlay_is_reported_once_with_its_jobs(tmp_path: Path) -> None:
    shared(tmp_path)
    for _ in range(2):  # compiled, and from memory
        done = trainc(tmp_path, "validate")
        lines = [line for line in done.stderr.splitlines() if "TRC302" in line]
        assert len(lines) == 1
        assert lines[0].startswith("overlays/base/image.yaml:4:")
        assert lines[0].endswith("[TRC302] (jobs a, b, c; environments dev, prod)")


@pytest.mark.parametrize("form", ["json", "sarif", "github", "junit"])
def test_every_form_names_jobs_and_environments(form: str, tmp_path: Path) -> None:
    shared(tmp_path)
    text = trainc(tmp_path, "validate", "--problems", form).stderr
    if form == "json":
        (found,) = [each for each in json.loads(text) if each.get("code") == "TRC302"]
        assert (found["jobs"], found["environments"]) == (["a", "b", "c"], ["dev", "prod"])
    elif form == "sarif":
        results = json.loads(text)["runs"][0]["results"]
        (result,) = [each for each in results if each.get("ruleId") == "TRC302"]
        want = {"jobs": ["a", "b", "c"], "environments": ["dev", "prod"]}
        assert result["properties"] == want
    else:
        scope = "(jobs a, b, c; environments dev, prod)"
        assert text.count(f"nodes may run different images {scope}") == 1


def test_verbose_ends_with_a_summary(tmp_path: Path) -> None:
    done = trainc(tmp_path, "validate", "-v", "job.yaml")
    assert done.stderr.splitlines()[-1] == "1 warning, 1 note in 1 file"
    assert "1 file" not in trainc(tmp_path, "validate", "job.yaml").stderr
