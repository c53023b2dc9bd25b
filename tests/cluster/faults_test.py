"""Whatever breaks, every status is right in the end, no Secret is made twice, no deadline lost."""

from __future__ import annotations

import os
import random
import signal
import threading
import time

import pytest

from tests.cluster.client import ApiError, Client, eventually
from tests.cluster.health_test import sample
from tests.cluster.jobs import Json, a_jobset, a_note, a_trainjob, conditions
from tests.cluster.plane import Plane
from tests.cluster.process import free_ports
from tests.cluster.running import process, running
from tests.cluster.verify import unsettled

SECRETS = (("ssh", "-mpi-ssh-auth"),)


def test_the_controller_is_killed_at_random_points(
    plane: Plane, admin: Client, namespace: str
) -> None:
    chance = random.Random(5)
    ends = {}
    for number in range(20):
        name = f"m{number}"
        ends[name] = ("Complete", "Failed", "DeadlineExceeded")[number % 3]
        _make(admin, namespace, name, ends[name])
        # Without the Lease: it would keep the next one waiting, and nothing would be cut short.
        with process(plane, namespace, "--no-leader-elect") as controller:
            time.sleep(chance.uniform(0.2, 2.5))
            controller.kill()
    keys = _keys(admin, namespace)
    with process(plane, namespace, "--no-leader-elect"):
        eventually(lambda: _ends(admin, namespace) == ends, 60)
        eventually(lambda: not unsettled(admin, namespace))
    made = _keys(admin, namespace)
    assert {name: made[name] for name in keys if name in made} == {
        name: key for name, key in keys.items() if name in made
    }
    overrun = [name for name, end in ends.items() if end == "DeadlineExceeded"]
    assert [name for name in overrun if admin.find("JobSet", namespace, name)] == []


@pytest.mark.restarts
def test_the_api_server_is_killed_and_started_again(
    plane: Plane, admin: Client, namespace: str
) -> None:
    _make(admin, namespace, "before", "Complete")
    _make(admin, namespace, "late", "DeadlineExceeded", 8)
    with process(plane, namespace) as controller:
        eventually(lambda: "Complete" in conditions(admin, namespace, "before"))
        plane.kill_apiserver()
        time.sleep(3)
        plane.start_apiserver()
        _make(admin, namespace, "after", "Failed")
        ends = {"before": "Complete", "after": "Failed", "late": "DeadlineExceeded"}
        eventually(lambda: _ends(admin, namespace) == ends, 60)
        eventually(lambda: not unsettled(admin, namespace), 60)
        assert controller.returncode is None


@pytest.mark.restarts
def test_the_watch_has_expired(plane: Plane, admin: Client, namespace: str) -> None:
    """A controller that slept while the API server forgot what it would resume from."""
    names = [f"m{number}" for number in range(5)]
    for name in names:
        _make(admin, namespace, name, "")
    with process(plane, namespace, "--no-leader-elect") as controller:
        eventually(lambda: not unsettled(admin, namespace) and _begun(admin, namespace, names))
        os.kill(controller.pid, signal.SIGSTOP)
        try:
            for name in names[:3]:
                admin.delete("JobSet", namespace, name)
            admin.delete("TrainJob", namespace, names[3])
            _make(admin, namespace, "new", "Complete")
            eventually(lambda: _completed(admin, namespace, "new"))
            # Its watch cache is empty afterwards: what was resumed from is too old (410).
            plane.kill_apiserver()
            plane.start_apiserver()
        finally:
            os.kill(controller.pid, signal.SIGCONT)
        eventually(lambda: "Complete" in conditions(admin, namespace, "new"), 60)
        for name in names[:3]:
            eventually(lambda name=name: "Stalled" in conditions(admin, namespace, name), 60)
        eventually(lambda: not unsettled(admin, namespace))
        # The two kinds, and again: what was on its way may have been heard without.
        eventually(lambda: controller.tail(500).count("listed /apis") > 2, 60)


def test_a_storm_of_conflicts(plane: Plane, admin: Client, namespace: str) -> None:
    """Others write the same objects, and even the same conditions, all the time."""
    names = [f"m{number}" for number in range(4)]
    stop = threading.Event()

    def write(name: str) -> None:
        theirs = {"type": "QuotaReserved", "status": "True", "reason": "Yes", "message": ""}
        number = 0
        while not stop.is_set():
            number += 1
            admin.merge("TrainJob", namespace, name, {"metadata": {"labels": {"n": str(number)}}})
            when = f"2026-11-22T00:00:{number % 60:02}Z"
            _add_condition(admin, namespace, name, {**theirs, "lastTransitionTime": when})

    for name in names:
        _make(admin, namespace, name, "Complete")
    writers = [threading.Thread(target=write, args=(name,)) for name in names]
    for writer in writers:
        writer.start()
    try:
        with running(plane, namespace):
            for name in names:
                eventually(lambda name=name: "Complete" in conditions(admin, namespace, name), 60)
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    for name in names:
        assert {"QuotaReserved", "Complete"} <= set(conditions(admin, namespace, name))


