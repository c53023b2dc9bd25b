"""The scorer of the conformance corpus: what it lets pass, and what it does not."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import corpora
from tests.conformance import case_folders, difference

JOB_SET = {"apiVersion": "v1", "kind": "JobSet", "metadata": {"name": "m"}, "spec": {"a": [1, 2]}}
ADMITTED = [{"object": "TrainJob/m", "admission": {}, "manifests": [JOB_SET]}]
WARNED = [{**ADMITTED[0], "admission": {"warnings": ["deprecated"]}}]
ERROR = {"field": "spec.trainer.env", "type": "FieldValueInvalid", "detail": "x"}
REFUSED = [{"object": "TrainJob/m", "admission": {"errors": [ERROR]}}]
PRUNED = [{"object": "TrainJob/m", "admission": {"unknownFields": ["spec.x"]}}]
NO_RUNTIME = [{"object": "TrainJob/m", "admission": {"errors": [{**ERROR, "field": "<nil>"}]}}]


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    expected: list[dict[str, Any]] | None
    want: str
    manifests: tuple[dict[str, Any], ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    stderr: str = ""
    status: int = 0


def with_spec(**spec: Any) -> tuple[dict[str, Any], ...]:
    return ({**JOB_SET, "spec": spec},)


CASES = [
    TestCase("the same", ADMITTED, "", (JOB_SET,)),
    TestCase("empty structs", ADMITTED, "", ({**JOB_SET, "status": {}},)),
    TestCase("another value", ADMITTED, "JobSet/m.spec.a[1]: want 2, got 3", with_spec(a=[1, 3])),
    TestCase("another type", ADMITTED, 'spec.a[1]: want 2, got "2"', with_spec(a=[1, "2"])),
    TestCase("a longer list", ADMITTED, "spec.a: want 2 items, got 3", with_spec(a=[1, 2, 3])),
    TestCase("one field more", ADMITTED, "spec.b: unexpected 1", with_spec(a=[1, 2], b=1)),
    TestCase("one field less", ADMITTED, "spec.a: missing [1, 2]", with_spec()),
    TestCase("no object", ADMITTED, "objects: want [('JobSet', 'm')], got []"),
    TestCase("no warning", WARNED, "a warning is missing", (JOB_SET,)),
    TestCase("a warning", WARNED, "", (JOB_SET,), stderr="warning: x"),
    TestCase("admitted, refused here", ADMITTED, "refused", status=1),
    TestCase("refused, admitted here", REFUSED, "must be refused", (JOB_SET,)),
    TestCase("refused", REFUSED, "", problems=(("spec.trainer.env", "error"),), status=1),
    TestCase("a warning alone", REFUSED, "not reported",
             problems=(("spec.trainer.env", "warning"),), status=1),
    TestCase("another field", REFUSED, "not reported", problems=(("spec.x", "error"),), status=1),
    TestCase("pruned", PRUNED, "", problems=(("spec.x", "error"),), status=1),
    TestCase("any field will do", NO_RUNTIME, "", problems=(("spec.y", "error"),), status=1),
    TestCase("no JSON", REFUSED, "stderr is not a JSON list", stderr="oops", status=1),
    TestCase("a bug", ADMITTED, "exit 3", status=3),
    TestCase("a traceback", None, "exit 1", stderr="Traceback", status=1),
    TestCase("the reference crashes", None, "", status=1),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_build_is_scored(case: TestCase, tmp_path: Path) -> None:
    if case.expected is not None:
        (tmp_path / "expected.json").write_text(json.dumps(case.expected))
    problems = [
        {"object": "TrainJob/m", "field": field, "severity": severity}
        for field, severity in case.problems
    ]
    stderr = case.stderr or json.dumps(problems)
    program = (
        f"import sys; sys.stdout.write({json.dumps(case.manifests)!r});"
        f"sys.stderr.write({stderr!r}); sys.exit({case.status})"
    )
    found = difference(tmp_path, [sys.executable, "-c", program])
    assert case.want in found
    assert bool(case.want) == bool(found)


def test_the_packed_corpus_is_the_whole_one() -> None:
    corpus = corpora.unpacked("conformance")
    folders = case_folders(corpus)
    assert len(folders) == 294
    assert all((folder / "input.yaml").is_file() for folder in folders)
    assert len(list(corpus.glob("cases/*/expected.json"))) == 285
    assert case_folders(corpus, ["bad-"]) == [f for f in folders if f.name.startswith("bad-")]


@pytest.mark.parametrize("name", corpora.NAMES)
def test_a_packed_folder_comes_back(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = corpora.unpacked(name)
    monkeypatch.setattr(corpora, "DATA", tmp_path)
    monkeypatch.setattr(corpora, "UNPACKED", tmp_path / "unpacked")
    corpora.archive(name).write_bytes(corpora.pack(folder))
    assert _texts(corpora.unpacked(name)) == _texts(folder)


def _texts(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_another_corpus_is_scored_instead(tmp_path: Path) -> None:
    (tmp_path / "cases/one").mkdir(parents=True)
    (tmp_path / "cases/one/input.yaml").write_text("")
    (tmp_path / "cases/one/expected.json").write_text(json.dumps(ADMITTED))
    command = [sys.executable, "-m", "tests.conformance", "--trainc", "false"]
    done = subprocess.run(
        command,
        cwd=corpora.ROOT,
        env={"TRAINC_CONFORMANCE_DIR": str(tmp_path), "PATH": "/bin:/usr/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "conformance: 0 of 1"
