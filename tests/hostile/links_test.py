"""Links, hidden files, pipes and devices in a stranger's repository: refused, named, not shown.

Each attack plants something that leads out of the repository, or to what is hidden in it, and runs
a command that would open it. What is there holds a secret, which must not be printed.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.gitops.repository import repository

LONGEST = 60  # seconds until a run counts as hanging
SECRET = "hunter2"
# A secret in each form that a command would print: as a job, a patch, values, a rule, text.
JOB = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {name: hunter2}
spec: {runtimeRef: {name: torch-distributed}, trainer: {image: hunter2}}
"""
PATCH = f"""\
target: {{kind: TrainJob}}
patch: {{metadata: {{labels: {{x: {SECRET}}}}}}}
"""


@dataclass(frozen=True)
class Place:
    """A repository, and a folder beside it that is none of its own."""

    root: Path
    outside: Path


@pytest.fixture
def place(tmp_path: Path) -> Place:
    root, outside = tmp_path / "repo", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    repository(root)
    (root / ".git").mkdir()
    (root / ".git/config").write_text(f"token = {SECRET}\n")
    (root / ".hidden").mkdir()
    for folder in (outside, root / ".hidden"):
        (folder / "job.yaml").write_text(JOB)
        (folder / "patch.yaml").write_text(PATCH)
        (folder / "values.yaml").write_text(f"nodes: 1\nsecret: {SECRET}\n")
        (folder / "rules.yaml").write_text(f"- {{name: {SECRET}, expression: '{SECRET}'}}\n")
        (folder / "text.j2").write_text(f"{SECRET}\n")
        (folder / "ignore").write_text(f"{SECRET}\\\n")
        (folder / "trainc.yaml").write_text(f"{SECRET}: 1\n")
    (outside / ".git").mkdir()  # a repository too: a link to it is a link out all the same
    return Place(root, outside)


def run(place: Place, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "trainc", *args], cwd=place.root, capture_output=True, text=True,
        check=False, timeout=LONGEST, stdin=subprocess.DEVNULL, env={**os.environ, **env},
    )  # fmt: skip


def link(name: str, target: str) -> Callable[[Place], None]:
    """Puts a link, in the place of what is there."""

    def attack(place: Place) -> None:
        path = place.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir() and not path.is_symlink():
            path.rename(place.root / ".before")
        path.unlink(missing_ok=True)
        path.symlink_to(target.format(place))

    return attack


def text(name: str, content: str) -> Callable[[Place], None]:
    def attack(place: Place) -> None:
        (place.root / name).parent.mkdir(parents=True, exist_ok=True)
        (place.root / name).write_text(content.replace("{0.outside}", str(place.outside)))

    return attack


def pipe(name: str) -> Callable[[Place], None]:
    def attack(place: Place) -> None:
        (place.root / name).parent.mkdir(parents=True, exist_ok=True)
        (place.root / name).unlink(missing_ok=True)
        os.mkfifo(place.root / name)

    return attack


def plug(place: Place) -> None:
    os.chdir(place.root)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("jobs/x.yaml")


def both(*attacks: Callable[[Place], None]) -> Callable[[Place], None]:
    def attack(place: Place) -> None:
        for each in attacks:
            each(place)

    return attack


@dataclass(frozen=True)
class TestCase:
    """An attack.

    Attributes:
        attack: Prepares the repository.
        args: The command that would open it.
        named: What must be named in the error.
        want: What must be said.
    """

    __test__ = False
    name: str
    attack: Callable[[Place], None]
    args: tuple[str, ...]
    named: str
    want: str = "leads out of the repository"


