"""``trainc diff --base`` in repositories that want Git to run a program for them.

Each attack is made with real repositories. Where plain Git falls for it the case names the command
that shows so, in the same folder: an attack that bites nobody would prove nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.gitops.diff_test import committed, edited, git
from tests.gitops.repository import repository
from trainc.diff.revision import checkout

LONGEST = 60  # seconds until a run counts as hanging
CHANGED = "JobSet default/job-jax: NEEDS REPLACEMENT"


@dataclass(frozen=True)
class Place:
    """A repository with one project that differs from ``main`` in one job.

    Attributes:
        top: The repository.
        project: The project's folder in it.
        marker: What a program of the attacker writes.
        program: Such a program, outside of the repository.
    """

    top: Path
    project: Path
    marker: Path
    program: Path


@pytest.fixture
def place(tmp_path: Path) -> Place:
    top = tmp_path / "repo"
    project = top / "teams" / "vision"
    project.mkdir(parents=True)
    repository(project)
    git(top, "init", "-q", "-b", "main")
    committed(top)
    edited(project / "jobs/jax.yaml", "--lr=1", "--lr=2")
    marker, program = tmp_path / "marker", tmp_path / "program"
    script(program, f"echo run >> {marker}; exit 1")
    return Place(top, project, marker, program)


def script(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def key(name: str) -> str:
    """``pager__ls_tree`` as ``pager.ls-tree``."""
    return name.replace("__", ".").replace("_", "-")


def config(folder: Path, **settings: str) -> None:
    for name, value in settings.items():
        git(folder, "config", "--file", str(folder / "config"), key(name), value)


def bare(folder: Path, place: Place, **settings: str) -> None:
    """A repository in plain sight: ``HEAD``, ``objects/``, ``refs/`` and a config."""
    shutil.copytree(place.top / ".git", folder, dirs_exist_ok=True)
    config(folder, core__bare="false", core__worktree=str(place.project), **settings)
    git(place.top, "add", "-f", "-A")


def layout(**settings: str) -> Callable[[Place], None]:
    """The project itself looks like a repository."""

    def attack(place: Place) -> None:
        bare(place.project, place, **{k: v.format(place) for k, v in settings.items()})
        (place.project / ".gitattributes").write_text("*.yaml filter=evil diff=evil\n")

    return attack


def own(**settings: str) -> Callable[[Place], None]:
    """The repository's own config; attributes ask for what it names."""

    def attack(place: Place) -> None:
        config(place.top / ".git", **{k: v.format(place) for k, v in settings.items()})
        for folder in (place.top, place.top / ".git/info"):
            folder.mkdir(exist_ok=True)
        (place.top / ".gitattributes").write_text("*.yaml filter=evil diff=evil\n")
        (place.top / ".git/info/attributes").write_text("*.yaml filter=evil diff=evil\n")

    return attack


def hooks(place: Place) -> None:
    names = ("post-checkout", "post-index-change", "reference-transaction", "pre-auto-gc")
    for name in names:
        script(place.top / ".git/hooks" / name, f"echo run >> {place.marker}")


def file_to_a_folder_of_the_project(place: Place) -> None:
    bare(place.project / "data", place, core__fsmonitor=str(place.program))
    (place.project / ".git").write_text("gitdir: data\n")


def file_to_a_folder_of_the_repository(place: Place) -> None:
    bare(place.top / "data", place, core__fsmonitor=str(place.program))
    (place.project / ".git").write_text("gitdir: ../../data\n")


def folder_in_the_project(place: Place) -> None:
    bare(place.project / ".git", place, core__fsmonitor=str(place.program))


def link_to_a_folder_of_the_project(place: Place) -> None:
    bare(place.project / "data", place, core__fsmonitor=str(place.program))
    (place.project / ".git").symlink_to("data")


def include(place: Place) -> None:
    (place.project / "more").write_text(f"[core]\n\tfsmonitor = {place.program}\n")
    config(place.top / ".git", include__path=str(place.project / "more"))


def worktree_config(place: Place) -> None:
    config(place.top / ".git", extensions__worktreeConfig="true")
    (place.top / ".git/config.worktree").write_text(f"[core]\n\tfsmonitor = {place.program}\n")


