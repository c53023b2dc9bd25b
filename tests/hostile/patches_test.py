"""Overlays that multiply what they hold: refused at their place, in bounded time and memory."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

JOB = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata:
  name: train
  annotations: {a: b}
spec:
  runtimeRef: {name: torch-distributed}
  trainer:
    image: registry.example.com/train:1
    command: [python, train.py]
"""
TARGET = {"kind": "TrainJob", "name": "train"}
MOST_MEMORY = 600 << 10  # KiB
MOST_SECONDS = 60  # of processor time, on a machine that others use; the bar is 10


@dataclass(frozen=True)
class TestCase:
    """What an overlay's patch is, and what is reported about it."""

    __test__ = False
    name: str
    patch: Callable[[], object]
    want: str


def _copies(times: int) -> list[dict[str, object]]:
    first = {"op": "add", "path": "/spec/trainer/env", "value": [{"name": "A", "value": "b"}]}
    copy = {"op": "copy", "from": "/spec/trainer/env", "path": "/spec/trainer/env/-"}
    return [first, *[copy] * times]


def _list_first(value: object, then: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{"op": "add", "path": "/spec/trainer/args", "value": value}, *then]


def _env(count: int) -> dict[str, object]:
    return {"spec": {"trainer": {"env": [{"name": f"N{n}", "value": "1"} for n in range(count)]}}}


def _deep(levels: int) -> list[dict[str, object]]:
    path = "/metadata/annotations"
    steps = []
    for _ in range(levels):
        path += "/a"
        steps.append({"op": "add", "path": path, "value": {}})
    return steps


AT_START = {"op": "add", "path": "/spec/trainer/args/0", "value": "x"}
CASES = [
    TestCase("copies of copies", lambda: _copies(40), "makes a value of more than 16 MiB"),
    TestCase(
        "copies of a long text",
        lambda: _list_first(
            ["x" * 1_000_000],
            [{"op": "copy", "from": "/spec/trainer/args/0", "path": "/spec/trainer/args/-"}] * 5000,
        ),
        "the build takes more than",
    ),
    TestCase(
        "tests of a large value",
        lambda: _list_first(
            ["x"] * 20_000,
            [{"op": "test", "path": "/spec/trainer/args", "value": ["x"] * 10}] * 9000,
        ),
        "test failed: /spec/trainer/args is",
    ),
    TestCase(
        "moves into ever deeper maps",
        lambda: _deep(400),
        "a value is nested deeper than 200 levels",
    ),
    TestCase(
        "an index of many digits",
        lambda: [{"op": "remove", "path": "/spec/trainer/command/" + "9" * 5000}],
        "is no index of a list",
    ),
    TestCase(
        "an index in other digits",
        lambda: [{"op": "remove", "path": "/spec/trainer/command/\u0661"}],
        "is no index of a list",
    ),
    TestCase(
        "tests between copies",
        lambda: _copies(13) + [{"op": "test", "path": "/spec/trainer/env", "value": []}] * 2,
        "test failed: /spec/trainer/env is",
    ),
]
SOUND = [
    TestCase("many items put first", lambda: _list_first([], [AT_START] * 10_000), "at most"),
    TestCase("many variables", lambda: _env(10_000), "at most"),
]


def _run(root: Path, case: TestCase) -> tuple[subprocess.CompletedProcess[str], float, int]:
    """The build of a project with the patch, its processor time and peak memory in KiB."""
    overlay = root / "overlays" / "prod"
    overlay.mkdir(parents=True)
    (root / "trainc.yaml").write_text("sources: [jobs]\n")
    (root / "jobs").mkdir()
    (root / "jobs" / "train.yaml").write_text(JOB)
    patch = {"target": TARGET, "patch": case.patch()}
    (overlay / "patch.yaml").write_text(json.dumps(patch))
    probe = (
        "import resource, subprocess, sys; "
        "done = subprocess.run(sys.argv[1:]); "
        "use = resource.getrusage(resource.RUSAGE_CHILDREN); "
        "print(use.ru_utime + use.ru_stime, use.ru_maxrss, file=sys.stderr); "
        "sys.exit(done.returncode)"
    )
    command = [sys.executable, "-m", "trainc", "build", "--env", "prod", "-q"]
    done = subprocess.run(
        [sys.executable, "-c", probe, *command],
        cwd=root,
        env={**os.environ, "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    *errors, figures = done.stderr.splitlines()
    seconds, memory = figures.split()
    done.stderr = "\n".join(errors)
    return done, float(seconds), int(memory)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_patch_that_multiplies_is_refused(case: TestCase, tmp_path: Path) -> None:
    done, seconds, memory = _run(tmp_path, case)
    assert done.returncode == 1, done.stderr[:2000]
    assert case.want in done.stderr
    assert "overlays/prod/patch.yaml:1:" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr) < 20_000
    assert seconds < MOST_SECONDS
    assert memory < MOST_MEMORY


@pytest.mark.parametrize("case", SOUND, ids=lambda case: case.name)
def test_long_list_is_refused_for_its_length(case: TestCase, tmp_path: Path) -> None:
    done, seconds, memory = _run(tmp_path, case)
    assert "takes more than" not in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 1
    assert case.want in done.stderr
    assert seconds < MOST_SECONDS
    assert memory < MOST_MEMORY


def test_chain_of_overlays_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "trainc.yaml").write_text("sources: [jobs]\n")
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "train.yaml").write_text(JOB)
    for number in range(1500):
        folder = tmp_path / "overlays" / f"o{number}"
        folder.mkdir(parents=True)
        (folder / "overlay.yaml").write_text(f"extends: o{number + 1}\n" if number < 1499 else "")
    done = subprocess.run(
        [sys.executable, "-m", "trainc", "build", "--env", "o0"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 1
    assert "o0 builds on more than 100 overlays" in done.stderr
    assert "overlays/o99/overlay.yaml:1:" in done.stderr