BUILD = ("build", "--env", "dev")
HIDDEN, SPECIAL = "is hidden", "no regular file"
TEMPLATE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  a: |\n    %s\n"
CASES = [
    TestCase("trainc.yaml", link("trainc.yaml", "{0.outside}/trainc.yaml"), BUILD, "trainc.yaml"),
    TestCase("trainc.yaml: a pipe", pipe("trainc.yaml"), BUILD, "trainc.yaml", SPECIAL),
    TestCase("sources: ..", text("trainc.yaml", "sources: [../outside]\n"), BUILD,
             "../outside"),
    TestCase("sources: absolute", text("trainc.yaml", "sources: ['{0.outside}/job.yaml']\n"),
             BUILD, "job.yaml"),
    TestCase("sources: hidden", text("trainc.yaml", "sources: [.hidden]\n"), BUILD, ".hidden",
             HIDDEN),
    TestCase("sources: standard input", text("trainc.yaml", "sources: [/dev/stdin]\n"), BUILD,
             "/dev/stdin"),
    TestCase("runtimes: ..", text("trainc.yaml", "runtimes: [../outside]\n"), BUILD, "../outside"),
    TestCase("runtimes: a folder", link("runtimes", "{0.outside}"), BUILD, "runtimes"),
    TestCase("runtimes: a file", link("runtimes/x.yaml", "{0.outside}/job.yaml"), BUILD,
             "runtimes/x.yaml"),
    TestCase("a source", link("jobs/x.yaml", "{0.outside}/job.yaml"), BUILD, "jobs/x.yaml"),
    TestCase("a source: relative", link("jobs/x.yaml", "../../outside/job.yaml"), BUILD,
             "jobs/x.yaml"),
    TestCase("a source: by two links", both(link("jobs/x.yaml", "../y"),
             link("y", "{0.outside}/job.yaml")), BUILD, "jobs/x.yaml"),
    TestCase("a source: hidden", link("jobs/x.yaml", "../.hidden/job.yaml"), BUILD, "jobs/x.yaml",
             HIDDEN),
    TestCase("a source: a pipe", pipe("jobs/x.yaml"), BUILD, "jobs/x.yaml", SPECIAL),
    TestCase("a source: a socket", plug, BUILD, "jobs/x.yaml", SPECIAL),
    TestCase("a source: a device", link("jobs/x.yaml", "/dev/zero"), BUILD, "jobs/x.yaml"),
    TestCase("a folder of sources", link("jobs/more", "{0.outside}"), BUILD, "jobs/more"),
    TestCase("a folder of sources: hidden", link("jobs/more", "../.hidden"), BUILD, "jobs/more",
             HIDDEN),
    TestCase("a path: a link", link("x.yaml", "{0.outside}/job.yaml"), ("build", "x.yaml"),
             "x.yaml"),
    TestCase("a path: through a link", link("x", "{0.outside}"), ("build", "x/job.yaml"),
             "x/job.yaml"),
    TestCase("a path: a link to a folder", link("x", "{0.outside}"), ("validate", "x"), "x"),
    TestCase("overlays", link("overlays", "{0.outside}"), BUILD, "overlays"),
    TestCase("overlays: another folder", text("trainc.yaml", "overlays: ../outside\n"), BUILD,
             "../outside"),
    TestCase("an environment", link("overlays/dev", "{0.outside}"), BUILD, "overlays/dev"),
    TestCase("overlay.yaml", link("overlays/dev/overlay.yaml", "{0.outside}/patch.yaml"), BUILD,
             "overlays/dev/overlay.yaml"),
    TestCase("overlay.yaml: a pipe", pipe("overlays/dev/overlay.yaml"), BUILD,
             "overlays/dev/overlay.yaml", SPECIAL),
    TestCase("a patch", link("overlays/dev/x.yaml", "{0.outside}/patch.yaml"), BUILD,
             "overlays/dev/x.yaml"),
    TestCase("values", link("overlays/dev/values.yaml", "{0.outside}/values.yaml"), BUILD,
             "overlays/dev/values.yaml"),
    TestCase("values: a pipe", pipe("overlays/dev/values.yaml"), BUILD,
             "overlays/dev/values.yaml", SPECIAL),
    TestCase("--values", link("v.yaml", "{0.outside}/values.yaml"), (*BUILD, "--values", "v.yaml"),
             "v.yaml"),
    TestCase("--values: hidden", link("v.yaml", ".git/config"), (*BUILD, "--values", "v.yaml"),
             "v.yaml", HIDDEN),
    TestCase("--status-ca", link("ca.pem", "{0.outside}/text.j2"), (*BUILD, "--status-ca",
             "ca.pem"), "ca.pem"),
    TestCase("rules", link("rules", "{0.outside}"), ("validate", "--env", "dev"), "rules"),
    TestCase("a rule", link("rules/x.yaml", "{0.outside}/rules.yaml"), ("validate", "--env", "dev"),
             "rules/x.yaml"),
    TestCase("a rule: a pipe", pipe("rules/x.yaml"), ("validate", "--env", "dev"), "rules/x.yaml",
             SPECIAL),
    TestCase(".traincignore", link("jobs/.traincignore", "{0.outside}/ignore"), BUILD,
             "jobs/.traincignore"),
    TestCase(".traincignore: hidden", link("jobs/.traincignore", "../.hidden/ignore"), BUILD,
             "jobs/.traincignore", HIDDEN),
    TestCase(".traincignore: a pipe", pipe(".traincignore"), BUILD, ".traincignore", SPECIAL),
    TestCase("templates", link("templates", "{0.outside}"), BUILD, "templates"),
    TestCase("a template", link("templates/x.yaml.j2", "{0.outside}/text.j2"), BUILD,
             "templates/x.yaml.j2"),
    TestCase("a folder of templates", link("templates/more", "{0.outside}"), BUILD,
             "templates/more"),
    TestCase("include: Git's config", text("templates/x.yaml.j2",
             TEMPLATE % "{% include '.git/config' %}"), BUILD, ".git/config", HIDDEN),
    TestCase("include: hidden", text("templates/x.yaml.j2",
             TEMPLATE % "{% include '.hidden/text.j2' %}"), BUILD, ".hidden/text.j2",
             HIDDEN),
    TestCase("include: ..", text("templates/x.yaml.j2",
             TEMPLATE % "{% include '../outside/text.j2' %}"), BUILD, "../outside/text.j2"),
    TestCase("include: absolute", text("templates/x.yaml.j2",
             TEMPLATE % "{% include '/etc/passwd' %}"), BUILD, "/etc/passwd"),
    TestCase("include: a link", both(link("templates/y.j2", "{0.outside}/text.j2"),
             text("templates/x.yaml.j2", TEMPLATE % "{% include 'y.j2' %}")), BUILD,
             "y.j2"),
    TestCase("include: a pipe", both(pipe("templates/y.j2"), text("templates/x.yaml.j2",
             TEMPLATE % "{% include 'y.j2' %}")), BUILD, "y.j2", SPECIAL),
    TestCase("import", both(link("templates/_y.j2", "{0.outside}/text.j2"),
             text("templates/x.yaml.j2", "{% import '_y.j2' as y %}")), BUILD, "_y.j2"),
    TestCase("extends", text("templates/x.yaml.j2", "{% extends '.git/config' %}"), BUILD,
             ".git/config", HIDDEN),
    TestCase("fmt", link("x.yaml", "{0.outside}/job.yaml"), ("fmt", "--check", "x.yaml"), "x.yaml"),
    TestCase("fmt: hidden", text("a", ""), ("fmt", "--check", ".hidden/job.yaml"),
             ".hidden/job.yaml", HIDDEN),
    TestCase("fmt: a folder", link("x", "{0.outside}"), ("fmt", "--check", "x"), "x"),
    TestCase("fmt: a pipe", pipe("x.yaml"), ("fmt", "x.yaml"), "x.yaml", SPECIAL),
    TestCase("set", link("x.yaml", "{0.outside}/job.yaml"),
             ("set", "image", "--dry-run", "*=y", "x.yaml"), "x.yaml"),
    TestCase("migrate", link("x.yaml", "{0.outside}/job.yaml"), ("migrate", "--dry-run", "x.yaml"),
             "x.yaml"),
    TestCase("explain", link("x.yaml", "{0.outside}/job.yaml"), ("explain", "x.yaml"),
             "x.yaml"),
    TestCase("schema", link("x.yaml", "{0.outside}/job.yaml"), ("schema", "modeline", "x.yaml"),
             "x.yaml"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_refused_and_named(case: TestCase, place: Place) -> None:
    case.attack(place)
    done = run(place, *case.args)
    assert done.returncode in (1, 2), done.stderr
    (line, *_) = [each for each in done.stderr.splitlines() if case.want in each] or [""]
    assert case.named in line, done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert "root:" not in done.stdout + done.stderr
    assert done.stdout == ""


def built(place: Place) -> None:
    done = run(place, "build", "--env", "all", "--out-dir", "out")
    assert done.returncode == 0, done.stderr


def moved(name: str) -> Callable[[Place], None]:
    """A part of the output becomes a link to where it was moved: outside, with its index."""

    def attack(place: Place) -> None:
        target = place.outside / "moved"
        (place.root / name).rename(target)
        (place.root / name).symlink_to(target)

    return attack


OUTPUT = [
    ("the folder", moved("out"), "out"),
    ("an environment", moved("out/dev"), "out/dev"),
    ("a namespace", moved("out/dev/default"), "out/dev/default"),
    ("the index", moved("out/dev/.trainc.json"), "out/dev/.trainc.json"),
    ("a file", moved("out/dev/default/jobset.jobset.x-k8s.io-job-jax.yaml"), "job-jax.yaml"),
    ("a file: elsewhere", link("out/dev/default/jobset.jobset.x-k8s.io-job-jax.yaml",
                               "{0.outside}/job.yaml"), "job-jax.yaml"),
    ("a file: a pipe", pipe("out/dev/default/jobset.jobset.x-k8s.io-job-jax.yaml"),
     "job-jax.yaml"),
    ("the index: a pipe", pipe("out/dev/.trainc.json"), "out/dev/.trainc.json"),
]  # fmt: skip


@pytest.mark.parametrize("command", ["check", "build"])
@pytest.mark.parametrize("change", [False, True], ids=["unchanged", "changed"])
@pytest.mark.parametrize(("attack", "named"), [case[1:] for case in OUTPUT],
                         ids=[case[0] for case in OUTPUT])  # fmt: skip
def test_no_output_is_read_or_written_through_a_link(
    attack: Callable[[Place], None], named: str, change: bool, command: str, place: Place
) -> None:
    built(place)
    attack(place)
    if change:
        job = place.root / "jobs/jax.yaml"
        job.write_text(job.read_text().replace("--lr=1", "--lr=2"))
    before = contents(place.outside)
    args = ("build", "--env", "all", "--out-dir", "out") if command == "build" else ("check",)
    done = run(place, *args)
    assert done.returncode == 1, done.stderr
    assert named in done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert contents(place.outside) == before


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path): path.read_bytes() for path in files}


def test_a_link_on_the_way_to_the_output(place: Place) -> None:
    link("deploy", "{0.outside}")(place)
    before = contents(place.outside)
    done = run(place, "build", "--env", "all", "--out-dir", "deploy/out")
    assert done.returncode == 1
    assert "deploy: error: is a link" in done.stderr
    assert contents(place.outside) == before


def test_links_that_stay_inside_are_followed(place: Place) -> None:
    (place.root / "shared").mkdir()
    (place.root / "shared/more.yaml").write_text(JOB.replace(SECRET, "shared"))
    (place.root / "jobs/linked").symlink_to("../shared")
    done = run(place, *BUILD)
    assert done.returncode == 0, done.stderr
    assert "shared" in done.stdout


def test_the_machine_may_link_what_it_likes(place: Place, tmp_path: Path) -> None:
    (tmp_path / "other name").symlink_to(place.root)
    done = run(Place(tmp_path / "other name", place.outside), *BUILD, "--out-dir",
               str(tmp_path / "other name" / "out"))  # fmt: skip
    assert done.returncode == 0, done.stderr