def promisor(url: str) -> Callable[[Place], None]:
    """A partial clone that lacks the bytes of a file and fetches them where told to."""

    def attack(place: Place) -> None:
        lost = git(place.top, "rev-parse", "main:teams/vision/jobs/jax.yaml").strip()
        (place.top / ".git/objects" / lost[:2] / lost[2:]).unlink()
        config(
            place.top / ".git",
            core__repositoryformatversion="1", core__sshCommand=str(place.program),
            extensions__partialClone="evil", remote__evil__promisor="true",
            remote__evil__url=url.format(place), protocol__ext__allow="always",
        )  # fmt: skip

    return attack


def lost_commit(place: Place) -> None:
    promisor("ext::{0.program}")(place)
    lost = git(place.top, "rev-parse", "main").strip()
    (place.top / ".git/objects" / lost[:2] / lost[2:]).unlink()


def pipe(name: str) -> Callable[[Place], None]:
    def attack(place: Place) -> None:
        path = place.top / ".git" / name
        path.unlink(missing_ok=True)
        os.mkfifo(path)

    return attack


def included_pipe(place: Place) -> None:
    os.mkfifo(place.top / "pipe")
    with (place.top / ".git/config").open("a") as file:
        file.write(f"[include]\n\tpath = {place.top / 'pipe'}\n")


def nothing(place: Place) -> None:
    """The attack is in the environment."""


def global_config(place: Place) -> None:
    text = f"[core]\n\tfsmonitor = {place.program}\n"
    (place.top.parent / ".gitconfig").write_text(text)


def program_in_the_project(place: Place) -> None:
    script(place.project / "git", f"echo run >> {place.marker}; exit 1")


def replaced(place: Place) -> None:
    """main looks like the change itself."""
    old = git(place.top, "rev-parse", "main").strip()
    git(place.top, "commit", "-q", "-a", "-m", "two")
    new = git(place.top, "rev-parse", "HEAD").strip()
    git(place.top, "update-ref", f"refs/replace/{old}", new)
    git(place.top, "branch", "-f", "old", old)


def raw(place: Place, kind: str, data: bytes) -> bytes:
    command = [
        "git",
        "-C",
        str(place.top),
        "hash-object",
        "-t",
        kind,
        "-w",
        "--literally",
        "--stdin",
    ]
    done = subprocess.run(command, input=data, capture_output=True, check=True)
    return bytes.fromhex(done.stdout.decode().strip())


def tree(*entries: tuple[str, str, bytes]) -> bytes:
    return b"".join(f"{mode} {name}".encode() + b"\0" + sha for mode, name, sha in entries)


def hostile_trees(place: Place) -> None:
    """A commit whose files are called so that they land outside: ``..``, and behind a link."""
    text = raw(place, "blob", (place.project / "jobs/jax.yaml").read_bytes())
    link = raw(place, "blob", os.fsencode(place.top.parent))
    above = raw(place, "tree", tree(("100644", "marker", text)))
    behind = raw(place, "tree", tree(("100644", "marker.yaml", text), ("120000", "marker", text)))
    top = raw(place, "tree", tree(
        ("40000", "..", raw(place, "tree", tree(("40000", "..", above)))), ("120000", "a", link),
        ("40000", "a", behind), ("40000", "teams", above)))  # fmt: skip
    git(place.top, "branch", "old", git(place.top, "commit-tree", top.hex(), "-m", "x").strip())


@dataclass(frozen=True)
class TestCase:
    """An attack.

    Attributes:
        attack: Prepares the repository.
        bites: What plain Git falls for, run in the project; empty for none.
        env: Of ``trainc``; ``{0}`` is the place.
        want: What is printed: the right answer, or a refusal.
        base: The revision to compare with.
    """

    __test__ = False
    name: str
    attack: Callable[[Place], None]
    bites: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    want: str = CHANGED
    base: str = "main"