def test_malformed_objects(plane: Plane, admin: Client, namespace: str) -> None:
    """Whatever a user may write into the objects, the others are served."""
    for number, note in enumerate(["", "null", "[]", '{"version":1}', "{" * 5000, "x" * 100_000]):
        name = f"bad{number}"
        admin.apply(a_trainjob(namespace, name))
        admin.apply(a_jobset(namespace, name, note=note or " "))
    odd = admin.apply(a_jobset(namespace, "odd"))
    odd["metadata"]["annotations"]["trainc.dev/progress"] = "[" * 5000
    admin.merge("JobSet", namespace, "odd", {"metadata": odd["metadata"]})
    with process(plane, namespace) as controller:
        _make(admin, namespace, "good", "Complete")
        eventually(lambda: "Complete" in conditions(admin, namespace, "good"))
        eventually(lambda: not unsettled(admin, namespace))
        assert conditions(admin, namespace, "bad5")["Stalled"]["reason"] == "MalformedAnnotation"
        assert controller.returncode is None
        assert "Traceback" not in controller.tail(500)


def test_two_controllers_one_leader(plane: Plane, admin: Client, namespace: str) -> None:
    with process(plane, namespace, "--lease-namespace", namespace) as first:
        eventually(lambda: _holder(admin, namespace))
        leader = _holder(admin, namespace)
        _make(admin, namespace, "before", "Complete")
        eventually(lambda: "Complete" in conditions(admin, namespace, "before"))
        port = free_ports(1)[0]
        with process(plane, namespace, "--lease-namespace", namespace, health=port) as second:
            # It follows the jobs, for their reports, and has no work.
            eventually(lambda: sample(port, 'trainc_trainjobs{state="Complete"}') == 1)
            time.sleep(1)
            assert _holder(admin, namespace) == leader
            assert sample(port, "trainc_leader") == 0
            assert sample(port, "trainc_queue_depth") == 0
            first.stop()  # gives the lease back
            eventually(lambda: _holder(admin, namespace) not in ("", leader))
            _make(admin, namespace, "m", "Complete")
            eventually(lambda: "Complete" in conditions(admin, namespace))
            assert second.returncode is None


def _make(admin: Client, namespace: str, name: str, end: str, deadline: int = 1) -> None:
    """A job whose pods end as they shall, or that overruns its deadline."""
    seconds = {"activeDeadlineSeconds": deadline} if end == "DeadlineExceeded" else {}
    how = {"Complete": "complete", "Failed": "fail"}.get(end, "")
    admin.apply(a_trainjob(namespace, name, **seconds))
    note = a_note(name, secrets=SECRETS)
    admin.apply(a_jobset(namespace, name, end=how, note=note))


def _ends(admin: Client, namespace: str) -> dict[str, str]:
    """How each TrainJob ended, as its status says."""
    ends = {}
    for found in admin.list("TrainJob", namespace):
        for each in found.get("status", {}).get("conditions") or []:
            if each["type"] in ("Complete", "Failed") and each["status"] == "True":
                over = each["reason"] == "DeadlineExceeded"
                ends[found["metadata"]["name"]] = each["reason"] if over else each["type"]
    return ends


def _keys(admin: Client, namespace: str) -> dict[str, str]:
    return {
        found["metadata"]["name"]: found["data"]["ssh-privatekey"]
        for found in admin.list("Secret", namespace)
    }


def _begun(admin: Client, namespace: str, names: list[str]) -> bool:
    return all(
        admin.get("TrainJob", namespace, name).get("status", {}).get("jobsStatus") for name in names
    )


def _completed(admin: Client, namespace: str, name: str) -> bool:
    found = admin.get("JobSet", namespace, name).get("status", {}).get("conditions") or []
    return any(each["type"] == "Completed" for each in found)


def _add_condition(admin: Client, namespace: str, name: str, condition: Json) -> None:
    """Another writer's condition, added to those that are there; gives way where it is late."""
    found = admin.get("TrainJob", namespace, name)
    held = [
        c for c in found.get("status", {}).get("conditions") or [] if c["type"] != condition["type"]
    ]
    patch = {
        "metadata": {"resourceVersion": found["metadata"]["resourceVersion"]},
        "status": {"conditions": [*held, condition]},
    }
    try:
        admin.merge("TrainJob", namespace, name, patch, "status")
    except ApiError as error:
        if error.code != 409:
            raise


def _holder(admin: Client, namespace: str) -> str:
    lease = admin.find("Lease", namespace, "trainc-controller")
    return str(lease["spec"].get("holderIdentity") or "") if lease else ""
