"""Random job life for a while; in the end every status is what a fresh decision gives.

A plane, a controller that is killed now and then, an API server that is too, and users who make,
suspend, fail, complete, delete and make again. ``python -m tests.cluster.soak --seconds 60``.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.cluster.binaries import UnavailableError, find
from tests.cluster.client import ApiError, Client, eventually
from tests.cluster.conftest import CRDS
from tests.cluster.jobs import a_jobset, a_note, a_trainjob
from tests.cluster.plane import Plane
from tests.cluster.running import process
from tests.cluster.verify import unsettled

NAMESPACE = "soak"
SECRETS = (("ssh", "-mpi-ssh-auth"), ("curve", "-flux-curve"))
ALIVE = 60  # jobs at a time

logger = logging.getLogger("soak")


class Users:
    """What people do to jobs, at random."""

    def __init__(self, admin: Client, chance: random.Random) -> None:
        """Starts with nothing."""
        self._admin = admin
        self._chance = chance
        self._names: list[str] = []
        self.done: Counter[str] = Counter()

    def act(self) -> None:
        """One thing; what is refused, since another thing happened meanwhile, is let go."""
        weighted: list[tuple[Callable[[], None], int]] = [
            (self.make, 8),
            (self.complete, 6),
            (self.fail, 3),
            (self.suspend, 2),
            (self.resume, 3),
            (self.delete_jobset, 2),
            (self.make_jobset_again, 2),
            (self.delete_trainjob, 1),
            (self.forge, 1),
        ]
        actions, weights = zip(*weighted, strict=True)
        (action,) = self._chance.choices(actions, weights)
        if action != self.make and not self._names:
            return
        try:
            action()
            self.done[action.__name__] += 1
        except ApiError as error:
            if error.code not in (404, 409, 422):
                raise

    def make(self) -> None:
        """A job, mostly with its TrainJob, sometimes with a deadline or Secrets."""
        name = f"m{self.done['make']}"
        deadline = self._chance.choice([0, 0, 0, 2, 5])
        spec = {"activeDeadlineSeconds": deadline} if deadline else {}
        note = a_note(name, deadline, self._chance.choice([(), SECRETS]))
        suspended = self._chance.random() < 0.1
        manifests = [
            a_jobset(NAMESPACE, name, note=note, suspend=suspended, ttl=self._ttl(), nodes=2)
        ]
        if self._chance.random() < 0.8:
            manifests.append(a_trainjob(NAMESPACE, name, suspend=suspended, **spec))
            self._chance.shuffle(manifests)
        for manifest in manifests:
            self._admin.apply(manifest)
        self._names.append(name)
        if len(self._names) > ALIVE:
            self._forget(self._names.pop(0))

    def complete(self) -> None:
        """Some pod completes."""
        self._end("complete")

    def fail(self) -> None:
        """Some pod fails."""
        self._end("fail")

    def suspend(self) -> None:
        """Both objects are suspended."""
        self._steer(True)

    def resume(self) -> None:
        """Both objects are resumed."""
        self._steer(False)

    def delete_jobset(self) -> None:
        """Only the JobSet goes."""
        self._admin.delete("JobSet", NAMESPACE, self._one())

    def make_jobset_again(self) -> None:
        """As a GitOps tool does."""
        name = self._one()
        if self._admin.find("JobSet", NAMESPACE, name) is None:
            self._admin.apply(a_jobset(NAMESPACE, name, note=a_note(name), nodes=2))

    def delete_trainjob(self) -> None:
        """Only the TrainJob goes."""
        self._admin.delete("TrainJob", NAMESPACE, self._one())

    def forge(self) -> None:
        """Another writer sets a condition that is not true."""
        condition = {
            "type": self._chance.choice(["Complete", "Failed", "Suspended"]),
            "status": self._chance.choice(["True", "False"]),
            "reason": "ByHand",
            "message": "",
            "lastTransitionTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        patch = {"status": {"conditions": [condition]}}
        self._admin.merge("TrainJob", NAMESPACE, self._one(), patch, "status")

    def _one(self) -> str:
        return self._chance.choice(self._names)

    def _ttl(self) -> int | None:
        return self._chance.choice([None, None, 1, 5])

    def _end(self, how: str) -> None:
        name = self._one()
        selector = f"jobset.sigs.k8s.io/jobset-name={name}"
        for pod in self._admin.list("Pod", NAMESPACE, labelSelector=selector):
            annotation = {"metadata": {"annotations": {"kwok.test/end": how}}}
            self._admin.merge("Pod", NAMESPACE, pod["metadata"]["name"], annotation)

    def _steer(self, yes: bool) -> None:
        name = self._one()
        for kind in ("JobSet", "TrainJob"):
            self._admin.merge(kind, NAMESPACE, name, {"spec": {"suspend": yes}})

    def _forget(self, name: str) -> None:
        for kind in ("TrainJob", "JobSet"):
            try:
                self._admin.delete(kind, NAMESPACE, name)
            except ApiError as error:
                if error.code != 404:
                    raise


def main() -> int:
    """Runs it; 1 and what is wrong, if something is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1200)
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args()
    kinds = sorted(CRDS.glob("*.yaml"))
    if not kinds:
        print(f"no kinds in {CRDS}: there is nothing to act on", file=sys.stderr)
        return 1
    seed = given.seed if given.seed is not None else random.randrange(10**6)
    logging.basicConfig(level="INFO", format="%(asctime)s %(message)s")
    logger.info("seed %d", seed)
    try:
        binaries = find(build=False)
    except UnavailableError as why:
        print(f"cannot run: {why}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        plane = Plane(binaries, Path(folder), kinds)
        try:
            plane.start()
            done, left = _soak(plane, random.Random(seed), given.seconds)
        except BaseException:
            print(plane.logs(), file=sys.stderr)
            raise
        finally:
            plane.stop()
    print("\n".join(left) or f"every status is right after {done} actions (seed {seed})")
    return 1 if left or not done else 0


def _soak(plane: Plane, chance: random.Random, seconds: float) -> tuple[int, list[str]]:
    """How many actions were done, and what is not as it should be in the end."""
    admin = plane.client()
    admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    users = Users(admin, chance)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with process(plane, NAMESPACE, "--no-leader-elect") as controller:
            until = min(end, time.monotonic() + chance.uniform(5, 40))
            while time.monotonic() < until:
                users.act()
                time.sleep(chance.uniform(0, 0.2))
            if chance.random() < 0.7:
                controller.kill()
        if chance.random() < 0.15:
            plane.kill_apiserver()
            time.sleep(chance.uniform(0, 2))
            plane.start_apiserver()
    logger.info("%s", dict(users.done))
    with process(plane, NAMESPACE, "--no-leader-elect"):
        try:
            eventually(lambda: not unsettled(admin, NAMESPACE), 60, 0.5)
        except AssertionError:
            return users.done.total(), unsettled(admin, NAMESPACE)
    return users.done.total(), []


if __name__ == "__main__":
    sys.exit(main())
