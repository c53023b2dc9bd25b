"""Where one file changed the others are not compiled again, and nobody can tell from the answer."""

import random
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.gitops.repository import edit, job, repository, runtime, trainc, write

# Runs a command line and tells on stderr which TrainJobs it compiled.
PROBE = """
import sys
from trainc import compile
from trainc.cli import _run

made, real = set(), compile.trainjob
compile.trainjob = lambda document, namespace: made.add(document.name) or real(document, namespace)
status = _run(sys.argv[1:])
print(*sorted(made), file=sys.stderr)
sys.exit(status)
"""
ALL = {
    "job-flux", "job-gang", "job-jax", "job-mpi", "job-plain", "job-torch", "job-volcano",
    "job-xgboost", "sweep-1", "sweep-2", "tune", "vision",
}  # fmt: skip
# A finding in a template says what the line became, which is not kept: compiled each time.
RENDERED = {"sweep-1", "sweep-2"}
CLAIM = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce]}
"""
COMMANDS = (
    ("check", "--env", "all"),
    ("build", "--env", "all", "--out-dir", "out"),
    ("validate", "--env", "all"),
)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sample repository, built and validated."""
    monkeypatch.setenv("TRAINC_CACHE_DIR", str(tmp_path / "cache"))
    root = repository(tmp_path / "repository")
    (root / "rules").mkdir()
    (root / "rules/team.yaml").write_text("TRC404: off\n")
    for command in COMMANDS[1:]:
        assert trainc(root, *command).returncode == 0
    return root


def compiled(root: Path, *args: str) -> set[str]:
    """The names of the TrainJobs a command compiles."""
    command = [sys.executable, "-c", PROBE, *args]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return set(done.stderr.splitlines()[-1].split())


def told(root: Path, *args: str) -> tuple[int, str, str]:
    done = trainc(root, *args)
    return done.returncode, done.stdout, done.stderr


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    change: Callable[[Path], object]
    want: set[str]


CASES = [
    TestCase("one job", edit("jobs/jax.yaml", "--lr=1", "--lr=2"), {"job-jax"}),
    TestCase("a comment in one job", edit("jobs/jax.yaml", "spec:", "spec: # why"), {"job-jax"}),
    TestCase("a new job", write("jobs/new.yaml", job("new", "own-jax")), {"new"}),
    TestCase("a job gone", lambda root: (root / "jobs/jax.yaml").unlink(), set()),
    TestCase("a job in another file",
             lambda root: (root / "jobs/jax.yaml").rename(root / "jobs/yyy.yaml"), {"job-jax"}),
    TestCase("a second job beside one", lambda root: (root / "jobs/jax.yaml").write_text(
        job("job-jax", "own-jax") + "---\n" + job("second", "own-jax")), {"job-jax", "second"}),
    TestCase("what one job became", edit("templates/sweep.yaml.j2", "--lr", "--rate"), RENDERED),
    TestCase("a runtime", edit("runtimes/jax.yaml", "jax:1.0", "jax:2.0"), ALL),
    TestCase("a new runtime", write("runtimes/new.yaml", runtime("new", "jax: {}")), ALL),
    TestCase("a runtime among the jobs", write("jobs/new.yaml", runtime("new", "jax: {}")), ALL),
    TestCase("an overlay", edit("overlays/prod/patches.yaml", "vision:prod", "vision:x"), ALL),
    TestCase("a value", edit("overlays/prod/values.yaml", "3", "5"), ALL),
    TestCase("the project", edit("trainc.yaml", "sweep:1.0", "sweep:2.0"), ALL),
    TestCase("a claim", write("jobs/claim.yaml", CLAIM), ALL),
    TestCase("a rule", write("rules/own.yaml", "- {name: mine, expression: 'true'}\n"), ALL),
]  # fmt: skip


@pytest.mark.parametrize("command", (COMMANDS[0], COMMANDS[2]), ids=lambda command: command[0])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_only_what_changed_is_compiled(
    case: TestCase, command: tuple[str, ...], root: Path
) -> None:
    case.change(root)
    assert compiled(root, *command) - RENDERED == case.want - RENDERED
    assert told(root, *command) == told(root, *command, "--no-cache")


