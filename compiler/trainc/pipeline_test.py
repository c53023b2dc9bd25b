"""Files in, a Plan out: where runtimes are looked up, and in which order problems come."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from trainc.library import stock_names
from trainc.pipeline import Options, compile_sources
from trainc.sample import runtime, trainjob

JOB = trainjob()
STOCK = trainjob().replace("{name: rt}", "{name: torch-distributed}")


def with_image(image: str, name: str = "rt") -> str:
    return runtime("{torch: {}}", name=name).replace("example.com/img:1", image)


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    files: dict[str, str]
    want: str
    runtimes: tuple[str, ...] = ()


CASES = [
    TestCase("the inputs come first", {
        "in/job.yaml": JOB, "in/rt.yaml": with_image("e.com/in:1"),
        "lib/rt.yaml": with_image("e.com/lib:1")}, "e.com/in:1", ("lib",)),
    TestCase("then the folders given, in their order", {
        "in/job.yaml": JOB, "lib/rt.yaml": with_image("e.com/lib:1"),
        "more/rt.yaml": with_image("e.com/more:1")}, "e.com/lib:1", ("lib", "more")),
    TestCase("then those of the project", {
        "in/job.yaml": JOB, "trainc.yaml": "", "runtimes/rt.yaml": with_image("e.com/own:1")},
        "e.com/own:1"),
    TestCase("a folder given stands in place of the project's", {
        "in/job.yaml": STOCK, "lib/x.yaml": with_image("e.com/lib:1", "x"),
        "runtimes/rt.yaml": with_image("e.com/own:1", "torch-distributed")}, "pytorch", ("lib",)),
    TestCase("the stock library comes last", {"in/job.yaml": STOCK}, "pytorch"),
    TestCase("a runtime of one's own hides the stock one", {
        "in/job.yaml": STOCK, "lib/x.yaml": with_image("e.com/lib:1", "torch-distributed")},
        "e.com/lib:1", ("lib",)),
]  # fmt: skip


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, and the process in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_where_a_runtime_comes_from(case: TestCase, project: Path) -> None:
    write(project, {name: text for name, text in case.files.items() if text})
    plan = compile_sources(["in"], Options(runtimes=case.runtimes))
    assert not [p for p in plan.problems if p.severity == "error"]
    (item,) = plan.objects
    job = item.manifest["spec"]["replicatedJobs"][0]
    image = job["template"]["spec"]["template"]["spec"]["containers"][0]["image"]
    assert case.want in image


def test_the_reference_has_no_stock_library(project: Path) -> None:
    write(project, {"in/job.yaml": STOCK})
    (problem,) = compile_sources(["in"], Options(compat="v2.3.0")).problems
    assert problem.field == "spec.runtimeRef"
    assert "torch-distributed" in stock_names()


def test_a_misspelt_stock_runtime_is_told(project: Path) -> None:
    assert "torch-distributed" in STOCK
    write(project, {"in/job.yaml": STOCK.replace("torch-distributed", "torch-distribued")})
    (problem,) = compile_sources(["in"], Options()).problems
    assert problem.hint.startswith("did you mean torch-distributed? there are: deepspeed-")


def test_problems_come_in_file_order_from_all_files(project: Path) -> None:
    bad = trainjob("suspend: 3", trainer="{numNodes: x}")
    write(project, {"in/b.yaml": bad, "in/a.yaml": bad.replace("name: m,", "name: z,")})
    problems = compile_sources(["in"], Options()).problems
    places = [(p.mark.file, p.mark.line, p.mark.column) for p in problems if p.mark]
    assert len(places) == 4
    assert places == sorted(places)


def test_objects_without_a_namespace_take_the_builds(project: Path) -> None:
    job = JOB.replace(", namespace: team", "")
    write(project, {"in/job.yaml": job, "in/rt.yaml": runtime("{torch: {}}")})
    (item,) = compile_sources(["in"], Options(namespace="other")).objects
    assert item.manifest["metadata"]["namespace"] == "other"
