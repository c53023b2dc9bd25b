"""The command line as a user and a pipeline meet it: streams, exit status, signals, determinism."""

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

EXAMPLES = Path(__file__).parent.parent / "examples"

JOB = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata:
  name: mnist
spec:
  runtimeRef:
    name: torch-distributed
  trainer:
    image: example.com/mnist:1.0
    numNodes: 2
"""
WRONG = JOB.replace("numNodes: 2", "numNodes: three")
OTHER = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: passed-over\n"

# What a plain build must not import.
HEAVY = {"kubernetes", "pyarrow", "jinja2", "pydantic", "celpy"}

# A build that meets a bug of ours, and one that hangs until it is told to stop.
BUG = "import trainc.pipeline as p; p.compile_sources = lambda *a: 1 / 0;"
HANG = """
import time, trainc.pipeline as p
def compile_documents(*args):
    print("ready", flush=True)
    time.sleep(60)
p.compile_documents = compile_documents
"""
# A build that stops in the middle of publishing its files.
HANG_BETWEEN_FILES = """
import os, time
real, calls = os.replace, []
def replace(*args):
    calls.append(args)
    if len(calls) == 3:
        print("ready", flush=True)
        time.sleep(60)
    real(*args)
os.replace = replace
"""


def command(*args: str, before: str = "") -> list[str]:
    """How ``trainc ARGS`` is started, after ``before`` has changed something in it."""
    if not before:
        return [sys.executable, "-m", "trainc", *args]
    program = f"import sys; sys.argv[0] = 'trainc'\n{before}\nfrom trainc.cli import main; main()"
    return [sys.executable, "-c", program, *args]


def environment(**changes: str) -> dict[str, str]:
    """The process's environment, without what would change how output looks."""
    plain = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "TERM")}
    return {**plain, "TERM": "xterm", **changes}


def trainc(*args: str, cwd: Path, stdin: str = "", before: str = "", **env: str) -> Any:
    return subprocess.run(
        command(*args, before=before),
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment(**env),
        timeout=120,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "job.yaml").write_text(JOB)
    return tmp_path


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_version_is_answered_before_anything_is_imported(tmp_path: Path) -> None:
    program = [sys.executable, "-X", "importtime", "-m", "trainc", "--version"]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.startswith("trainc 0.")
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not imported & {"click", "typing", "json", "dataclasses", "trainc.pipeline"}


def test_a_plain_build_leaves_the_heavy_packages_alone(project: Path) -> None:
    watch = """
import atexit, os, sys
os._exit = sys.exit  # a build ends at once, without what is registered for the end
atexit.register(lambda: print(*sorted({n.partition(".")[0] for n in sys.modules}), file=sys.stderr))
"""
    done = trainc("build", "job.yaml", cwd=project, before=watch)
    assert done.returncode == 0
    imported = set(done.stderr.split())
    assert "trainc" in imported
    assert not imported & HEAVY


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    args: tuple[str, ...]
    status: int
    said: str = ""
    before: str = ""


RUNS = [
    TestCase(name="a sound job", args=("build", "job.yaml"), status=0),
    TestCase(name="the current folder", args=("build",), status=1, said="must be an integer"),
    TestCase(name="an error", args=("build", "wrong.yaml"), status=1, said="wrong.yaml:10:"),
    TestCase(name="a missing file", args=("build", "none.yaml"), status=1, said="none.yaml"),
    TestCase(name="nothing to build", args=("build", "other.yaml"), status=1, said="nothing to"),
    TestCase(name="nothing is meant", args=("build", "other.yaml", "--allow-empty"), status=0),
    TestCase(name="no such option", args=("build", "--nope"), status=2, said="--nope"),
    TestCase(name="no such command", args=("biuld",), status=2, said="'build'"),
    TestCase(name="no such choice", args=("build", "-o", "toml"), status=2, said="toml"),
    TestCase(name="a bad feature", args=("build", "--feature", "A=1"), status=2, said="NAME=true"),
    TestCase(
        name="no feature to compile with",
        args=("controller", "--compile", "--feature", "TrainjobStatus"),
        status=2,
        said="features: TrainJobStatus",
    ),
    TestCase(
        name="nothing can be served there",
        args=("controller", "--namespace", "good", "--namespace", "no/../good"),
        status=2,
        said="can be called 'no/../good'",
    ),
    TestCase(
        name="a feature and nothing to compile",
        args=("controller", "--feature", "TrainJobStatus"),
        status=2,
        said="needs --compile",
    ),
    TestCase(
        name="no namespace's name",
        args=("build", "--namespace", "../x"),
        status=2,
        said="begin and end with a letter",
    ),
    TestCase(
        name="no certificate",
        args=("build", "job.yaml", "--status-ca", "other.yaml"),
        status=2,
        said="no certificate",
    ),
    TestCase(
        name="a certificate that is no text",
        args=("build", "job.yaml", "--status-ca", "binary.pem"),
        status=2,
        said="no PEM file",
    ),
    TestCase(
        name="a private key as certificate",
        args=("build", "job.yaml", "--status-ca", "key.pem"),
        status=2,
        said="private key",
    ),
    TestCase(
        name="private keys in files",
        args=("build", "--secrets", "inline", "--out-dir", "out"),
        status=2,
        said="private keys",
    ),
    TestCase(name="JSON in files", args=("build", "-o", "json", "--out-dir", "o"), status=2),
    TestCase(name="our bug", args=("build",), status=3, said="ZeroDivisionError", before=BUG),
]


