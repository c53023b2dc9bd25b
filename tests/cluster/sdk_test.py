"""The Kubeflow SDK, unmodified, against ``trainc controller --compile``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import venv
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.cluster.binaries import cache_root
from tests.cluster.client import ApiError, Client, eventually
from tests.cluster.conftest import ROOT
from tests.cluster.jobs import Json
from tests.cluster.plane import Plane
from tests.cluster.posting import Poster, a_report, pods, reported, token_of
from tests.cluster.progress_test import write_certificate
from tests.cluster.running import process, running
from trainc.controller.progress.server import ProgressOptions

PACKAGE = "kubeflow==0.5.0"


@pytest.fixture(scope="session")
def sdk() -> Path:
    """The Python of an environment that holds the SDK and nothing of ours."""
    home = (
        cache_root()
        / f"sdk-{PACKAGE.partition('==')[2]}-py{sys.version_info[0]}.{sys.version_info[1]}"
    )
    python = home / "bin/python"
    done = home / "done"
    if not done.exists():
        venv.create(home, with_pip=True, clear=True)
        pip = [python, "-m", "pip", "install", "--quiet", PACKAGE]
        out = subprocess.run(pip, capture_output=True, text=True, check=False)
        if out.returncode:
            pytest.skip(f"{PACKAGE} cannot be installed: {out.stderr.strip()[-200:]}")
        done.touch()
    return python


@pytest.fixture(scope="module", autouse=True)
def runtimes(admin: Client) -> None:
    """The stock library, in the cluster."""
    import yaml

    for file in sorted((ROOT / "runtimes").glob("*.yaml")):
        for manifest in yaml.safe_load_all(file.read_text()):
            admin.apply(manifest)


def test_the_sdk_works_as_it_is(plane: Plane, admin: Client, namespace: str, sdk: Path) -> None:
    with process(plane, namespace, "--compile", "--no-leader-elect"):
        seen = _scenario(plane, admin, namespace, sdk)
    assert "torch-distributed" in seen["runtimes"]
    assert len(seen["runtimes"]) == len(list((ROOT / "runtimes").glob("*.yaml")))
    assert seen["running"] == {"status": "Running", "steps": ["node-0", "node-1"]}
    assert seen["logs"] == ["epoch 1 of 1"]
    assert seen["custom"] == "Complete"
    steps = ["dataset-initializer", "model-initializer", "node-0"]
    assert seen["builtin"] == {"status": "Complete", "steps": steps}
    assert seen["jobs"] is True
    assert "AllJobsCompleted" in seen["events"]
    assert seen["left"] == 0
    eventually(lambda: not admin.list("JobSet", namespace))


def test_the_sdks_own_report_is_accepted(
    plane: Plane, admin: Client, namespace: str, sdk: Path, tmp_path: Path
) -> None:
    """``update_trainjob_status`` with exactly the environment the compiler writes into the pod."""
    write_certificate(tmp_path)
    progress = ProgressOptions(folder=tmp_path, host="127.0.0.1", port=0)
    options = {"progress": progress, "compile": True, "features": ("TrainJobStatus",)}
    with running(plane, namespace, **options) as controller:
        assert controller.progress is not None
        admin.create(
            {
                "apiVersion": "trainer.kubeflow.org/v1alpha1",
                "kind": "TrainJob",
                "metadata": {"name": "m", "namespace": namespace},
                "spec": {"runtimeRef": {"name": "torch-distributed"}, "trainer": {}},
            }
        )
        (pod,) = eventually(lambda: pods(admin, namespace))
        environment = _environment(pod, controller.progress.port, tmp_path)
        (tmp_path / "token").write_text(token_of(admin, pod))
        program = (
            "from kubeflow.trainer import update_trainjob_status as u;"
            "print(u(progress_percent=37, estimated_remaining_seconds=5, metrics={'loss': 0.25}))"
        )
        command = [sdk, "-c", program]
        out = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert out.stdout == "True\n", out.stderr
        found = reported(admin, namespace, 37)
        assert found["metrics"] == [{"name": "loss", "value": "0.25"}]
        # And once more by hand, so that it is the server's word and not the client's.
        poster = Poster(controller.progress.port, controller.progress.certificate.authority())
        assert poster.post((namespace, "m"), a_report(38), token_of(admin, pod))[0] == 200


def _environment(pod: Json, port: int, folder: Path) -> dict[str, str]:
    """The pod's own environment, its paths and its server where they are in this test."""
    (container,) = pod["spec"]["containers"]
    env = {each["name"]: each.get("value", "") for each in container["env"]}
    url = env["KUBEFLOW_TRAINER_SERVER_URL"]
    path = url.partition(".svc:10443")[2]
    assert path, url
    mounted = "/var/run/secrets/kubeflow/trainer"
    return {
        **os.environ,
        "KUBEFLOW_TRAINER_SERVER_URL": f"https://127.0.0.1:{port}{path}",
        "KUBEFLOW_TRAINER_SERVER_CA_CERT": env["KUBEFLOW_TRAINER_SERVER_CA_CERT"].replace(
            mounted, str(folder)
        ),
        "KUBEFLOW_TRAINER_SERVER_TOKEN": env["KUBEFLOW_TRAINER_SERVER_TOKEN"].replace(
            mounted, str(folder)
        ),
    }


def _scenario(plane: Plane, admin: Client, namespace: str, sdk: Path) -> Json:
    """Runs it; ends the pods of each job it names."""
    kubeconfig = plane.kubeconfig(namespace=namespace)
    command = [sdk, Path(__file__).with_name("sdk_scenario.py"), kubeconfig, namespace]
    log = (plane.folder / f"sdk-{namespace}.log").open("w+")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as running:
        assert running.stdout is not None
        said: Json = {}
        with _ending(admin, namespace) as names:
            for line in running.stdout:
                said = json.loads(line) if line.startswith("{") else said
                names.update([said["end"]] if "end" in said else [])
    log.seek(0)
    assert running.returncode == 0, log.read()[-3000:]
    return said


@contextmanager
def _ending(admin: Client, namespace: str) -> Iterator[set[str]]:
    """Completes every pod of the jobs whose names are added."""
    names: set[str] = set()
    stop = threading.Event()

    def end() -> None:
        done = {"metadata": {"annotations": {"kwok.test/end": "complete"}}}
        while not stop.wait(0.5):
            for name in sorted(names):
                for pod in pods(admin, namespace, name):
                    with suppress(ApiError):  # it may go meanwhile, and others are still to end
                        admin.merge("Pod", namespace, pod["metadata"]["name"], done)

    thread = threading.Thread(target=end)
    thread.start()
    try:
        yield names
    finally:
        stop.set()
        thread.join()
