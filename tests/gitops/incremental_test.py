"""Unchanged inputs are not compiled again, and no change of any input goes unseen.

Every case runs warm, changes something, and holds the answer with the cache against one without.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.gitops.repository import edit, job, repository, runtime, trainc, write

# Modules that only compiling needs.
HOUSE = ("click", "jsonschema_rs", "trainc.pipeline", "trainc.source.parse")
PROBE = f"""
import sys
from trainc.cli import _run
_run(sys.argv[1:])
print(*(name for name in {HOUSE} if name in sys.modules), file=sys.stderr)
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sample repository, built."""
    monkeypatch.setenv("TRAINC_CACHE_DIR", str(tmp_path / "cache"))
    root = repository(tmp_path / "repository")
    (root / "rules").mkdir()
    (root / "rules/team.yaml").write_text("TRC404: off\n")
    done = trainc(root, "build", "--env", "all", "--out-dir", "out")
    assert done.returncode == 0, done.stderr
    return root


def modules(root: Path, *args: str) -> set[str]:
    """What of the compiler a command loads."""
    command = [sys.executable, "-c", PROBE, *args]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return set(done.stderr.splitlines()[-1].split())


def told(done: "subprocess.CompletedProcess[str]") -> tuple[int, str, str]:
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "args",
    [
        ("check", "--env", "all"),
        ("check", "--env", "all", "--out-dir", "out"),
        ("build", "--env", "all", "--out-dir", "out"),
        ("validate", "--env", "all"),
        ("check", "--env", "all", "--problems", "json", "-q"),
    ],
    ids=" ".join,
)
def test_what_is_known_is_not_compiled_nor_is_the_compiler_loaded(
    args: tuple[str, ...], root: Path
) -> None:
    assert trainc(root, *args).returncode == 0
    assert modules(root, *args) == set()
    assert modules(root, *args, "--no-cache") == set(HOUSE)
    assert told(trainc(root, *args)) == told(trainc(root, *args, "--no-cache"))


def test_a_check_knows_what_the_build_before_it_found(tmp_path: Path) -> None:
    root = repository(tmp_path / "repository")
    (root / "trainc.yaml").write_text((root / "trainc.yaml").read_text().replace("dev", "all"))
    assert trainc(root, "build", "--out-dir", "out").returncode == 0
    assert modules(root, "check") == set()


@dataclass(frozen=True)
class Change:
    __test__ = False
    name: str
    change: Callable[[Path], object]


def move(old: str, new: str) -> Callable[[Path], object]:
    return lambda root: (root / old).rename(root / new)


def link(old: str, new: str) -> Callable[[Path], object]:
    def change(root: Path) -> None:
        (root / new).unlink(missing_ok=True)
        (root / new).symlink_to(old)

    return change


def drop(name: str) -> Callable[[Path], object]:
    return lambda root: (root / name).unlink()


CHANGES = [
    Change("a job", edit("jobs/jax.yaml", "--lr=1", "--lr=2")),
    Change("a job, as long and as old as before", lambda root: _in_place(root / "jobs/jax.yaml")),
    Change("a comment that moves every line", edit("jobs/jax.yaml", "api", "# why\napi")),
    Change("a finding", edit("jobs/jax.yaml", "train:1.0", "train")),
    Change("a finding taken away", edit("rules/team.yaml", "TRC404: off", "TRC404: error")),
    Change("an error", edit("jobs/jax.yaml", "numNodes: 2", "numNodes: two")),
    Change("a new job", write("jobs/new.yaml", job("new", "own-jax"))),
    Change("a new folder of jobs", write("jobs/more/new.yaml", job("new", "own-jax"))),
    Change("a job of the same name", write("jobs/zz.yaml", job("job-jax", "own-jax"))),
    Change("a job gone", drop("jobs/jax.yaml")),
    Change("a job renamed", move("jobs/jax.yaml", "jobs/yyy.yaml")),
    Change("a job that is a link", link("../gone.yaml", "jobs/jax.yaml")),
    Change("a runtime", edit("runtimes/jax.yaml", "jax:1.0", "jax:2.0")),
    Change("a new runtime before another", write("runtimes/aa.yaml", runtime("jax", "jax: {}"))),
    Change("a runtime before a stock one", write(
        "runtimes/tune.yaml", runtime("x", "torch: {}").replace("own-x", "torchtune-qwen2.5-1.5b")
    )),
    Change("the project", edit("trainc.yaml", "sweep:1.0", "sweep:2.0")),
    Change("other sources", edit("trainc.yaml", "sources: [jobs]", "sources: [jobs/jax.yaml]")),
    Change("another profile", edit("trainc.yaml", "output", "profile: argocd\noutput")),
    Change("another default", edit("trainc.yaml", "default_env: dev", "default_env: prod")),
    Change("another output", edit("trainc.yaml", "output: out", "output: rendered")),
    Change("no project", drop("trainc.yaml")),
    Change("a template", edit("templates/sweep.yaml.j2", "--lr=", "--rate=")),
    Change("a new template", write("templates/b.yaml.j2", job("b", "own-{{ 'jax' }}"))),
    Change("a macro", edit("templates/_names.j2", "sweep-", "sweeps-")),
    Change("values", edit("overlays/base/values.yaml", "1", "7")),
    Change("new values", write("overlays/dev/values.yaml", "nodes: 9\n")),
    Change("a patch", edit("overlays/prod/patches.yaml", "vision:prod", "vision:next")),
    Change("a new patch", write(
        "overlays/dev/p.yaml", "target: {name: vision}\npatch: {spec: {trainer: {image: 'x:1'}}}\n"
    )),
    Change("a patch that matches nothing", edit(
        "overlays/prod/patches.yaml", "team=vision", "team=nobody")),
    Change("what an overlay builds on", edit("overlays/dev/overlay.yaml", "base", "prod")),
    Change("a new environment", write("overlays/stage/overlay.yaml", "extends: base\n")),
    Change("an environment gone", lambda root: shutil.rmtree(root / "overlays/prod")),
    Change("an environment that is none", edit(
        "overlays/prod/overlay.yaml", "extends", "abstract: true\nextends")),
    Change("files to leave out", write(".traincignore", "jobs/jax.yaml\n")),
    Change("files to leave out, deeper", write("jobs/.traincignore", "jax.yaml\n")),
    Change("a rule", write("rules/own.yaml", "- {name: mine, expression: 'false'}\n")),
    Change("an output edited", edit(
        "out/dev/default/jobset.jobset.x-k8s.io-job-jax.yaml", "--lr=1", "--lr=3")),
    Change("an output with a comment", edit(
        "out/dev/default/jobset.jobset.x-k8s.io-job-jax.yaml", "kind: J", "# x\nkind: J")),
    Change("an output gone", drop("out/dev/default/jobset.jobset.x-k8s.io-job-jax.yaml")),
    Change("an index gone", drop("out/dev/.trainc.json")),
    Change("an index of another compiler", edit(
        "out/dev/.trainc.json", '"compiler": "', '"compiler": "0.0.')),
    Change("a file of somebody else", write("out/dev/README.md", "hello\n")),
    Change("the output of an environment there is not", lambda root: shutil.copytree(
        root / "out/dev", root / "out/old")),
    Change("output from before there were environments", lambda root: shutil.copy(
        root / "out/dev/.trainc.json", root / "out")),
    Change("no output", lambda root: shutil.rmtree(root / "out")),
]  # fmt: skip


def _in_place(path: Path) -> None:
    """Changes a byte and puts the old times back."""
    status = path.stat()
    path.write_bytes(path.read_bytes().replace(b"--lr=1", b"--lr=7"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_no_change_goes_unseen(change: Change, root: Path) -> None:
    change.change(root)
    plain = told(trainc(root, "check", "--env", "all", "--no-cache"))
    for _ in range(2):  # one that has to look, one that may remember
        assert told(trainc(root, "check", "--env", "all")) == plain
    other = root.parent / "other"
    shutil.copytree(root, other, symlinks=True)
    plain = told(trainc(other, "build", "--env", "all", "--out-dir", "out", "--no-cache"))
    assert told(trainc(root, "build", "--env", "all", "--out-dir", "out")) == plain
    assert _tree(root) == _tree(other)


FIRST = [
    Change("a rule", write("rules/own.yaml", "- {name: mine, expression: 'false'}\n")),
    Change("a runtime", write("runtimes/a.yaml", runtime("a", "torch: {}").replace(
        "own-a", "torch-distributed"))),
    Change("a template", write("templates/b.yaml.j2", job("b", "torch-distributed"))),
    Change("an environment", write("overlays/dev/overlay.yaml", "")),
    Change("files to leave out", write(".traincignore", "jobs/a.yaml\n")),
    Change("files to leave out, deeper", write("jobs/.traincignore", "a.yaml\n")),
]  # fmt: skip


@pytest.mark.parametrize("change", FIRST, ids=lambda change: change.name)
def test_the_first_of_its_kind_does_not_go_unseen(
    change: Change, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project of one job, without any of the folders that it could have."""
    monkeypatch.setenv("TRAINC_CACHE_DIR", str(tmp_path / "cache"))
    root = tmp_path / "small"
    write("trainc.yaml", "sources: [jobs]\n")(root)
    write("jobs/a.yaml", job("a", "torch-distributed"))(root)
    write("jobs/b.yaml", job("c", "torch-distributed"))(root)
    assert trainc(root, "build", "--out-dir", "out").returncode == 0
    commands = ("check", "validate")
    before = [told(trainc(root, command)) for command in commands]
    change.change(root)
    found = [told(trainc(root, command)) for command in commands]
    assert found != before
    assert found == [told(trainc(root, command, "--no-cache")) for command in commands]