@pytest.fixture
def inputs(project: Path) -> Path:
    (project / "wrong.yaml").write_text(WRONG.replace("mnist", "wrong"))
    (project / "other.yaml").write_text(OTHER)
    (project / "binary.pem").write_bytes(b"\xff\xfe")
    marks = [f"-----BEGIN {what}-----\n" for what in ("CERTIFICATE", "PRIVATE KEY")]
    (project / "key.pem").write_text("".join(marks))
    return project


@pytest.mark.parametrize("case", RUNS, ids=lambda case: case.name)
def test_the_exit_status_says_whose_turn_it_is(inputs: Path, case: TestCase) -> None:
    before = tree(inputs)
    done = trainc(*case.args, cwd=inputs, before=case.before)
    assert done.returncode == case.status, done.stderr
    assert case.said in done.stderr
    assert "Traceback" not in done.stderr
    if case.status:
        assert done.stdout == ""
        assert tree(inputs) == before


@pytest.mark.parametrize("case", RUNS, ids=lambda case: case.name)
def test_problems_as_json_are_one_document_whatever_happens(inputs: Path, case: TestCase) -> None:
    done = trainc(*case.args, "--problems", "json", "-vv", cwd=inputs, before=case.before)
    assert done.returncode == case.status
    problems = json.loads(done.stderr)
    assert isinstance(problems, list)
    assert any(problem["severity"] == "error" for problem in problems) == bool(case.status)
    for problem in problems:
        assert {"object", "field", "severity", "message", "file", "line", "column"} <= set(problem)


def test_nothing_to_say_is_an_empty_list(project: Path) -> None:
    done = trainc("build", "job.yaml", "--problems=json", cwd=project)
    assert json.loads(done.stderr) == []


def test_what_is_passed_over_is_a_note(inputs: Path) -> None:
    done = trainc("build", "job.yaml", "other.yaml", "--problems", "json", cwd=inputs)
    (note,) = json.loads(done.stderr)
    assert note["severity"] == "note"
    assert note["file"] == "other.yaml"
    assert trainc("build", "job.yaml", "other.yaml", "-q", cwd=inputs).stderr == ""


def test_a_bug_has_its_traceback_on_request(inputs: Path) -> None:
    quiet, loud = (trainc("build", *v, cwd=inputs, before=BUG) for v in ((), ("-vv",)))
    assert "please report it" in quiet.stderr
    assert "Traceback" in loud.stderr


def test_forms_hold_the_same_objects(project: Path) -> None:
    text = trainc("build", "job.yaml", cwd=project).stdout
    objects = json.loads(trainc("build", "-", "-o", "json", cwd=project, stdin=JOB).stdout)
    assert [o["kind"] for o in objects] == ["JobSet"]
    assert list(yaml.safe_load_all(text)) == objects
    assert text.startswith("# from: job.yaml")
    bare = trainc("build", "job.yaml", "--no-comments", cwd=project).stdout
    assert not bare.startswith("#")
    assert list(yaml.safe_load_all(bare)) == objects


