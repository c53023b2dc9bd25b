"""Whose output it is: a build removes what its own sources no longer make, and no more."""

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gitops.repository import job, trainc
from trainc.cli.run import run

OUT = "out"
RUNTIME = "torch-distributed"
PROJECT = "namespace: ml\n"


def put(root: Path, *names: str) -> None:
    """Writes a TrainJob into each file, called after it."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(job(path.stem, RUNTIME))


def made(folder: Path) -> set[str]:
    """The jobs whose JobSet stands in an output folder, with the environment where there is one."""
    found = (path.relative_to(folder) for path in folder.rglob("jobset.*.yaml"))
    return {
        "/".join((*path.parts[:-2], path.stem.removeprefix("jobset.jobset.x-k8s.io-")))
        for path in found
    }


def build(root: Path, *args: str, out: str = OUT) -> str:
    done = trainc(root, "build", "--out-dir", out, *args)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two teams and two environments in one project, built."""
    root = tmp_path / "project"
    put(root, "teams/vision/a.yaml", "teams/vision/b.yaml", "teams/nlp/c.yaml", "top.yaml")
    (root / "trainc.yaml").write_text(f"{PROJECT}default_env: dev\n")
    for env in ("dev", "prod"):
        (root / "overlays" / env).mkdir(parents=True)
    build(root)
    return root


ALL = {f"{env}/{name}" for env in ("dev", "prod") for name in ("a", "b", "c", "top")}


def without(*names: str) -> set[str]:
    return {each for each in ALL if each.rpartition("/")[2] not in names}


def test_all_environments_are_written_whatever_the_default_is(root: Path) -> None:
    assert made(root / OUT) == ALL


@dataclass(frozen=True)
class Part:
    __test__ = False
    name: str
    change: Callable[[Path], object]
    args: tuple[str, ...]
    want: set[str]
    folder: str = "."
    out: str = OUT


def drop(*names: str) -> Callable[[Path], object]:
    return lambda root: [(root / name).unlink() for name in names]


def nothing(root: Path) -> None:
    """Nothing changed."""