def _tree(root: Path) -> dict[str, bytes]:
    files = (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("kind", ["values", "runtimes", "status_ca", "flag"])
def test_what_an_option_names_counts(kind: str, root: Path) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "values.yaml").write_text("nodes: 5\n")
    (outside / "gang.yaml").write_text("")
    (outside / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\none\n")
    args = {
        "values": ("--values", str(outside / "values.yaml")),
        "runtimes": ("--runtimes", str(outside), "--runtimes", "runtimes"),
        "status_ca": ("--status-ca", str(outside / "ca.pem"), "--feature", "TrainJobStatus"),
        "flag": ("--set", "nodes=5"),
    }[kind]
    build = ("build", "--env", "all", "--out-dir", "out", *args)
    assert trainc(root, *build).returncode == 0
    assert modules(root, *build) == set()
    before = _tree(root)
    (outside / "values.yaml").write_text("nodes: 6\n")
    (outside / "gang.yaml").write_text(runtime("gang", "torch: {}").replace(":1.0", ":9.0"))
    (outside / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\ntwo\n")
    changed = build if kind != "flag" else (*build[:-1], "nodes=6")
    assert trainc(root, *changed).returncode == 0
    assert _tree(root) != before


def test_runs_side_by_side_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINC_CACHE_DIR", str(tmp_path / "cache"))
    root = repository(tmp_path / "repository")
    want = told(trainc(root, "validate", "--env", "all", "--no-cache"))

    def run(number: int) -> tuple[int, str, str]:
        if number % 5 == 4:  # somebody empties it meanwhile
            shutil.rmtree(tmp_path / "cache", ignore_errors=True)
        return told(trainc(root, "validate", "--env", "all"))

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(run, range(18))) == {want}


@pytest.mark.parametrize("damage", [b"", b"trainc\n", b"{}", b"\0" * 5000])
def test_a_damaged_cache_is_noticed_and_mended(damage: bytes, root: Path) -> None:
    files = list((root.parent / "cache").rglob("*.*"))
    assert files
    for path in files:
        path.write_bytes(damage)
    assert told(trainc(root, "check", "--env", "all")) == (0, "", "")
    assert modules(root, "check", "--env", "all") == set()


@pytest.mark.parametrize("place", ["off", "", "/dev/null/x"])
def test_without_a_cache_all_is_as_before(place: str, root: Path) -> None:
    before = sorted(root.parent.rglob("*"))
    done = trainc(root, "check", "--env", "all", TRAINC_CACHE_DIR=place)
    assert told(done) == (0, "", "")
    assert sorted(root.parent.rglob("*")) == before


def test_nothing_is_kept_in_the_tree(tmp_path: Path) -> None:
    root = repository(tmp_path / "repository")
    home = {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": ""}
    command = [sys.executable, "-m", "trainc", "build", "--env", "all", "--out-dir", "../out"]
    environ = {k: v for k, v in os.environ.items() if k != "TRAINC_CACHE_DIR"} | home
    before = _tree(root)
    subprocess.run(command, cwd=root, check=True, env=environ)
    assert _tree(root) == before
    kept = list((tmp_path / "home/.cache/trainc/compiled").iterdir())
    assert kept
    assert all(path.stat().st_mode & 0o077 == 0 for path in [kept[0].parent])


def test_another_folder_or_another_compiler_asks_anew(root: Path) -> None:
    moved = root.parent / "moved"
    shutil.copytree(root, moved)
    assert modules(moved, "check", "--env", "all") == set(HOUSE)
    from trainc.incremental import key
    from trainc.incremental.asked import asked

    question = asked(["check"])
    assert question is not None
    one = key.key(question, None)
    assert one == key.key(question, None) != key.key(question, "out")


def test_a_warning_is_told_each_time(root: Path) -> None:
    edit("jobs/jax.yaml", "train:1.0", "train")(root)
    first = trainc(root, "build", "--env", "all", "--out-dir", "out")
    again = trainc(root, "build", "--env", "all", "--out-dir", "out")
    assert "TRC302" in first.stderr
    assert told(first) == told(again)
    assert trainc(root, "check", "--env", "all", "--fail-on", "warning").returncode == 1
    assert trainc(root, "check", "--env", "all", "-q").stderr == ""


def test_a_folder_that_is_gone_is_no_bug(root: Path) -> None:
    command = f"mkdir gone && cd gone && rmdir ../gone && {sys.executable} -m trainc validate"
    done = subprocess.run(["sh", "-c", command], cwd=root, capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    assert done.returncode != 3, done.stderr


def test_ctrl_c_leaves_nothing_half_written(root: Path) -> None:
    edit("jobs/jax.yaml", "--lr=1", "--lr=2")(root)
    command = [sys.executable, "-m", "trainc", "build", "--env", "all", "--out-dir", "out"]
    for delay in (0.05, 0.15, 0.25):
        process = subprocess.Popen(command, cwd=root, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
    plain = told(trainc(root, "build", "--env", "all", "--out-dir", "out"))
    assert plain == (0, "", "")
    assert told(trainc(root, "check", "--env", "all", "--no-cache")) == (0, "", "")
    assert told(trainc(root, "check", "--env", "all")) == (0, "", "")
    assert not list((root.parent / "cache").rglob("*.tmp"))
