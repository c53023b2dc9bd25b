"""``init``: what it writes builds, and what is there stays."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.gitops.repository import job, trainc
from tests.mounts import namespace
from trainc.version import __version__

FILES = {
    ".gitignore",
    "jobs/mnist.yaml",
    "overlays/dev/mnist.yaml",
    "overlays/prod/mnist.yaml",
    "trainc.yaml",
}


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
    assert done.returncode == 0
    assert done.stderr.startswith("next:\n")
    assert ("cd new/project" in done.stderr) == (folder != ".")
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
    assert set(Project._fields) - {"root", "document", "digest", "reader"} <= keys


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
    assert (done.returncode, done.stdout) == (0, ".gitignore\ntrainc.yaml\n")
    assert there.partition("/dev")[0] in done.stderr
    after = tree(tmp_path)
    for name in (".gitignore", "trainc.yaml"):
        after.pop(name)
    assert after == before


@pytest.mark.parametrize("there", ["train.yaml", "jobs/a.yaml", "templates-of-mine/x.yml"])
def test_a_job_called_as_the_example_is_no_second_one(tmp_path: Path, there: str) -> None:
    (tmp_path / there).parent.mkdir(exist_ok=True)
    text = job("mnist", "torch-distributed").replace("    args: [--lr=1]\n", "")
    (tmp_path / there).write_text(f"{text}  activeDeadlineSeconds: 60\n")
    done = trainc(tmp_path, "init")
    assert (done.returncode, done.stdout) == (0, ".gitignore\ntrainc.yaml\n")
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


def test_what_is_printed_as_next_works(tmp_path: Path) -> None:
    done = trainc(tmp_path, "init", "my trainings")
    steps = re.findall(r"(?m)^  (\S.*?)(?:  .*)?$", done.stderr)
    assert steps[:2] == ["cd 'my trainings'", "trainc build > manifests.yaml"]
    folder = tmp_path
    for step in steps:
        program, *args = shlex.split(step.partition(" > ")[0])
        if program == "cd":
            folder /= args[0]
            continue
        done = trainc(folder, *args)
        assert (done.returncode, done.stderr) == (0, ""), step
    assert trainc(folder, "build").stdout == trainc(folder, "build", "--env", "dev").stdout


def test_quiet_says_nothing(tmp_path: Path) -> None:
    assert trainc(tmp_path, "init", "--quiet").stderr == ""
    assert trainc(tmp_path, "init", "a", "--problems", "json").stderr == "[]\n"


@pytest.mark.parametrize("profile", ["argocd", "flux"])
def test_a_profile_is_written(profile: str, tmp_path: Path) -> None:
    assert trainc(tmp_path, "init", "--profile", profile).returncode == 0
    settings = yaml.safe_load((tmp_path / "trainc.yaml").read_text())
    assert (settings["profile"], settings["on_change"]) == (profile, "rename")
    assert_clean(tmp_path)
    done = trainc(tmp_path, "init", "--profile", "flux")
    assert "write `profile: flux` into trainc.yaml" in done.stderr


GATES = {"github": ".github/workflows/trainc.yaml", "gitlab": ".gitlab-ci.yml"}


@pytest.mark.parametrize("ci", GATES)
def test_gates_are_written_once(ci: str, tmp_path: Path) -> None:
    done = trainc(tmp_path, "init", "--ci", ci)
    assert GATES[ci] in done.stdout.splitlines()
    text = (tmp_path / GATES[ci]).read_text()
    assert f"trainc=={__version__}\n" in text
    for command in ("fmt --check", "validate", "check", "diff --base"):
        assert f"trainc {command}" in text
    assert_clean(tmp_path)
    (tmp_path / GATES[ci]).write_text("mine\n")
    done = trainc(tmp_path, "init", "--ci", ci)
    assert (done.returncode, done.stdout) == (0, "")
    assert f"{GATES[ci]} is there already" in done.stderr
    assert (tmp_path / GATES[ci]).read_text() == "mine\n"


def test_a_project_gets_its_gates_later(tmp_path: Path) -> None:
    trainc(tmp_path, "init")
    before = tree(tmp_path)
    assert trainc(tmp_path, "init", "--ci", "github").stdout == f"{GATES['github']}\n"
    after = tree(tmp_path)
    after.pop(GATES["github"])
    assert after == before


def test_gates_below_the_repository_are_reported(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert "move .gitlab-ci.yml to" in trainc(tmp_path, "init", "a", "--ci", "gitlab").stderr
    assert "move" not in trainc(tmp_path, "init", "--ci", "gitlab").stderr


@pytest.mark.parametrize("ci", GATES)
def test_the_steps_of_the_gates_run(ci: str, tmp_path: Path) -> None:
    """The shell of the workflow itself, on a branch that changes a job."""
    trainc(tmp_path, "init", "--ci", ci)
    trainc(tmp_path, "build", "--out-dir", "out")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com"]
    for args in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "one"]):
        subprocess.run([*git, *args], cwd=tmp_path, check=True)
    subprocess.run([*git, "update-ref", "refs/remotes/origin/main", "HEAD"], cwd=tmp_path)
    job_file = tmp_path / "jobs/mnist.yaml"
    job_file.write_text(job_file.read_text().replace("mnist:1.0.0", "mnist:2.0.0"))
    trainc(tmp_path, "build", "--out-dir", "out")
    subprocess.run([*git, "commit", "-qam", "two"], cwd=tmp_path, check=True)
    assert [run_gate(step, tmp_path) for step in steps_of(tmp_path / GATES[ci])] != []
    assert "TrainJob mnist" in (tmp_path / "comment.md").read_text()


def steps_of(path: Path) -> list[str]:
    """The commands of a workflow but those that install and that talk to the host."""
    document = yaml.safe_load(path.read_text())
    if "jobs" in document:
        steps = [step.get("run", "") for step in document["jobs"]["trainc"]["steps"]]
    else:
        steps = document["trainc"]["script"]
    return [step for step in steps if step.startswith("trainc") or "trainc diff" in step]


def run_gate(step: str, folder: Path) -> str:
    program = f"trainc() {{ '{sys.executable}' -m trainc \"$@\"; }}; set -e; {step}"
    before = {"GITHUB_BASE_REF": "main", "CI_MERGE_REQUEST_DIFF_BASE_SHA": "origin/main"}
    done = subprocess.run(
        ["bash", "-c", program],
        cwd=folder,
        env={**os.environ, **before},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return step


def test_one_environment_needs_no_name(tmp_path: Path) -> None:
    (tmp_path / "overlays/only").mkdir(parents=True)
    (tmp_path / "job.yaml").write_text(job("a", "torch-distributed").replace("args: [--lr=1]", ""))
    patch = "target: {kind: TrainJob}\npatch: {spec: {trainer: {numNodes: 7}}}\n"
    (tmp_path / "overlays/only/patch.yaml").write_text(patch)
    (tmp_path / "trainc.yaml").write_text("")
    done = trainc(tmp_path, "build")
    assert done.returncode == 0, done.stderr
    assert "parallelism: 7" in done.stdout
    assert trainc(tmp_path, "explain", "job.yaml").returncode == 0
    (tmp_path / "overlays/other").mkdir()
    assert trainc(tmp_path, "build").returncode == 1


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
