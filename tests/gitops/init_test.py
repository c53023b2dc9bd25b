"""``init``: what it writes builds, and what is there stays."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.gitops.repository import job, trainc
from tests.mounts import namespace

FILES = {"jobs/mnist.yaml", "overlays/dev/mnist.yaml", "overlays/prod/mnist.yaml", "trainc.yaml"}


def tree(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def assert_clean(root: Path) -> None:
    """Builds every environment and checks: not a word is said."""
    for command in (("build", "--out-dir", "out"), ("check",), ("validate",)):
        done = trainc(root, *command)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), command


@pytest.mark.parametrize("folder", [".", "new/project"])
def test_an_empty_folder_becomes_a_project(tmp_path: Path, folder: str) -> None:
    done = trainc(tmp_path, "init", folder)
    assert (done.returncode, done.stderr) == (0, "")
    root = tmp_path / folder
    assert set(tree(root)) == FILES
    prefix = "" if folder == "." else f"{folder}/"
    assert done.stdout.splitlines() == [f"{prefix}{name}" for name in sorted(FILES)]
    assert_clean(root)
    assert {path.parent.parent.name for path in root.glob("out/*/*/*.yaml")} == {"dev", "prod"}
    assert trainc(root, "fmt", "--check").stdout == ""


def test_every_key_of_the_project_file_is_explained(tmp_path: Path) -> None:
    from trainc.project.file import Project

    trainc(tmp_path, "init")
    lines = (tmp_path / "trainc.yaml").read_text().splitlines()
    keys = {line.removeprefix("# ").partition(":")[0] for line in lines if ":" in line}
    assert set(Project._fields) - {"root", "document", "digest"} <= keys


def test_every_key_can_be_taken_out_of_its_comment(tmp_path: Path) -> None:
    trainc(tmp_path, "init")
    path = tmp_path / "trainc.yaml"
    text = re.sub(r"(?m)^# (?=(  )*[a-z_]+: |rules:$|  - |    [a-z])", "", path.read_text())
    settings = yaml.safe_load(text)
    assert len(settings) > 10
    settings["exclude"] = []
    path.write_text(yaml.safe_dump(settings))
    done = trainc(tmp_path, "build", "--out-dir", "out")
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob("out/*/*/trainjob*")) == []


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    trainc(tmp_path, "init")
    (tmp_path / "trainc.yaml").write_text("# mine\n")
    before = tree(tmp_path)
    done = trainc(tmp_path, "init")
    assert (done.returncode, done.stdout) == (0, "")
    assert "trainc.yaml is there already" in done.stderr
    assert tree(tmp_path) == before


@pytest.mark.parametrize("there", ["jobs/mnist.yaml", "overlays/dev/patch.yaml"])
def test_what_is_there_is_left_alone(tmp_path: Path, there: str) -> None:
    path = tmp_path / there
    path.parent.mkdir(parents=True)
    path.write_text(job("own", "torch-distributed").replace("  args: [--lr=1]\n", ""))
    before = tree(tmp_path)
    done = trainc(tmp_path, "init")
    assert (done.returncode, done.stdout) == (0, "trainc.yaml\n")
    assert there.partition("/dev")[0] in done.stderr
    after = tree(tmp_path)
    after.pop("trainc.yaml")
    assert after == before


@pytest.mark.parametrize("there", ["train.yaml", "jobs/a.yaml", "templates-of-mine/x.yml"])
def test_a_job_called_as_the_example_is_no_second_one(tmp_path: Path, there: str) -> None:
    (tmp_path / there).parent.mkdir(exist_ok=True)
    text = job("mnist", "torch-distributed").replace("    args: [--lr=1]\n", "")
    (tmp_path / there).write_text(f"{text}  activeDeadlineSeconds: 60\n")
    done = trainc(tmp_path, "init")
    assert (done.returncode, done.stdout) == (0, "trainc.yaml\n")
    assert f"TrainJob mnist of {there} is there already: no example is written" in done.stderr
    assert trainc(tmp_path, "build", "--out-dir", "out").returncode == 0
    assert trainc(tmp_path, "check").returncode == 0


def test_jobs_that_are_there_are_built_too(tmp_path: Path) -> None:
    text = job("own", "torch-distributed")
    for name in ("my train/a.yaml", "b.yaml", "charts/values.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text.replace("own", f"job-{name[0]}"))
    (tmp_path / "charts/values.yaml").write_text("a: {{ broken }}\n")
    assert trainc(tmp_path, "init").returncode == 0
    assert 'sources: [jobs, b.yaml, "my train"]' in (tmp_path / "trainc.yaml").read_text()
    assert trainc(tmp_path, "build", "--out-dir", "out").returncode == 0
    assert trainc(tmp_path, "check").returncode == 0
    names = {path.stem.rpartition("-")[2] for path in tmp_path.glob("out/dev/default/*.yaml")}
    assert names == {"mnist", "b", "m"}


def test_bare_writes_the_project_file_only(tmp_path: Path) -> None:
    assert trainc(tmp_path, "init", "--bare").stdout == "trainc.yaml\n"
    assert trainc(tmp_path, "validate").returncode == 0


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    done = trainc(tmp_path, "init", "a")
    assert done.returncode == 2
    assert "no folder" in done.stderr


@pytest.mark.parametrize(
    ("options", "reason"),
    [("size=8k", "No space left on device"), ("ro", "Read-only file system")],
    ids=["full", "read-only"],
)
def test_a_disk_that_refuses_is_left_empty(tmp_path: Path, options: str, reason: str) -> None:
    (tmp_path / "disk").mkdir()
    mount = f"mount -t tmpfs -o {options} tmpfs disk"
    script = f'{mount}; "{sys.executable}" -m trainc init disk/p; s=$?; ls -A disk >&2; exit $s'
    done = subprocess.run(
        [*namespace(), "sh", "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