PARTS = [
    Part("a team", nothing, ("teams/vision",), ALL),
    Part("a file", nothing, ("teams/nlp/c.yaml",), ALL),
    Part("an environment", nothing, ("--env", "prod"), ALL),
    Part("a team that lost a job", drop("teams/vision/a.yaml"), ("teams/vision",), without("a")),
    Part("a job lost elsewhere", drop("teams/nlp/c.yaml"), ("teams/vision",), ALL),
    Part("a job lost by all", drop("teams/nlp/c.yaml", "top.yaml"), (), without("c", "top")),
    Part(
        "one environment of what was lost", drop("top.yaml"), ("--env", "dev"), ALL - {"dev/top"}
    ),
    Part(
        "in the folder of a team", drop("teams/vision/a.yaml"), (), without("a"),
        "teams/vision", "../../out",
    ),
    Part(
        "two parts", drop("teams/vision/a.yaml", "teams/nlp/c.yaml", "top.yaml"),
        ("teams/nlp", "teams/vision/a.yaml", "teams/vision")[::2], without("a", "c"),
    ),
    Part(
        "an environment that is gone, for a part",
        lambda root: shutil.rmtree(root / "overlays/prod"), ("teams/vision",),
        ALL - {"prod/a", "prod/b"},
    ),
    Part(
        "an environment that is gone", lambda root: shutil.rmtree(root / "overlays/prod"), (),
        {each for each in ALL if each.startswith("dev/")},
    ),
    Part(
        "a job that is excluded",
        lambda root: (root / ".traincignore").write_text("a.yaml\n"), (), without("a"),
    ),
    Part(
        "a job that moved to another team",
        lambda root: (root / "teams/vision/a.yaml").rename(root / "teams/nlp/a.yaml"),
        ("teams/nlp",), ALL,
    ),
    Part(
        "a job that moved away from the team",
        lambda root: (root / "teams/vision/a.yaml").rename(root / "teams/nlp/a.yaml"), (), ALL,
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", PARTS, ids=lambda case: case.name)
def test_a_build_removes_what_it_covers_and_no_more(case: Part, root: Path) -> None:
    case.change(root)
    for _ in range(2):  # compiled, and remembered
        build(root / case.folder, *case.args, out=case.out)
        assert made(root / OUT) == case.want
    build(root)
    fresh = build(root, out="fresh")
    assert fresh == ""
    assert tree(root / OUT) == tree(root / "fresh")


def tree(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_moved_job_is_kept_by_both_folders_until_all_is_built(root: Path) -> None:
    (root / "teams/vision/a.yaml").rename(root / "teams/nlp/a.yaml")
    build(root, "teams/nlp")
    build(root, "teams/vision")
    assert made(root / OUT) == ALL


def test_a_second_build_of_one_file_leaves_the_first_ones(tmp_path: Path) -> None:
    put(tmp_path, "a.yaml", "b.yaml", "more/c.yaml", "more/d.yaml")
    build(tmp_path, "a.yaml")
    build(tmp_path, "b.yaml")
    build(tmp_path, "more")
    assert made(tmp_path / OUT) == {"a", "b", "c", "d"}
    (tmp_path / "more/c.yaml").unlink()
    build(tmp_path, "a.yaml")
    assert made(tmp_path / OUT) == {"a", "b", "c", "d"}
    build(tmp_path / "more", out="../out")
    assert made(tmp_path / OUT) == {"a", "b", "d"}
    build(tmp_path, ".")
    assert made(tmp_path / OUT) == {"a", "b", "d"}


def test_what_came_from_standard_input_is_kept_and_named(tmp_path: Path) -> None:
    put(tmp_path, "a.yaml", "b.yaml")
    for name in ("a", "b"):
        done = trainc(
            tmp_path, "build", "--out-dir", OUT, "-", stdin=(tmp_path / f"{name}.yaml").read_text()
        )
        assert done.returncode == 0, done.stderr
    assert made(tmp_path / OUT) == {"a", "b"}
    assert "kept default/jobset.jobset.x-k8s.io-a.yaml: the index does not say" in done.stderr


def test_an_index_without_sources_is_the_projects_and_nobody_elses(root: Path) -> None:
    for index in (root / OUT).rglob(".trainc.json"):
        document = json.loads(index.read_text())
        del document["outputs"]
        index.write_text(json.dumps(document))
    (root / "teams/vision/a.yaml").unlink()
    (root / "top.yaml").unlink()
    said = build(root, "teams/vision")
    assert made(root / OUT) == ALL
    assert "out/dev: note: kept default/" in said.replace("ml/", "default/")
    assert build(root) == ""
    assert made(root / OUT) == without("a", "top")


def test_two_projects_share_a_folder(tmp_path: Path) -> None:
    for team in ("one", "two"):
        put(tmp_path, f"{team}/jobs/{team}.yaml", f"{team}/jobs/{team}-more.yaml")
        (tmp_path / team / "trainc.yaml").write_text(PROJECT)
        build(tmp_path / team, out="../out")
    (tmp_path / "two/overlays/prod").mkdir(parents=True)
    (tmp_path / "one/jobs/one-more.yaml").unlink()
    build(tmp_path / "one", out="../out")
    assert made(tmp_path / OUT) == {"one", "two", "two-more"}
    build(tmp_path / "two", out="../out")
    assert made(tmp_path / OUT) == {"one", "prod/two", "prod/two-more"}
    build(tmp_path / "one", out="../out")
    assert made(tmp_path / OUT) == {"one", "prod/two", "prod/two-more"}


def test_a_part_is_checked_by_itself(root: Path) -> None:
    (root / "teams/nlp/c.yaml").unlink()
    (root / "top.yaml").write_text(job("top", RUNTIME).replace("--lr=1", "--lr=2"))
    for args in ((), ("teams/vision",)):
        done = trainc(root / "teams/vision" if not args else root, "check", *args)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
    done = trainc(root / "teams/nlp", "check")
    assert done.returncode == 1
    assert done.stdout.count("+++ /dev/null") == 2
    assert "top" not in done.stdout
    done = trainc(root, "check")
    assert done.returncode == 1
    assert done.stdout.count("--- ../") + done.stdout.count("--- out/") == 4


def test_every_environment_is_gated_whatever_the_default_is(root: Path) -> None:
    path = next((root / OUT / "prod").rglob("jobset.*-a.yaml"))
    path.write_text(path.read_text().replace("--lr=1", "--lr=7"))
    assert trainc(root, "check").returncode == 1
    assert trainc(root, "check", "--env", "dev").returncode == 0
    (root / "overlays/prod/p.yaml").write_text(
        "target: {name: b}\npatch: {spec: {trainer: {numNodes: none}}}\n"
    )
    done = trainc(root, "validate")
    assert done.returncode == 1
    assert "overlays/prod/p.yaml:2:" in done.stderr


def test_a_line_counts_what_was_done(root: Path) -> None:
    (root / "teams/vision/a.yaml").unlink()
    (root / "teams/vision/b.yaml").write_text(job("b", RUNTIME).replace("--lr=1", "--lr=2"))
    said = build(root, "teams/vision", "-v").splitlines()
    assert said[-1] == "out: 2 written, 0 unchanged, 2 removed, 4 of other sources kept"
    assert build(root, "-v").splitlines()[-1] == "out: 0 written, 6 unchanged, 0 removed"
    assert build(root) == ""


TEAMS = ("a", "ab", "a/b", "c")
NAMES = ("one", "two")
FILES = tuple(f"{team}/{name}.yaml" for team in TEAMS for name in NAMES)
ENVS = ("dev", "prod")


@dataclass(frozen=True)
class Step:
    """Files that are there, their version, and the part that is built: "" for everything."""

    files: frozenset[str]
    envs: frozenset[str]
    version: int
    part: str


STEPS = st.lists(
    st.builds(
        Step,
        st.frozensets(st.sampled_from(FILES), min_size=1),
        st.frozensets(st.sampled_from(ENVS)),
        st.integers(1, 2),
        st.sampled_from(("", *TEAMS, *FILES)),
    ),
    min_size=2,
    max_size=5,
)


def _write(root: Path, step: Step) -> None:
    """Makes the tree of sources the step's: every job is called after its place."""
    for file in FILES:
        name = file.removesuffix(".yaml").replace("/", "-")
        path = root / "teams" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        if file in step.files:
            path.write_text(job(name, RUNTIME).replace("--lr=1", f"--lr={step.version}"))
    for env in ENVS:
        shutil.rmtree(root / "overlays" / env, ignore_errors=True)
        if env in step.envs:
            (root / "overlays" / env).mkdir(parents=True)


def _is_of(output: str, part: str) -> bool:
    """Whether a file of the output was made from a part: its job is called after the place."""
    name = Path(output).stem.removeprefix("jobset.jobset.x-k8s.io-")
    files = {file.removesuffix(".yaml").replace("/", "-"): file for file in FILES}
    file = files[name]
    return file == part or file.startswith(f"{part}/")


@pytest.mark.parametrize("project", [True, False], ids=["a project", "plain files"])
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_a_part_never_changes_another_and_all_is_what_a_first_build_makes(
    project: bool, steps: list[Step]
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        root = Path(folder)
        patch.chdir(root)
        patch.setenv("TRAINC_CACHE_DIR", "off")
        (root / "overlays").mkdir()
        for step in steps:
            step = step if project else Step(step.files, frozenset(), step.version, step.part)
            if project:
                (root / "trainc.yaml").write_text("sources: [teams]\n")
            else:
                shutil.rmtree(root / "overlays", ignore_errors=True)
            _write(root, step)
            before = jobsets(root / OUT)
            part = f"teams/{step.part}" if step.part else ("." if project else "teams")
            if not (root / part).exists():
                continue
            assert run(["build", "--quiet", "--allow-empty", "--out-dir", OUT, part]) == 0
            after = jobsets(root / OUT)
            if step.part:
                others = {n: t for n, t in before.items() if not _is_of(n, step.part)}
                assert {n: t for n, t in after.items() if not _is_of(n, step.part)} == others
            assert run(["build", "--quiet", "--allow-empty", "--out-dir", "fresh", part]) == 0
            fresh = jobsets(root / "fresh")
            own = {n: t for n, t in after.items() if not step.part or _is_of(n, step.part)}
            assert own == fresh
            if not step.part:
                assert tree(root / OUT) == tree(root / "fresh")
            shutil.rmtree(root / "fresh")


def jobsets(folder: Path) -> dict[str, str]:
    return {name: text for name, text in tree(folder).items() if name.endswith(".yaml")}
