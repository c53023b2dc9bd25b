"""The hooks under the real pre-commit: installed from a repository, run on a scratch project."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PACKAGED = ("compiler", "runtimes", "pyproject.toml", "README.md", "LICENSE")
HOOKS = ".pre-commit-hooks.yaml"
AUTHOR = ("-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")


def run(*command: str | Path, cwd: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, env={**clean, **env}
    )


def git(folder: Path, *args: str) -> str:
    done = run("git", *AUTHOR, *args, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def commit(folder: Path) -> str:
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--no-verify", "--message", "test")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture(scope="module")
def pre_commit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, in an environment of its own, everything pinned by hash."""
    if shutil.which("git") is None:
        pytest.skip("needs git")
    folder = tmp_path_factory.mktemp("pre-commit")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pinned = ("--require-hashes", "--requirement", ROOT / "deploy/pre-commit.txt")
    install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "0")
    done = run(folder / "bin/python", *install, *pinned, cwd=folder)
    if done.returncode:
        pytest.skip(
            f"pip cannot install pre-commit, perhaps without an index: {done.stderr[-200:]}"
        )
    return folder / "bin/pre-commit"


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The working tree as a repository of hooks, and its revision."""
    folder = tmp_path_factory.mktemp("hooks")
    for name in (*PACKAGED, HOOKS):
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
            shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignored)
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder, commit(folder)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, hooks: tuple[Path, str]) -> Path:
    """A project with rendered output and all three hooks."""
    folder = tmp_path_factory.mktemp("project")
    for args in (("init",), ("build", "--quiet", "--out-dir", "out")):
        assert run(sys.executable, "-m", "trainc", *args, cwd=folder).returncode == 0
    ids = [{"id": f"trainc-{name}"} for name in ("fmt", "validate", "check")]
    config = {"repos": [{"repo": str(hooks[0]), "rev": hooks[1], "hooks": ids}]}
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    (folder / "chart.yaml").write_text("kind:    ConfigMap\napiVersion:   v1\n")
    commit(folder)
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def hooked(pre_commit: Path, project: Path, home: Path) -> tuple[int, dict[str, str], str]:
    """Runs all hooks on all files: exit status, what each says, and everything."""
    git(project, "add", "--all")
    done = run(
        pre_commit, "run", "--all-files", "--color=never", cwd=project, PRE_COMMIT_HOME=str(home)
    )
    lines = [line for line in done.stdout.splitlines() if line.endswith(("Passed", "Failed"))]
    said = {line.partition(".")[0].removeprefix("trainc "): line[-6:] for line in lines}
    return done.returncode, said, done.stdout + done.stderr


def test_the_hooks_are_those_of_the_file(hooks: tuple[Path, str]) -> None:
    listed = yaml.safe_load((hooks[0] / HOOKS).read_text())
    assert {each["id"] for each in listed} == {"trainc-validate", "trainc-check", "trainc-fmt"}
    assert all(each["language"] == "python" for each in listed)


def test_hooks_pass_fail_and_mend(pre_commit: Path, project: Path, home: Path) -> None:
    status, said, text = hooked(pre_commit, project, home)
    assert (status, said) == (0, dict.fromkeys(("fmt", "validate", "check"), "Passed")), text

    path = project / "jobs/mnist.yaml"
    tidy = path.read_text()
    path.write_text(tidy.replace("metadata:\n  name: mnist", "metadata:\n    name: mnist"))
    status, said, text = hooked(pre_commit, project, home)
    assert (status, said["fmt"], said["check"]) == (1, "Failed", "Passed"), text
    assert "files were modified by this hook" in text
    assert path.read_text() == tidy
    assert git(project, "diff", "--stat", "chart.yaml") == ""

    path.write_text(tidy.replace("mnist:1.0.0", "mnist:1.0.1"))
    status, said, text = hooked(pre_commit, project, home)
    assert (status, said["fmt"], said["validate"], said["check"]) == (
        1, "Passed", "Passed", "Failed",
    ), text  # fmt: skip
    assert "+++ out/prod/training/" in text

    path.write_text(tidy.replace("[torchrun, train.py]", "{a: 1}"))
    status, said, text = hooked(pre_commit, project, home)
    assert (status, said["validate"]) == (1, "Failed"), text
    assert "jobs/mnist.yaml" in text

    path.write_text(tidy)
    assert hooked(pre_commit, project, home)[0] == 0
