"""A repository of trainings that Flux follows: each push is built, committed and reconciled."""

from __future__ import annotations

from tests.cluster.jobs import Json
from tests.engines import kueue
from tests.engines.flux import Flux, Sync, ready
from tests.engines.git import Repository
from tests.engines.project import Project, jobset_of

QUIET = 6  # seconds in which a fight writes dozens of times
QUEUED = {kueue.QUEUE: "team"}
_INTERVAL = "2s"  # instead of the example's 10m: as many reconciles in those seconds
_TIMEOUT = "10s"  # of health checks, instead of 30m


class Synced(Project):
    """A project in a Git repository that Flux follows."""

    def __init__(self, flux: Flux, repository: Repository, namespace: str, **settings: str) -> None:
        """Nothing is committed so far."""
        settings = {"profile": "flux", "on_change": "rename", **settings}
        super().__init__(repository.folder, namespace, **settings)
        self._flux = flux
        self._repository = repository
        self.objects: list[Json] = []
        self.following: Sync | None = None

    def push(self, *jobs: Json, message: str = "change") -> Json:
        """Writes the jobs, builds, commits, and lets Flux reconcile; the Kustomization after it."""
        self.write(*jobs)
        self.objects = self.build()
        return self.follow(self._repository.commit(message))

    def follow(self, revision: str) -> Json:
        """Lets Flux reconcile a commit."""
        if self.following is None:
            self.following = self._flux.sync_git(self.namespace, self._repository.url)
            self.following.patch(interval=_INTERVAL, timeout=_TIMEOUT)
        return self.following.reconcile(revision)

    @property
    def sync(self) -> Sync:
        """What follows the repository."""
        assert self.following is not None
        return self.following

    def jobset(self, job: str = "m") -> str:
        """The name of the JobSet that was compiled from a TrainJob."""
        return jobset_of(self.objects, job)


def assert_ready(kustomization: Json) -> None:
    """Fails with what Flux says where it is not ready."""
    status, why = ready(kustomization)
    assert status == "True", why
