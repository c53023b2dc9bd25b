"""``trainc.yaml``: what it may not say is an error at its place."""

from __future__ import annotations

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
