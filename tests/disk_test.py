"""The output folder on disks that refuse: a small tmpfs in a mount namespace of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.mounts import namespace

JOB = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata:
  name: job-{number}
spec:
  runtimeRef:
    name: torch-distributed
  trainer:
    image: example.com/train:{image}
"""

# Mounts a disk, builds onto it, fills or locks it, builds again, and shows what is there each time.
SCRIPT = """
set -eu
mount -t tmpfs -o size=256k tmpfs "$1"
"$2" -m trainc build before --out-dir "$1/out"
(cd "$1/out" && find . -type f | sort | xargs sha256sum) > before.sums
{harm}
status=0
"$2" -m trainc build after --out-dir "$1/out" || status=$?
(cd "$1/out" && find . -type f | sort | xargs sha256sum) > after.sums
exit $status
"""


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    """Two folders of jobs: a few, then many others."""
    for folder, count in (("before", 3), ("after", 300)):
        (tmp_path / folder).mkdir()
        for number in range(count):
            text = JOB.format(number=number, image=folder)
            (tmp_path / folder / f"job-{number}.yaml").write_text(text)
    return tmp_path


def on_a_disk(jobs: Path, harm: str) -> subprocess.CompletedProcess[str]:
    """Runs the script in a mount namespace."""
    (jobs / "disk").mkdir()
    command = [*namespace(), "sh", "-c", SCRIPT.format(harm=harm), "sh", "disk"]
    return subprocess.run([*command, sys.executable], cwd=jobs, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (":", "No space left on device"),
        ('mount -o remount,ro "$1"', "Read-only file system"),
    ],
    ids=["full", "read-only"],
)
def test_a_disk_that_refuses_leaves_the_folder_as_it_was(
    jobs: Path, harm: str, reason: str
) -> None:
    done = on_a_disk(jobs, harm)
    assert done.returncode == 1, done.stderr
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
    before = (jobs / "before.sums").read_text()
    assert before.count("\n") == 4
    assert (jobs / "after.sums").read_text() == before
