"""``trainc.yaml``: what it may not say is an error at its place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from trainc.errors import TraincError
from trainc.project.file import project


@pytest.mark.parametrize("namespace", ["A B", "../x", "-a", "a-", "a.b", '"5"x', "5", "[a]"])
def test_a_namespace_is_one_that_a_cluster_can_have(tmp_path: Path, namespace: str) -> None:
    (tmp_path / "trainc.yaml").write_text(f"exclude: []\nnamespace: {namespace}\n")
    with pytest.raises(TraincError) as refused:
        project(str(tmp_path))
    (problem,) = refused.value.problems
    assert problem.mark and problem.mark.line == 2


def test_a_namespace_may_begin_with_a_digit(tmp_path: Path) -> None:
    (tmp_path / "trainc.yaml").write_text('namespace: "5-team"\n')
    assert project(str(tmp_path)).namespace == "5-team"


def test_the_same_source_twice_is_told(tmp_path: Path) -> None:
    (tmp_path / "trainc.yaml").write_text("sources: [jobs, jobs]\n")
    with pytest.raises(TraincError) as refused:
        project(str(tmp_path))
    (problem,) = refused.value.problems
    assert (problem.message, problem.field) == (
        'must not hold the same twice, got "jobs"',
        "sources",
    )


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    text: str
    place: str
    says: str


UNSOUND = [
    TestCase("a source there is not", "sources: [jobs, nope]", "1:17", "sources[1]: there is no"),
    TestCase("a runtime there is not", "runtimes: [rt]", "1:12", "runtimes[0]: there is no rt"),
    TestCase("overlays there are not", "overlays: overlay", "1:1", "there is no overlay"),
    TestCase("overlays that are a file", "overlays: jobs/a.yaml", "1:1", "is no folder"),
    TestCase("overlays around the project", "overlays: .", "1:1", "holds the project itself"),
    TestCase("output over the project", "output: ..", "1:1", "holds the project itself"),
    TestCase("output over a source", "sources: [jobs]\noutput: jobs", "2:1", "holds jobs"),
    TestCase("tags alike", 'delimiters: {variable: ["{%", "%}"]}', "1:14", "begin alike: {%"),
    TestCase("a tag of one text", 'delimiters: {block: ["@", "@"]}', "1:14", "two different texts"),
    TestCase("a feature there is not", "features: {Nope: true}", "1:12", 'called "Nope"'),
]


@pytest.mark.parametrize("case", UNSOUND, ids=lambda case: case.name)
def test_a_setting_that_fits_nothing_is_told_at_its_place(tmp_path: Path, case: TestCase) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs/a.yaml").touch()
    (tmp_path / "trainc.yaml").write_text(f"{case.text}\n")
    with pytest.raises(TraincError) as refused:
        project(str(tmp_path))
    (problem,) = refused.value.problems
    assert str(problem).startswith(f"trainc.yaml:{case.place}: error: ")
    assert case.says in str(problem)
    assert problem.hint


def test_all_unknown_keys_are_told(tmp_path: Path) -> None:
    (tmp_path / "trainc.yaml").write_text("source: [jobs]\nzzz: 1\n")
    with pytest.raises(TraincError) as refused:
        project(str(tmp_path))
    assert [problem.field for problem in refused.value.problems] == ["source", "zzz"]
