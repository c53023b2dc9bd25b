"""``trainc diff --base`` on the sample repository: what a reviewer is told, and nothing touched."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.gitops.repository import repository, trainc

_GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.com",
}


def git(root: Path, *args: str) -> str:
    command = ["git", "-C", str(root), *args]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, **_GIT}
    )
    return done.stdout


def committed(root: Path, message: str = "one") -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", message)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    repository(folder)
    git(folder, "init", "-q", "-b", "main")
    committed(folder)
    return folder


def edited(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def changes(root: Path, *args: str, base: str = "main") -> dict[str, dict[str, Any]]:
    """``env: Kind/name`` -> the change."""
    done = trainc(root, "diff", "--base", base, "-o", "json", *args)
    found = json.loads(done.stdout)["changes"]
    assert done.returncode == (1 if found else 0), done.stderr
    return {f"{each.get('environment', '')}: {each['kind']}/{each['name']}": each for each in found}


def test_nothing_changed(root: Path) -> None:
    done = trainc(root, "diff", "--base", "main", "--env", "all")
    assert (done.returncode, done.stdout, done.stderr) == (0, "no differences\n", "")


def test_every_verdict_in_every_environment(root: Path) -> None:
    edited(root / "jobs/jax.yaml", "--lr=1", "--lr=2")
    edited(root / "jobs/xgboost.yaml", "name: job-xgboost", "name: job-trees")
    edited(root / "overlays/prod/values.yaml", "3", "4")
    with (root / "jobs/torch.yaml").open("a") as job:
        job.write("  suspend: true\n")
    found = changes(root, "--env", "all")
    both = {
        "JobSet/job-jax": ("replace", True),
        "JobSet/job-xgboost": ("prune", True),
        "JobSet/job-trees": ("create", False),
        "JobSet/job-torch": ("change", True),
    }
    want = {f"{env}: {name}": verdict for env in ("dev", "prod") for name, verdict in both.items()}
    want |= {f"prod: JobSet/sweep-{n}": ("replace", True) for n in (1, 2)}
    assert {k: (v["verdict"], v["stopsRunningJob"]) for k, v in found.items()} == want
    jax = found["dev: JobSet/job-jax"]
    path = "spec.replicatedJobs[0].template.spec.template.spec.containers[0].args[0]"
    assert jax["fields"] == [{"path": path, "item": "node", "old": "--lr=1", "new": "--lr=2"}]
    assert jax["refusals"][0]["path"] == "spec.replicatedJobs"
    assert jax["origin"].startswith("jobs/jax.yaml ")
    sweep = found["prod: JobSet/sweep-1"]
    assert {field["path"].rpartition(".")[2] for field in sweep["fields"]} == {
        "parallelism",
        "completions",
        "value",
    }


def test_what_ends_jobs_is_read_first(root: Path) -> None:
    edited(root / "jobs/jax.yaml", "--lr=1", "--lr=2")
    edited(root / "jobs/xgboost.yaml", "team: other", "kueue.x-k8s.io/priority-class: low")
    done = trainc(root, "diff", "--base", "main", "--env", "dev")
    first = done.stdout.splitlines()[0]
    assert first == "dev: JobSet default/job-jax: NEEDS REPLACEMENT, a running job would be killed"
    assert "1 to replace, 1 to change in place; 1 running job would be stopped" in done.stdout
    assert "--on-change rename" in done.stdout.splitlines()[-1]


def test_markdown_is_a_comment_that_nothing_can_break_out_of(root: Path) -> None:
    edited(root / "jobs/jax.yaml", "--lr=1", '"--evil=```\\n</details>|x|\\u202e"')
    done = trainc(root, "diff", "--base", "main", "--env", "dev", "-o", "markdown")
    text = done.stdout
    assert text.startswith("<!-- trainc diff -->\n### trainc diff against `main`\n")
    assert "> [!CAUTION]" in text
    assert "````diff\n" in text and "\n````\n" in text
    assert "\u202e" not in text
    assert "| `dev: JobSet default/job-jax` | **NEEDS REPLACEMENT**, " in text


def test_renamed_jobs_come_and_go(root: Path) -> None:
    edited(root / "jobs/mpi.yaml", "--lr=1", "--lr=2")
    found = changes(root, "--on-change", "rename", "--env", "dev")
    verdicts = sorted((each["kind"], each["verdict"]) for each in found.values())
    assert verdicts == [
        ("ConfigMap", "create"),
        ("ConfigMap", "prune"),
        ("JobSet", "create"),
        ("JobSet", "prune"),
    ]
    (new,) = [each for each in found.values() if (each["kind"], each["verdict"]) == verdicts[2]]
    assert [field["new"] for field in new["fields"]] == ["--lr=2"]
    old = next(each for each in found.values() if each["name"] == new["renamed"])
    assert (old["verdict"], old["renamed"]) == ("prune", new["name"])


def test_a_job_that_the_tool_recreates(root: Path) -> None:
    edited(root / "jobs/jax.yaml", "--lr=1", "--lr=2")
    args = ("--env", "dev", "--profile", "flux", "--on-change", "replace")
    done = trainc(root, "diff", "--base", "main", *args)
    assert "a running job would be killed, the GitOps tool recreates it" in done.stdout
    assert "--on-change rename" not in done.stdout


def test_environments_that_come_and_go(root: Path) -> None:
    (root / "overlays/prod").rename(root / "overlays/live")
    found = changes(root, "--env", "all")
    verdicts = {(key.partition(":")[0], each["verdict"]) for key, each in found.items()}
    assert verdicts == {("live", "create"), ("prod", "prune")}


def test_a_base_without_the_project(root: Path) -> None:
    git(root, "rm", "-rq", "--cached", ".")
    git(root, "commit", "-q", "-m", "empty", "--allow-empty")
    found = changes(root, base="HEAD")
    assert {each["verdict"] for each in found.values()} == {"create"}


def test_one_file_alone(root: Path) -> None:
    edited(root / "jobs/jax.yaml", "--lr=1", "--lr=2")
    edited(root / "jobs/torch.yaml", "--lr=1", "--lr=2")
    assert list(changes(root, "--env", "dev", "jobs/jax.yaml")) == ["dev: JobSet/job-jax"]
    (root / "jobs/new.yaml").write_text(
        (root / "jobs/jax.yaml").read_text().replace("name: job-jax", "name: job-new")
    )
    assert {k: v["verdict"] for k, v in changes(root, "--env", "dev", "jobs/new.yaml").items()} == {
        "dev: JobSet/job-new": "create"
    }


def test_a_file_that_was_moved_holds_the_same_job(root: Path) -> None:
    (root / "jobs/more").mkdir()
    git(root, "mv", "jobs/jax.yaml", "jobs/more/jax.yaml")
    assert changes(root, "--env", "dev", "jobs/more/jax.yaml") == {}
    edited(root / "jobs/more/jax.yaml", "--lr=1", "--lr=2")
    (found,) = changes(root, "--env", "dev", "jobs/more/jax.yaml").values()
    assert found["verdict"] == "replace"
    assert list(changes(root, "--env", "dev", "jobs/more")) == list(changes(root, "--env", "dev"))


def test_a_file_that_was_moved_away_holds_the_same_job(root: Path) -> None:
    (root / "jobs/more").mkdir()
    (root / "jobs/jax.yaml").rename(root / "jobs/more/jax.yaml")
    (root / "jobs/less").mkdir()
    git(root, "mv", "jobs/xgboost.yaml", "jobs/less/xgboost.yaml")
    committed(root)
    (root / "jobs/less/xgboost.yaml").rename(root / "jobs/xgboost.yaml")
    (root / "jobs/less/torch.yaml").write_text((root / "jobs/torch.yaml").read_text())
    (root / "jobs/torch.yaml").unlink()
    assert changes(root, "--env", "dev", "jobs/less") == {}
    (root / "jobs/xgboost.yaml").unlink()
    assert {
        key: each["verdict"] for key, each in changes(root, "--env", "dev", "jobs/less").items()
    } == {"dev: JobSet/job-xgboost": "prune"}


@pytest.mark.parametrize("above", [False, True], ids=["renamed", "to the top"])
def test_a_project_that_was_moved_holds_the_same_jobs(above: bool, tmp_path: Path) -> None:
    (tmp_path / "ml").mkdir()
    repository(tmp_path / "ml")
    git(tmp_path, "init", "-q", "-b", "main")
    committed(tmp_path)
    new = tmp_path if above else tmp_path / "teams" / "ml"
    new.mkdir(parents=True, exist_ok=True)
    for each in (tmp_path / "ml").iterdir():
        each.rename(new / each.name)
    assert changes(new) == {}
    edited(new / "jobs/jax.yaml", "--lr=1", "--lr=2")
    verdicts = {each["verdict"] for each in changes(new, "jobs").values()}
    assert verdicts == {"replace"}


@dataclass(frozen=True)
class Moved:
    __test__ = False
    name: str
    paths: tuple[str, ...]
    told: bool = True
    edit: bool = False
    verdicts: tuple[str, ...] = ()


@pytest.mark.parametrize(
    "case",
    [
        Moved("the folder", ("new",)),
        Moved("files", ("new/jax.yaml", "new/jax-runtime.yaml")),
        Moved("the folder it left, and another", ("kept", "new")),
        Moved("git was not told", ("new",), told=False),
        Moved("everything", (".",)),
        Moved("moved and changed", ("new",), edit=True, verdicts=("replace",)),
        Moved("out of the folder", ("kept",)),
    ],
    ids=lambda case: case.name,
)
def test_plain_files_that_were_moved_hold_the_same_jobs(case: Moved, tmp_path: Path) -> None:
    (tmp_path / "sample").mkdir()
    repository(tmp_path / "sample")
    folder = tmp_path / "plain"
    for place, name in (("old", "jax"), ("kept", "torch"), ("kept", "xgboost"), ("old", "mpi")):
        (folder / place).mkdir(parents=True, exist_ok=True)
        for kind in ("jobs", "runtimes"):
            text = (tmp_path / "sample" / kind / f"{name}.yaml").read_text()
            (folder / place / f"{name}{'' if kind == 'jobs' else '-runtime'}.yaml").write_text(text)
    git(folder, "init", "-q", "-b", "main")
    committed(folder)
    (folder / "old").rename(folder / "new")
    for name in ("xgboost", "xgboost-runtime"):
        (folder / f"kept/{name}.yaml").rename(folder / f"new/{name}.yaml")
    if case.edit:
        edited(folder / "new/jax.yaml", "--lr=1", "--lr=2")
    if case.told:
        git(folder, "add", "-A")
    found = changes(folder, *case.paths)
    assert tuple(each["verdict"] for each in found.values()) == case.verdicts


def test_an_error_elsewhere_in_the_base_is_not_asked_for(root: Path) -> None:
    edited(root / "jobs/jax.yaml", "numNodes: 2", "numNodes: two")
    committed(root)
    edited(root / "jobs/torch.yaml", "--lr=1", "--lr=2")
    assert list(changes(root, "--env", "dev", "jobs/torch.yaml")) == ["dev: JobSet/job-torch"]


def test_where_the_branch_left(root: Path) -> None:
    git(root, "switch", "-q", "-c", "topic")
    edited(root / "jobs/jax.yaml", "--lr=1", "--lr=2")
    committed(root, "two")
    git(root, "switch", "-q", "main")
    edited(root / "jobs/torch.yaml", "--lr=1", "--lr=3")
    committed(root, "three")
    git(root, "switch", "-q", "topic")
    assert set(changes(root, "--env", "dev")) == {"dev: JobSet/job-jax", "dev: JobSet/job-torch"}
    assert set(changes(root, "--env", "dev", base="main...")) == {"dev: JobSet/job-jax"}


def test_the_checkout_is_never_touched(root: Path) -> None:
    edited(root / "jobs/jax.yaml", "--lr=1", "--lr=2")
    git(root, "add", "jobs/jax.yaml")
    edited(root / "jobs/jax.yaml", "--lr=2", "--lr=3")

    def state() -> dict[str, bytes]:
        return {
            str(path.relative_to(root)): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }

    before = state()
    hook = {"GIT_DIR": ".git", "GIT_INDEX_FILE": str(root / ".git/index"), "GIT_PREFIX": ""}
    done = trainc(root, "diff", "--base", "HEAD", "-o", "json", **hook)
    assert [each["name"] for each in json.loads(done.stdout)["changes"]] == ["job-jax"] * 2
    assert state() == before
    assert git(root, "worktree", "list").count("\n") == 1


def test_attributes_and_links_are_those_of_a_checkout(tmp_path: Path) -> None:
    """A project in a subfolder, runtimes behind a link, and files that archives leave out."""
    top = tmp_path / "mono"
    (top / "teams/a").mkdir(parents=True)
    repository(top / "teams/a")
    (top / "teams/a/runtimes").rename(top / "shared")
    (top / "teams/a/runtimes").symlink_to("../../shared")
    (top / ".gitattributes").write_text("*.yaml export-ignore\n")
    git(top, "init", "-q", "-b", "main")
    committed(top)
    assert changes(top / "teams/a", "--env", "dev") == {}
    edited(top / "shared/jax.yaml", "example.com/jax:1.0", "example.com/jax:2.0")
    edited(top / "shared/plain.yaml", "name: node, image", "tty: true, name: node, image")
    found = changes(top / "teams/a", "--env", "dev")
    assert {key: each["verdict"] for key, each in found.items()} == {
        "dev: JobSet/job-plain": "replace",
        "dev: JobSet/job-jax": "change",  # it has an image of its own: only its digest moves
    }
    assert [field["path"] for field in found["dev: JobSet/job-jax"]["fields"]] == [
        "metadata.annotations.trainc.dev/job.digest"
    ]


def test_plain_files_outside_a_project(tmp_path: Path) -> None:
    source = tmp_path / "sample"
    source.mkdir()
    repository(source)
    folder = tmp_path / "plain"
    (folder / "runtimes").mkdir(parents=True)
    (folder / "job.yaml").write_text((source / "jobs/jax.yaml").read_text())
    (folder / "runtimes/jax.yaml").write_text((source / "runtimes/jax.yaml").read_text())
    git(folder, "init", "-q", "-b", "main")
    committed(folder)
    edited(folder / "job.yaml", "numNodes: 2", "numNodes: 3")
    assert {k: v["verdict"] for k, v in changes(folder, "job.yaml").items()} == {
        ": JobSet/job-jax": "replace"
    }


@dataclass(frozen=True)
class Refused:
    __test__ = False
    name: str
    args: tuple[str, ...]
    status: int
    want: str


@pytest.mark.parametrize(
    "case",
    [
        Refused("nothing to compare with", (), 2, "--base REF or --cluster"),
        Refused("two of them", ("--base", "main", "--cluster"), 2, "--base REF or --cluster"),
        Refused("a revision there is not", ("--base", "nope"), 1, "no revision 'nope'"),
        Refused("an option for a revision", ("--base", "--help"), 1, "no revision '--help'"),
        Refused("no merge base", ("--base", "nope..."), 1, "no revision 'nope'"),
        Refused("standard input", ("--base", "main", "-"), 2, "standard input"),
        Refused("a context without a cluster", ("--base", "main", "--context", "x"), 2,
                "--context goes with --cluster"),
        Refused("no environment", ("--base", "main", "--env", "x"), 1, "no environment 'x'"),
    ],
    ids=lambda case: case.name,
)  # fmt: skip
def test_what_cannot_be_compared(root: Path, case: Refused) -> None:
    done = trainc(root, "diff", *case.args)
    assert (done.returncode, done.stdout) == (case.status, "")
    assert case.want in done.stderr


def test_no_repository(tmp_path: Path) -> None:
    repository(tmp_path)
    done = trainc(tmp_path, "diff", "--base", "main", GIT_CEILING_DIRECTORIES=str(tmp_path.parent))
    assert (done.returncode, done.stdout) == (1, "")
    assert "not a git repository" in done.stderr


def test_errors_say_which_side_has_them(root: Path) -> None:
    good = (root / "jobs/jax.yaml").read_text()
    (root / "jobs/jax.yaml").write_text(good.replace("numNodes: 2", "numNodes: two"))
    done = trainc(root, "diff", "--base", "main")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("jobs/jax.yaml:10:")
    committed(root, "broken")
    (root / "jobs/jax.yaml").write_text(good)
    done = trainc(root, "diff", "--base", "main")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("main:jobs/jax.yaml:10:")
