"""The example of a monorepo: the commands of docs/monorepo.md, in a copy of it."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.gitops.monorepo_test import built
from tests.gitops.output_test import made
from tests.gitops.repository import trainc

ROOT = Path(__file__).parents[2]
VISION, NLP = "team-vision/resnet", "team-nlp/bert"


@pytest.fixture
def teams(tmp_path: Path) -> Path:
    """A copy of the example, in a repository of its own."""
    copy = tmp_path / "mono"
    shutil.copytree(ROOT / "docs/monorepo", copy)
    subprocess.run(["git", "init", "-q"], cwd=copy, check=True)
    return copy


@dataclass(frozen=True)
class TestCase:
    """Arguments of ``build``, the JobSets that it prints and the nodes of resnet."""

    __test__ = False
    name: str
    args: tuple[str, ...]
    want: set[str]
    nodes: int = 0


@pytest.mark.parametrize(
    "case",
    [
        TestCase("all", (), {VISION, NLP}),
        TestCase("all that have prod", ("--env", "prod"), {VISION}, 4),
        TestCase("one team", ("-C", "vision"), {VISION}, 1),
        TestCase("one team's production", ("-C", "vision", "--env", "prod"), {VISION}, 4),
        TestCase("a team with a runtime of its own", ("-C", "nlp"), {NLP}),
    ],
    ids=lambda case: case.name,
)
def test_build_prints_each_team_as_it_is(teams: Path, case: TestCase) -> None:
    done = trainc(teams, "build", *case.args)
    assert done.returncode == 0, done.stderr
    assert built(done.stdout) == case.want
    if case.nodes:
        assert f'value: "{case.nodes}"' in done.stdout.partition("PET_NNODES")[2][:60]


def test_the_gates_pass_once_each_team_is_built(teams: Path) -> None:
    assert trainc(teams, "validate").returncode == 0
    for team in ("vision", "nlp"):
        done = trainc(teams, "build", "-C", team, "--out-dir", "out")
        assert done.returncode == 0, done.stderr
    assert made(teams / "vision/out") == {"dev/resnet", "prod/resnet"}
    assert made(teams / "nlp/out") == {"bert"}
    assert trainc(teams, "check").returncode == 0
    runtime = teams / "nlp/runtimes/torch-nlp.yaml"
    runtime.write_text(runtime.read_text().replace("nlp-train:2.3.0", "nlp-train:2.4.0"))
    done = trainc(teams, "check", "--whole-project", "nlp/runtimes/torch-nlp.yaml")
    assert done.returncode == 1
    assert trainc(teams, "check", "-C", "vision").returncode == 0


def test_the_project_around_the_example_does_not_read_it() -> None:
    done = trainc(ROOT, "build")
    assert done.returncode == 0, done.stderr
    assert not {VISION, NLP} & built(done.stdout)
