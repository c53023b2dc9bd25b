"""``trainc.progress.report`` in training code, against the real progress server."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.client import Client, eventually
from tests.cluster.jobs import Json, a_trainjob
from tests.cluster.plane import Plane
from tests.cluster.posting import pods, progress_of, reported, token_of
from tests.cluster.progress_test import write_certificate
from tests.cluster.running import running
from tests.cluster.sdk_test import _environment
from trainc import build
from trainc.controller.controller import Controller
from trainc.controller.progress.server import ProgressOptions

Environment = dict[str, str]

# What a user writes.
TRAINING = """
from trainc.progress import report

for step in range(1001):
    report(100 * step / 1000, loss=1 / (step + 1))
print("trained")
"""


@pytest.fixture
def controller(plane: Plane, namespace: str, tmp_path: Path) -> Iterator[Controller]:
    write_certificate(tmp_path)
    options = ProgressOptions(folder=tmp_path, host="127.0.0.1", port=0)
    with running(plane, namespace, progress=options) as started:
        yield started


@pytest.fixture
def ranks(admin: Client, namespace: str, controller: Controller) -> list[Json]:
    """The pods of a job that was built for progress, by their rank."""
    job = a_trainjob(namespace, trainer={"image": "train:1", "numNodes": 2})
    built = build([job], features=["TrainJobStatus"])
    assert built.ok, built.problems
    for manifest in [job, *built.objects]:
        admin.apply(manifest)
    eventually(lambda: len(pods(admin, namespace)) == 2)
    return pods(admin, namespace)


def _environment_of(admin: Client, controller: Controller, pod: Json, folder: Path) -> Environment:
    """What training code in that pod finds, its token included."""
    assert controller.progress is not None
    (folder / "token").write_text(token_of(admin, pod))
    labels = pod["metadata"]["labels"]
    rank = labels["batch.kubernetes.io/job-completion-index"]
    found = _environment(pod, controller.progress.port, folder)
    return {**found, "JOB_COMPLETION_INDEX": rank}


def _train(environment: Environment) -> subprocess.CompletedProcess[str]:
    """A run of the training code, its log on stderr."""
    program = f"import logging; logging.basicConfig(){TRAINING}"
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "trained\n"), done.stderr
    return done


def test_three_lines_reach_the_status(
    admin: Client, namespace: str, controller: Controller, ranks: list[Json], tmp_path: Path
) -> None:
    second = _train(_environment_of(admin, controller, ranks[1], tmp_path))
    assert (second.stderr, progress_of(admin, namespace)) == ("", {})
    first = _train(_environment_of(admin, controller, ranks[0], tmp_path))
    assert first.stderr == ""
    found = reported(admin, namespace, 100)
    assert found["metrics"] == [{"name": "loss", "value": "0.000999001"}]


def test_training_goes_on_where_nobody_listens(
    admin: Client, namespace: str, controller: Controller, ranks: list[Json], tmp_path: Path
) -> None:
    environment = _environment_of(admin, controller, ranks[0], tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"https://127.0.0.1:{free.getsockname()[1]}/"
    done = _train({**environment, "KUBEFLOW_TRAINER_SERVER_URL": nobody})
    assert "progress was not taken" in done.stderr
    assert progress_of(admin, namespace) == {}


def test_a_token_of_another_job_is_refused_and_training_goes_on(
    admin: Client, namespace: str, controller: Controller, ranks: list[Json], tmp_path: Path
) -> None:
    environment = _environment_of(admin, controller, ranks[0], tmp_path)
    (tmp_path / "token").write_text(token_of(admin, ranks[0], job=(namespace, "another")))
    assert "progress was not taken: HTTP Error 403" in _train(environment).stderr
    assert progress_of(admin, namespace) == {}
