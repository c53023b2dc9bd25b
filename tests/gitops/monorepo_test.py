"""Many projects in one repository: from above, from inside, by -C, and by the files of a commit."""

from pathlib import Path

import pytest
import yaml

from tests.gitops.output_test import made, put
from tests.gitops.repository import job, trainc, write
from trainc.cli import COMMANDS
from trainc.cli.projects import Part, parts

HOOKS = yaml.safe_load((Path(__file__).parents[2] / ".pre-commit-hooks.yaml").read_text())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two teams with a project each, one of them with environments, and a job of no project."""
    root = tmp_path / "mono"
    put(root, "teams/vision/jobs/a.yaml", "teams/nlp/jobs/a.yaml", "teams/nlp/jobs/b.yaml")
    put(root, "loose/l.yaml")
    write("teams/vision/trainc.yaml", "namespace: vision\nsources: [jobs]\n")(root)
    write("teams/nlp/trainc.yaml", "namespace: nlp\nsources: [jobs]\ndefault_env: dev\n")(root)
    for env in ("dev", "prod"):
        (root / "teams/nlp/overlays" / env).mkdir(parents=True)
    return root


def built(text: str) -> set[str]:
    found = [each["metadata"] for each in yaml.safe_load_all(text) if each["kind"] == "JobSet"]
    return {f"{each['namespace']}/{each['name']}" for each in found}


@pytest.mark.parametrize(
    ("folder", "args", "want"),
    [
        (".", (), {"vision/a", "nlp/a", "nlp/b", "default/l"}),
        (".", ("teams",), {"vision/a", "nlp/a", "nlp/b"}),
        (".", ("teams/vision", "teams/nlp/jobs/b.yaml"), {"vision/a", "nlp/b"}),
        (".", ("-C", "teams"), {"vision/a", "nlp/a", "nlp/b"}),
        (".", ("-C", "teams", "-C", "nlp"), {"nlp/a", "nlp/b"}),
        (".", ("--project=teams/nlp", "jobs/b.yaml"), {"nlp/b"}),
        ("teams/nlp/jobs", (), {"nlp/a", "nlp/b"}),
        (".", ("--env", "prod"), {"nlp/a", "nlp/b"}),
    ],
)
def test_each_project_is_built_as_it_is(
    root: Path, folder: str, args: tuple[str, ...], want: set[str]
) -> None:
    done = trainc(root / folder, "build", *args)
    assert done.returncode == 0, done.stderr
    assert built(done.stdout) == want


def test_a_project_below_another_is_no_source_of_it(root: Path) -> None:
    write("trainc.yaml", "namespace: top\nsources: [loose, teams/vision, teams]\n")(root)
    assert built(trainc(root, "build").stdout) == {"vision/a", "nlp/a", "nlp/b", "top/l"}
    (root / "teams/shared").symlink_to(root / "teams/vision")
    assert built(trainc(root, "build").stdout) == {"vision/a", "nlp/a", "nlp/b", "top/l"}


def test_the_output_of_each_stays_apart(root: Path) -> None:
    for _ in range(2):
        assert trainc(root, "build", "--out-dir", "out").returncode == 0
        assert made(root / "out") == {"a", "l", "dev/a", "dev/b", "prod/a", "prod/b"}
        assert trainc(root, "check", "--out-dir", "out").returncode == 0
    (root / "teams/nlp/jobs/b.yaml").unlink()
    (root / "teams/vision/jobs/a.yaml").unlink()
    assert trainc(root, "build", "--out-dir", "../../out", "-C", "teams/nlp").returncode == 0
    assert made(root / "out") == {"a", "l", "dev/a", "prod/a"}


def test_one_object_of_two_projects_is_an_error_and_writes_nothing(root: Path) -> None:
    write("teams/vision/trainc.yaml", "namespace: nlp\n")(root)
    (root / "teams/nlp/overlays/dev").rmdir()
    (root / "teams/nlp/overlays/prod").rmdir()
    write("teams/nlp/trainc.yaml", "namespace: nlp\n")(root)
    done = trainc(root, "build", "--out-dir", "out")
    assert done.returncode == 1
    assert "jobset.jobset.x-k8s.io-a.yaml is made by both teams/nlp and" in done.stderr
    assert not (root / "out").exists()
    assert trainc(root, "build").returncode == 1


def test_check_compares_each_with_its_own_output(root: Path) -> None:
    for team in ("vision", "nlp"):
        done = trainc(root, "build", "-C", f"teams/{team}", "--out-dir", "out")
        assert done.returncode == 0, done.stderr
    (root / "loose/l.yaml").unlink()
    assert trainc(root, "check").returncode == 0
    path = root / "teams/nlp/jobs/b.yaml"
    path.write_text(job("b", "torch-distributed").replace("--lr=1", "--lr=2"))
    done = trainc(root, "check")
    assert done.returncode == 1
    assert "teams/nlp/out: error: 2 files of the output differ" in done.stderr
    assert "teams/vision" not in done.stdout + done.stderr
    assert trainc(root, "check", "-C", "teams/vision").returncode == 0


@pytest.mark.parametrize("hook", [each for each in HOOKS if each["id"] != "trainc-fmt"],
                         ids=lambda each: each["id"])  # fmt: skip
def test_a_hook_looks_at_the_whole_project_of_each_file(root: Path, hook: dict[str, str]) -> None:
    for team in ("vision", "nlp"):
        trainc(root, "build", "-C", f"teams/{team}", "--out-dir", "out")
    command = hook["entry"].split()[1:]
    files = ("teams/nlp/overlays/prod/p.yaml", "loose/l.yaml", "teams/nlp/out/dev/x.yaml")
    assert trainc(root, *command, *files).returncode == 0
    write(files[0], "target: {name: b}\npatch: {spec: {trainer: {numNodes: none}}}\n")(root)
    done = trainc(root, *command, *files)
    assert done.returncode == 1
    assert "teams/nlp/overlays/prod/p.yaml:2:" in done.stderr
    assert trainc(root, *command, "teams/vision/jobs/a.yaml").returncode == 0


@pytest.mark.parametrize(
    ("folder", "args"),
    [(".", ("teams/nlp",)), (".", ("-C", "teams/nlp")), (".", ()), (".", ("-C", "teams")),
     (".", ("--no-cache",))],
)  # fmt: skip
def test_a_file_is_named_from_where_the_person_stands(
    root: Path, folder: str, args: tuple[str, ...]
) -> None:
    (root / "loose/l.yaml").unlink()
    write("teams/nlp/jobs/b.yaml", job("b", "torch-distributed").replace("2", "two"))(root)
    done = trainc(root / folder, "validate", *args)
    assert done.returncode == 1
    assert "teams/nlp/jobs/b.yaml:10:" in done.stderr
    done = trainc(root / "teams/nlp/jobs", "validate")
    assert "\nb.yaml:10:" in done.stderr


def test_a_warning_of_a_project_is_named_alike_each_time(root: Path) -> None:
    write("teams/nlp/jobs/b.yaml", job("b", "torch-distributed").replace("train:1.0", "t"))(root)
    first, again = (trainc(root, "build", "--out-dir", "out").stderr for _ in range(2))
    assert "teams/nlp/jobs/b.yaml:9:" in first
    assert first == again


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_takes_a_folder(name: str, tmp_path: Path) -> None:
    assert "-C, --project DIR" in trainc(tmp_path, name, "--help").stdout
    done = trainc(tmp_path, name, "-C", "nowhere")
    assert done.returncode == 2
    assert "'nowhere' is not a folder" in done.stderr


def test_paths_are_sorted_by_project(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    below = tuple(str(root / "teams" / team) for team in ("nlp", "vision"))
    assert parts(()) == [Part((".",), below), Part(("teams/nlp",)), Part(("teams/vision",))]
    assert parts(("teams/nlp/jobs/b.yaml", "-")) == [Part(("teams/nlp/jobs/b.yaml", "-"))]
    assert parts(("teams/nlp/jobs/b.yaml",), whole=True) == [Part(("teams/nlp",))]
