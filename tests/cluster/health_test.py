"""The controller as a pod runs it: probes, metrics, logs, and its end."""

from __future__ import annotations

import json
import re

import urllib3

from tests.cluster.client import Client, eventually
from tests.cluster.jobs import a_jobset, a_note, a_trainjob, conditions
from tests.cluster.plane import Plane
from tests.cluster.process import free_ports
from tests.cluster.running import process


def test_probes_metrics_logs_and_the_end(plane: Plane, admin: Client, namespace: str) -> None:
    port = free_ports(1)[0]
    admin.apply(a_trainjob(namespace, "done"))
    admin.apply(a_jobset(namespace, "done", end="complete"))
    admin.apply(a_trainjob(namespace, "busy"))
    admin.apply(a_jobset(namespace, "busy"))
    secrets = (("ssh", "-mpi-ssh-auth"),)
    admin.apply(a_jobset(namespace, note=a_note("m", secrets=secrets), start="never"))
    arguments = ["--lease-namespace", namespace, "--log-format", "json"]
    with process(plane, namespace, *arguments, health=port) as controller:
        eventually(lambda: _got(port, "/readyz") == (200, "ok\n"))
        assert _got(port, "/healthz") == (200, "ok\n")
        assert _got(port, "/elsewhere")[0] == 404
        eventually(lambda: "Complete" in conditions(admin, namespace, "done"))
        eventually(lambda: sample(port, 'trainc_trainjobs{state="Running"}') == 1)
        assert sample(port, 'trainc_trainjobs{state="Complete"}') == 1
        eventually(lambda: sample(port, "trainc_leader") == 1)
        eventually(lambda: sample(port, "trainc_queue_depth") == 0)
        assert sample(port, "trainc_reconcile_seconds_count") > 0
        assert sample(port, "trainc_reconcile_errors_total") == 0
        assert sample(port, 'trainc_api_requests_total{code="201",verb="POST"}') >= 1
        lease = admin.get("Lease", namespace, "trainc-controller")
        assert lease["spec"]["holderIdentity"]
        assert controller.stop() == 0
    lines = [json.loads(line) for line in controller.log.read_text().splitlines()]
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    assert {line["level"] for line in lines} == {"info"}
    told = "\n".join(line["message"] for line in lines)
    assert f"made Secret {namespace}/m-mpi-ssh-auth" in told
    found = admin.get("Secret", namespace, "m-mpi-ssh-auth")["data"]
    assert not any(value in controller.log.read_text() for value in found.values())
    assert "PRIVATE KEY" not in controller.log.read_text()
    # The lease is given back, so that the next one need not wait for it to expire.
    assert not admin.get("Lease", namespace, "trainc-controller")["spec"].get("holderIdentity")


def _got(port: int, path: str) -> tuple[int, str]:
    try:
        response = urllib3.request("GET", f"http://127.0.0.1:{port}{path}", retries=False)
    except urllib3.exceptions.HTTPError as error:
        raise AssertionError(error) from error
    return response.status, response.data.decode()


def sample(port: int, name: str) -> float:
    _, text = _got(port, "/metrics")
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    assert found, f"no {name} in\n{text}"
    return float(found[1])