STATUS = ("status",)
CASES = [
    TestCase("layout: fsmonitor", layout(core__fsmonitor="{0.program}"), STATUS),
    TestCase("layout: clean filter", layout(filter__evil__clean="{0.program}"),
             ("hash-object", "jobs/jax.yaml")),
    TestCase("layout: external diff", layout(diff__external="{0.program}"), ("diff", "main")),
    TestCase("layout: pager", layout(core__pager="{0.program}", pager__ls_tree="{0.program}")),
    TestCase("layout: alias", layout(alias__cat_file="!{0.program}", alias__x="!{0.program}"),
             ("x",)),
    TestCase("layout: hooks elsewhere", layout(core__hooksPath="{0.project}/hooks"), ()),
    TestCase(".git file to a folder of the project", file_to_a_folder_of_the_project, STATUS,
             want="among the files of its own folder is not used"),
    TestCase(".git file to a folder of the repository", file_to_a_folder_of_the_repository, STATUS,
             want="is not used"),
    TestCase(".git folder in the project", folder_in_the_project, STATUS, want="is not used"),
    TestCase(".git link to a folder of the project", link_to_a_folder_of_the_project, STATUS,
             want="is not used"),
    TestCase("own config: fsmonitor", own(core__fsmonitor="{0.program}"), STATUS),
    TestCase("own config: smudge filter",
             own(filter__evil__smudge="{0.program}", filter__evil__required="true"),
             ("cat-file", "--filters", "main:./jobs/torch.yaml")),
    TestCase("own config: clean filter", own(filter__evil__clean="{0.program}"), ("diff", "main")),
    TestCase("own config: process filter", own(filter__evil__process="{0.program}"),
             ("diff", "main")),
    TestCase("own config: textconv", own(diff__evil__textconv="{0.program}"), ("diff", "main")),
    TestCase("own config: diff command", own(diff__evil__command="{0.program}"), ("diff", "main")),
    TestCase("own config: external diff", own(diff__external="{0.program}"), ("diff", "main")),
    TestCase("own config: hooks", hooks, ("checkout", "-q", "-b", "other")),
    TestCase("own config: include", include, STATUS),
    TestCase("own config: of the worktree", worktree_config, STATUS),
    TestCase("own config: include of a pipe", included_pipe),
    TestCase("own config: alternate refs", own(core__alternateRefsCommand="{0.program}")),
    TestCase("partial clone: remote helper", promisor("ext::{0.program}"),
             ("cat-file", "-p", "main:./jobs/jax.yaml"), want="not in this clone"),
    TestCase("partial clone: ssh", promisor("ssh://example.com/x"),
             ("cat-file", "-p", "main:./jobs/jax.yaml"), want="not in this clone"),
    TestCase("partial clone: a commit", lost_commit, ("cat-file", "-p", "main"),
             want="git knows no revision 'main' here"),
    TestCase("pipe: HEAD", pipe("HEAD"), want="not a git repository"),
    TestCase("pipe: packed-refs", pipe("packed-refs"), want="no regular file"),
    TestCase("pipe: config", pipe("config"), want="no regular file"),
    TestCase("pipe: a ref", pipe("refs/heads/other"), want="no regular file"),
    TestCase("pipe: an object", pipe("objects/pack/pack-x.idx"), want="no regular file"),
    TestCase("user's config: fsmonitor", global_config, env=(("HOME", "{0.top.parent}"),)),
    TestCase("variables: config", nothing, env=(
        ("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "core.fsmonitor"),
        ("GIT_CONFIG_VALUE_0", "{0.program}"),
        ("GIT_CONFIG_PARAMETERS", "'core.fsmonitor'='{0.program}'"))),
    TestCase("variables: another repository", layout(core__fsmonitor="{0.program}"), env=(
        ("GIT_DIR", "{0.project}"), ("GIT_WORK_TREE", "{0.project}"),
        ("GIT_COMMON_DIR", "{0.project}"), ("GIT_OBJECT_DIRECTORY", "{0.project}"),
        ("GIT_INDEX_FILE", "{0.project}/index"), ("GIT_NAMESPACE", "x"))),
    TestCase("variables: programs", nothing, env=(
        ("GIT_EXTERNAL_DIFF", "{0.program}"), ("GIT_PAGER", "{0.program}"),
        ("GIT_SSH_COMMAND", "{0.program}"), ("GIT_EXEC_PATH", "{0.project}"),
        ("GIT_ASKPASS", "{0.program}"), ("GIT_TRACE", "{0.marker}"),
        ("GIT_TRACE2", "{0.marker}"))),
    TestCase("program in the project", program_in_the_project,
             env=(("PATH", ".::{0.marker.parent}/none:" + os.environ["PATH"]),)),
    TestCase("revision: an option", nothing, base="--output={0.marker}",
             want="git knows no revision"),
    TestCase("revision: an option of fetch", nothing, base="--upload-pack={0.program}...",
             want="git knows no revision"),
    TestCase("objects in place of others", replaced, ("diff", "--quiet", "old"), base="old"),
    TestCase("names that lead out", hostile_trees, base="old", want=""),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_program_runs(case: TestCase, place: Place) -> None:
    case.attack(place)
    if case.bites:
        command = ["git", *case.bites]
        done = subprocess.run(
            command, cwd=place.project, capture_output=True, check=False, timeout=LONGEST
        )
        assert place.marker.exists() or (case.name.startswith("objects") and not done.returncode)
        place.marker.unlink(missing_ok=True)
    env = {name: value.format(place) for name, value in case.env}
    done = diffed(place, case.base.format(place), env)
    assert not place.marker.exists()
    assert done.returncode == 1
    assert case.want in done.stdout + done.stderr, done.stderr
    assert "Traceback" not in done.stderr


def diffed(place: Place, base: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "trainc", "diff", "--base", base, "--env", "dev"]
    return subprocess.run(
        command, cwd=place.project, capture_output=True, text=True, check=False, timeout=LONGEST,
        env={**os.environ, **env},
    )  # fmt: skip


# What Git 1.8 knows, and nothing that came later.
OLD_COMMANDS = {"rev-parse", "merge-base", "ls-tree", "cat-file", "config"}
OLD_OPTIONS = {
    "--no-pager", "-c", "--git-dir", "--work-tree", "--verify", "--quiet", "-r", "-z",
    "--full-tree", "--", "--batch", "--batch-check", "--null", "--file", "--get-regexp",
}  # fmt: skip
NEW_VARIABLES = (
    "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_NO_LAZY_FETCH", "GIT_ALLOW_PROTOCOL",
    "GIT_OPTIONAL_LOCKS", "GIT_TERMINAL_PROMPT",
)  # fmt: skip


def test_an_old_git_is_as_safe(place: Place) -> None:
    """Git 1.8 reads none of the newer variables: what it reads must be harmless without them."""
    bin_, log = place.top.parent / "bin", place.top.parent / "log"
    bin_.mkdir()
    real = shutil.which("git")
    script(bin_ / "git", f"printf '%s\\n' \"$@\" END >> {log}; unset {' '.join(NEW_VARIABLES)}\n"
                         f'exec {real} "$@"')  # fmt: skip
    own(core__fsmonitor="{0.program}", filter__evil__smudge="{0.program}")(place)
    global_config(place)
    path = f"{bin_}:{os.environ['PATH']}"
    done = diffed(place, "main", {"PATH": path, "HOME": str(place.top.parent)})
    assert not place.marker.exists()
    assert CHANGED in done.stdout
    calls = [call.split("\n")[:-1] for call in log.read_text().split("END\n")[:-1]]
    assert calls
    for call in calls:
        options = {word.partition("=")[0] for word in call if word.startswith("-")}
        assert options <= OLD_OPTIONS
        assert len(OLD_COMMANDS & set(call)) == 1
        folders = [word for word in call if word.startswith(("--git-dir=", "--work-tree="))]
        assert len(folders) == 2
        assert not any(word.partition("=")[2].startswith(str(place.top)) for word in folders)


def test_a_system_without_links(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def symlink(*args: object) -> None:
        raise OSError("a privilege is not held")

    monkeypatch.setattr(os, "symlink", symlink)
    with checkout("main", str(place.project), [str(place.project)]) as found:
        assert (Path(found.folder) / "teams/vision/trainc.yaml").is_file()
