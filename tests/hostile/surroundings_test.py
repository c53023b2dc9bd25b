"""Surroundings that lack something: closed streams, few descriptors, little memory."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

JOB = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata:
  name: job
spec:
  runtimeRef:
    name: torch-distributed
  trainer:
    image: example.com/train:1
"""


@dataclass(frozen=True)
class TestCase:
    """A command line as a shell reads it, and its exit status."""

    __test__ = False
    name: str
    shell: str
    want: int


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a job."""
    folder = tmp_path_factory.mktemp("surroundings")
    (folder / "job.yaml").write_text(JOB)
    return folder


def run(shell: str, folder: Path) -> subprocess.CompletedProcess[str]:
    line = shell.replace("trainc", f"{sys.executable} -m trainc")
    return subprocess.run(["sh", "-c", line], cwd=folder, capture_output=True, text=True)


CASES = [
    TestCase("no stderr, and a build", "trainc build job.yaml 2>&-", 0),
    TestCase("no stderr, and a folder", "trainc build job.yaml --out-dir out -v 2>&-", 0),
    TestCase("no stderr, and findings", "trainc validate job.yaml 2>&-", 0),
    TestCase("no stderr, and a problem", "trainc build nosuch.yaml 2>&-", 1),
    TestCase("no stderr, and wrong usage", "trainc nosuch 2>&-", 2),
    TestCase("no stdout, and a build", "trainc build job.yaml >&-", 1),
    TestCase("no stdout, and a folder", "trainc build job.yaml --out-dir out >&-", 0),
    TestCase("no stdout, and install", "trainc install >&-", 1),
    TestCase("no stdout, and text to edit", "trainc fmt - <job.yaml >&-", 1),
    TestCase("no stdin, and a build", "trainc build job.yaml <&-", 0),
    TestCase("no stdin, which is read", "trainc build - <&-", 1),
    TestCase("no stream at all", "trainc build job.yaml <&- >&- 2>&-", 1),
    TestCase("no stream at all, and a folder", "trainc build job.yaml --out-dir o <&- >&- 2>&-", 0),
    TestCase("64 descriptors", "ulimit -n 64; trainc build job.yaml", 0),
    TestCase("12 descriptors", "ulimit -n 12; trainc build job.yaml --out-dir out", 0),
    TestCase("200 MB of address space", "ulimit -v 200000; trainc build job.yaml", 0),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_exit_status_is_that_of_the_work(case: TestCase, folder: Path) -> None:
    done = run(case.shell, folder)
    assert done.returncode == case.want, done.stderr
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr


def test_a_closed_stderr_changes_no_byte_of_the_product(folder: Path) -> None:
    plain, closed = run("trainc build job.yaml", folder), run("trainc build job.yaml 2>&-", folder)
    assert plain.stdout == closed.stdout != ""


def test_no_file_takes_the_place_of_a_closed_stream(folder: Path) -> None:
    """Descriptor 2 would be the file of problems, and what is said on stderr would end up there."""
    run("trainc build job.yaml --problems json --problems-file p.json --out-dir w 2>&-", folder)
    assert (folder / "p.json").read_text() == "[]\n"
    texts = [path.read_text() for path in (folder / "w").rglob("*.yaml")]
    assert texts and all(text.startswith("# from") for text in texts)