def test_the_output_folder_holds_the_same_objects(project: Path) -> None:
    done = trainc("build", ".", "--out-dir", "out", "--emit", "both", cwd=project)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert sorted(tree(project / "out")) == [
        ".trainc.json",
        "default/jobset.jobset.x-k8s.io-mnist.yaml",
        "default/trainjob.trainer.kubeflow.org-mnist.yaml",
    ]
    index = json.loads((project / "out" / ".trainc.json").read_text())
    assert "job.yaml" in index["sources"]
    first = tree(project / "out")
    assert trainc("build", ".", "--out-dir", "out", "--emit", "both", cwd=project).returncode == 0
    assert tree(project / "out") == first


def test_a_failed_build_leaves_the_output_folder_alone(project: Path) -> None:
    trainc("build", ".", "--out-dir", "out", cwd=project)
    before = tree(project / "out")
    (project / "job.yaml").write_text(WRONG)
    assert trainc("build", ".", "--out-dir", "out", cwd=project).returncode == 1
    assert tree(project / "out") == before


def test_same_bytes_whatever_the_surroundings(project: Path) -> None:
    for name in ("b", "a", "c"):
        (project / f"{name}.yaml").write_text(JOB.replace("mnist", name))
    files = ["a.yaml", "b.yaml", "c.yaml", "job.yaml"]
    want = trainc("build", *files, cwd=project).stdout
    assert want.count("kind: JobSet") == len(files)
    surroundings = [
        {"LC_ALL": "C", "PYTHONUTF8": "0"},
        {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"},
        {"TZ": "Pacific/Kiritimati"},
        {"PYTHONHASHSEED": "1"},
        {"PYTHONHASHSEED": "4294967295"},
        {"COLUMNS": "20", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"},
    ]
    for number, env in enumerate(surroundings):
        order = files[number % 4 :] + files[: number % 4]
        assert trainc("build", *order, cwd=project, **env).stdout == want
    elsewhere = [str(project)]
    assert trainc("build", *elsewhere, cwd=Path("/")).stdout == want


def test_text_beyond_ascii_is_utf_8_in_any_locale(project: Path) -> None:
    (project / "job.yaml").write_text(
        JOB.replace("mnist:1.0", "mnist:1.0\n    args: [é, \U0001f600]")
    )
    done = trainc(
        "build", "job.yaml", cwd=project, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"
    )
    assert "é" in done.stdout
    assert "\U0001f600" in done.stdout


def many(folder: Path, count: int) -> Path:
    for number in range(count):
        (folder / f"job-{number}.yaml").write_text(JOB.replace("mnist", f"job-{number}"))
    return folder


def test_a_reader_that_leaves_ends_the_build_quietly(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("build", str(many(tmp_path, 400))),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdout and process.stderr
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(60) == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    "args", [("build", "job.yaml"), ("--help",), ("build", "--help"), ("--version",), ("help",)]
)
def test_a_full_disk_is_an_error_with_its_reason(project: Path, args: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command(*args),
            cwd=project,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr


def test_a_closed_standard_output_is_an_error(project: Path) -> None:
    shell = f"{sys.executable} -m trainc build job.yaml >&-"
    done = subprocess.run(["sh", "-c", shell], cwd=project, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_a_version_that_nobody_can_read_is_no_crash(project: Path) -> None:
    shell = f"{sys.executable} -m trainc --version >&-"
    done = subprocess.run(["sh", "-c", shell], cwd=project, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("problems", ["text", "json"])
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
@pytest.mark.parametrize("hang", [HANG, HANG_BETWEEN_FILES], ids=["compiling", "writing"])
def test_a_signal_leaves_nothing_half_written(
    tmp_path: Path, hang: str, number: signal.Signals, status: int, problems: str
) -> None:
    project = many(tmp_path, 5)
    args = ("build", ".", "--out-dir", "out", "--problems", problems)
    assert trainc(*args, cwd=project).returncode == 0
    whole = tree(project / "out")
    for file in project.glob("*.yaml"):
        file.write_text(file.read_text().replace("numNodes: 2", "numNodes: 3"))
    process = subprocess.Popen(
        command(*args, before=hang),
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdout and process.stdout.readline() == b"ready\n"
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == status
    assert b"Traceback" not in stderr
    if problems == "json":
        assert isinstance(json.loads(stderr), list)
    left = tree(project / "out")
    assert set(left) == set(whole)
    assert all(text.endswith(b"\n") and yaml.safe_load(text) for text in left.values())
    assert trainc(*args, cwd=project).returncode == 0
    fresh = {name: text for name, text in tree(project / "out").items() if name.endswith(".yaml")}
    assert all(b'PET_NNODES\n                value: "3"' in text for text in fresh.values())


def on_a_terminal(args: list[str], cwd: Path, **env: str) -> tuple[int, str, str]:
    """Runs with stderr on a terminal; gives status, stdout and what the terminal got."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        args, cwd=cwd, stdout=subprocess.PIPE, stderr=slave, env=environment(**env)
    )
    os.close(slave)
    seen = b""
    while select.select([master], [], [], 30)[0]:
        try:
            data = os.read(master, 65536)
        except OSError:  # Linux says so when the other side is closed
            break
        if not data:
            break
        seen += data
    os.close(master)
    stdout, _ = process.communicate(timeout=60)
    return process.returncode, stdout.decode(), seen.decode()


def test_colours_are_for_terminals_that_want_them(inputs: Path) -> None:
    args = command("build", "wrong.yaml")
    assert "\x1b[1;31merror:\x1b[0m" in on_a_terminal(args, inputs)[2]
    assert "\x1b" not in on_a_terminal(args, inputs, NO_COLOR="1")[2]
    assert "\x1b" not in on_a_terminal(args, inputs, TERM="dumb")[2]


SLOW = """
import logging, time, trainc.pipeline as p
real = p.compile_sources
def compile_sources(*args):
    logging.getLogger("trainc.test").info("reading files")
    time.sleep(1.8)
    return real(*args)
p.compile_sources = compile_sources
"""


def test_a_slow_build_shows_progress_on_a_terminal_only(project: Path) -> None:
    slow = command("build", "job.yaml", before=SLOW)
    status, stdout, seen = on_a_terminal(slow, project)
    assert status == 0
    assert "kind: JobSet" in stdout
    assert "reading files" in seen
    assert seen.endswith("\r\x1b[K")
    assert on_a_terminal(command("build", "job.yaml"), project)[2] == ""
    assert trainc("build", "job.yaml", cwd=project, before=SLOW).stderr == ""


def test_a_file_cannot_steer_the_terminal(project: Path) -> None:
    (project / "job.yaml").write_text(JOB.replace("numNodes: 2", 'numNodes: "\\e]0;owned\\a"'))
    done = trainc("build", "job.yaml", cwd=project)
    assert done.returncode == 1
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("args", [(), ("build",), ("completion",)], ids=lambda a: a and a[0] or "-")
def test_help_reads_on_a_narrow_terminal(args: tuple[str, ...], tmp_path: Path) -> None:
    done = trainc(*args, "--help", cwd=tmp_path, COLUMNS="80")
    assert done.returncode == 0
    assert done.stderr == ""
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    "shell",
    ["bash", *(pytest.param(shell, marks=pytest.mark.programs) for shell in ("zsh", "fish"))],
)
def test_completion_scripts_are_accepted_by_their_shell(shell: str, tmp_path: Path) -> None:
    done = trainc("completion", shell, cwd=tmp_path)
    assert done.returncode == 0
    assert "_TRAINC_COMPLETE" in done.stdout
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    check = subprocess.run([shell, "-n"], input=done.stdout, capture_output=True, text=True)
    assert (check.returncode, check.stderr) == (0, "")


def test_commands_and_options_are_completed(tmp_path: Path) -> None:
    env = {"_TRAINC_COMPLETE": "bash_complete", "COMP_CWORD": "1"}
    done = trainc(cwd=tmp_path, COMP_WORDS="trainc bui", **env)
    assert done.stdout.split() == ["plain,build"]
    env = {"_TRAINC_COMPLETE": "bash_complete", "COMP_CWORD": "2"}
    done = trainc(cwd=tmp_path, COMP_WORDS="trainc build --allow", **env)
    assert "--allow-empty" in done.stdout


def test_the_examples_compile() -> None:
    done = trainc("build", "examples", cwd=EXAMPLES.parent)
    assert done.returncode == 0, done.stderr
    assert all(yaml.safe_load_all(done.stdout))


def test_interrupting_the_start_is_quiet(project: Path) -> None:
    for delay in (0.02, 0.05, 0.08):
        process = subprocess.Popen(
            command("build", "job.yaml"),
            cwd=project,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
        )
        time.sleep(delay)
        process.send_signal(signal.SIGTERM)
        stdout, stderr = process.communicate(timeout=60)
        assert process.returncode in (0, 143, -signal.SIGTERM), stderr.decode()
        assert b"panicked" not in stderr
        assert process.returncode == 0 or not stdout or stdout.endswith(b"\n")
