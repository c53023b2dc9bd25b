"""A repository of trainings that an engine follows: each push is built, committed and applied."""

from __future__ import annotations

from abc import ABC, abstractmethod

from tests.cluster.client import eventually
from tests.cluster.jobs import Json
from tests.engines import kueue
from tests.engines.argocd import Application, ArgoCD
from tests.engines.flux import Flux, Sync, ready
from tests.engines.git import Repository
from tests.engines.project import Project, jobset_of

QUIET = 6  # seconds in which a fight writes dozens of times
QUEUED = {kueue.QUEUE: "team"}
_INTERVAL = "2s"  # instead of the example's 10m: as many reconciles in those seconds
_TIMEOUT = "10s"  # of health checks, instead of 30m


class Synced(Project, ABC):
    """A project in a Git repository that an engine follows."""

    profile = ""

    def __init__(self, repository: Repository, namespace: str, **settings: str) -> None:
        """Nothing is committed so far."""
        settings = {"profile": self.profile, "on_change": "rename", **settings}
        super().__init__(repository.folder, namespace, **settings)
        self.repository = repository
        self.objects: list[Json] = []

    def commit(self, *jobs: Json, message: str = "change") -> str:
        """Writes the jobs, builds and commits; the revision."""
        self.write(*jobs)
        self.objects = self.build()
        return self.repository.commit(message)

    def push(self, *jobs: Json, message: str = "change") -> Json:
        """The same, and waits until the engine has applied or refused it; the engine's object."""
        return self.follow(self.commit(*jobs, message=message))

    def jobset(self, job: str = "m") -> str:
        """The name of the JobSet that was compiled from a TrainJob."""
        return jobset_of(self.objects, job)

    @abstractmethod
    def follow(self, revision: str) -> Json:
        """Lets the engine reconcile a commit."""

    @abstractmethod
    def again(self) -> None:
        """Lets it reconcile once more what has not changed."""

    @abstractmethod
    def assert_synced(self) -> None:
        """Fails with what the engine says where the last commit was not applied."""

    @abstractmethod
    def refusal(self) -> str:
        """What the engine says of an apply that failed, or nothing."""

    @abstractmethod
    def delete(self) -> None:
        """Ends the following; all that was applied is pruned."""


class SyncedByFlux(Synced):
    """By the example Kustomization."""

    profile = "flux"

    def __init__(self, flux: Flux, repository: Repository, namespace: str, **settings: str) -> None:
        """Nothing is committed so far."""
        super().__init__(repository, namespace, **settings)
        self._flux = flux
        self.following: Sync | None = None

    def follow(self, revision: str) -> Json:
        """Lets Flux reconcile a commit; the Kustomization."""
        if self.following is None:
            self.following = self._flux.sync_git(self.namespace, self.repository.url)
            self.following.patch(interval=_INTERVAL, timeout=_TIMEOUT)
        return self.following.reconcile(revision)

    def again(self) -> None:
        """``flux reconcile``, twice."""
        for _ in range(2):
            assert_ready(self.sync.reconcile())

    def assert_synced(self) -> None:
        """Waits until the Kustomization is ready."""
        assert_ready(eventually(self._settled, 60))

    def refusal(self) -> str:
        """The message of the Kustomization that is not ready."""
        status, why = ready(self.sync.kustomization())
        return why if status == "False" else ""

    def delete(self) -> None:
        """Deletes the Kustomization."""
        if self.following is not None:
            self.following.delete()

    @property
    def sync(self) -> Sync:
        """What follows the repository."""
        assert self.following is not None
        return self.following

    def _settled(self) -> Json | None:
        now = self.sync.kustomization()
        return now if ready(now)[0] in ("True", "False") else None


class SyncedByArgoCD(Synced):
    """By the example Application."""

    profile = "argocd"

    def __init__(
        self, argocd: ArgoCD, repository: Repository, namespace: str, **settings: str
    ) -> None:
        """Nothing is committed so far."""
        super().__init__(repository, namespace, **settings)
        self._argocd = argocd
        self.application: Application | None = None

    def start(self) -> Application:
        """The Application, made by the first call."""
        if self.application is None:
            url = self.repository.url
            self.application = self._argocd.sync(self.namespace, url, self.namespace)
        return self.application

    def follow(self, revision: str) -> Json:
        """Lets Argo CD sync a commit; the Application's status."""
        return self.start().synced(revision)

    def again(self) -> None:
        """A hard refresh, and a commit without a change."""
        self.app.refresh("hard")
        self.push(message="nothing")
        self.assert_synced()

    def assert_synced(self) -> None:
        """Looks at the last operation and the comparison after it."""
        assert_synced(self.app.get()["status"])

    def refusal(self) -> str:
        """The message of the last operation, if an object was not applied."""
        operation = self.app.get().get("status", {}).get("operationState", {})
        results = operation.get("syncResult", {}).get("resources", [])
        return "; ".join(e["message"] for e in results if e.get("status") == "SyncFailed")

    def delete(self) -> None:
        """Deletes the Application."""
        if self.application is not None:
            self.application.delete()

    @property
    def app(self) -> Application:
        """What follows the repository."""
        assert self.application is not None
        return self.application


def assert_ready(kustomization: Json) -> None:
    """Fails with what Flux says where it is not ready."""
    status, why = ready(kustomization)
    assert status == "True", why


def assert_synced(status: Json) -> None:
    """Fails with what Argo CD says where the sync did not succeed."""
    operation = status["operationState"]
    assert operation["phase"] == "Succeeded", operation.get("message")
    assert status["sync"]["status"] == "Synced"