def test_an_error_in_one_job_compiles_no_other(root: Path) -> None:
    edit("jobs/jax.yaml", "numNodes: 2", "numNodes: two")(root)
    for _ in range(2):
        assert compiled(root, *COMMANDS[0]) - RENDERED == {"job-jax"}
        assert told(root, *COMMANDS[0]) == told(root, *COMMANDS[0], "--no-cache")


def test_a_job_that_makes_what_a_known_one_makes_is_refused(root: Path) -> None:
    edit("jobs/jax.yaml", "job-jax", "job-mpi")(root)
    for command in COMMANDS:
        found = told(root, *command)
        assert found == told(root, *command, "--no-cache")
        assert found[0] == 1
        assert "defined twice" in found[2]


def test_two_files_of_one_printed_name_are_told_apart(tmp_path: Path, root: Path) -> None:
    plain = tmp_path / "plain"
    (plain / "jobs").mkdir(parents=True)
    (plain / "job.yaml").write_text(job("one", "torch-distributed"))
    (plain / "jobs/job.yaml").write_text(job("two", "torch-distributed"))
    build = ("build", "jobs", "job.yaml", "--out-dir", "out")
    assert trainc(plain, *build).returncode == 0
    for name in ("job.yaml", "jobs/job.yaml"):
        edit(name, "--lr=1", "--lr=2")(plain)
        assert trainc(plain, *build).returncode == 0
        assert told(plain, "check", "jobs", "job.yaml", "--no-cache")[0] == 0


def test_texts_that_were_lost_are_made_again(root: Path) -> None:
    edit("jobs/jax.yaml", "--lr=1", "--lr=2")(root)
    lost = [*(root.parent / "cache").rglob("*.texts")]
    assert lost
    for path in lost:
        path.unlink()
    assert compiled(root, *COMMANDS[1]) == ALL
    assert told(root, "check", "--env", "all", "--no-cache") == (0, "", "")


def _some_edit(root: Path, chance: random.Random) -> None:
    """Changes, adds or removes something a build reads."""
    name = chance.choice(["jax", "mpi", "torch", "plain", "vision"])
    job_file, runtime_file = root / f"jobs/{name}.yaml", root / "runtimes/jax.yaml"
    number = chance.randrange(9)
    match chance.randrange(8):
        case 0 | 1 if job_file.exists():
            job_file.write_text(re.sub("--lr=.*]", f"--lr={number}]", job_file.read_text()))
        case 2 if job_file.exists():
            image = chance.choice(["train:2.0", "train", "train:latest"])
            job_file.write_text(re.sub("image: .*", f"image: {image}", job_file.read_text()))
        case 3:
            (root / f"jobs/extra{number}.yaml").write_text(job(f"extra-{number}", "own-jax"))
        case 4:
            (root / f"jobs/extra{number}.yaml").unlink(missing_ok=True)
        case 5:
            runtime_file.write_text(
                re.sub('jax:1.*"', f'jax:1.{number}"', runtime_file.read_text())
            )
        case 6:
            (root / "overlays/prod/values.yaml").write_text(f"nodes: {number + 1}\n")
        case _:
            twin = chance.choice(["job-xgboost", f"twin-{number}"])
            (root / "jobs/twin.yaml").write_text(job(twin, "own-jax"))


@pytest.mark.parametrize("seed", range(3))
def test_a_walk_of_edits_is_answered_as_without_memory(seed: int, root: Path) -> None:
    chance = random.Random(seed)
    for _ in range(6):
        for _ in range(chance.randrange(1, 4)):
            _some_edit(root, chance)
        command = chance.choice(COMMANDS)
        plain = told(root, "check", "--env", "all", "--no-cache")
        assert told(root, "check", "--env", "all") == plain
        want = told(root, *command, "--no-cache") if command[0] == "validate" else None
        found = told(root, *command)
        assert want is None or found == want
        if command[0] == "build" and found[0] == 0:
            assert told(root, "check", "--env", "all", "--no-cache") == (0, "", found[2])
