"""Info: the job as policies see it. Holds the Spec; never the JobSet. Frozen; changes copy."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from trainc import names
from trainc.errors import Problem
from trainc.info.podset import PodSet
from trainc.spec.spec import Spec
from trainc.spec.trainjob import Path

_new = tuple.__new__  # half the cost of a named tuple's own _make


class SecretRequest(NamedTuple):
    """A Secret or certificate the job needs and no manifest may hold.

    Attributes:
        name: The object's name.
        kind: How it is made: ``ssh``, ``curve``, ``ca`` (a ConfigMap), ``cache-auth``,
        ``cache-tls``.
    """

    name: str
    kind: str


class CacheUse(NamedTuple):
    """The data cache a job reads.

    Attributes:
        name: What its objects are called after.
        shared: Whether other jobs use it too, so that it does not end with this one.
    """

    name: str
    shared: bool


class Info(NamedTuple):
    """The job on its way from policy to policy.

    Attributes:
        spec: What the user asked for; read-only.
        pod_sets: One for each replicated job, in order.
        objects: Further objects to print, without namespace; the plan adds what all share.
        secrets: Secrets the job needs.
        problems: What policies found on the way: warnings on quirks.
        shared: Further objects that several jobs make alike, and the first of them prints.
        cache: The data cache that is compiled for the job; None where there is none.
    """

    spec: Spec
    pod_sets: tuple[PodSet, ...]
    objects: tuple[Mapping[str, Any], ...] = ()
    secrets: tuple[SecretRequest, ...] = ()
    problems: tuple[Problem, ...] = ()
    shared: tuple[Mapping[str, Any], ...] = ()
    cache: CacheUse | None = None

    @property
    def name(self) -> str:
        """The job's name, which is the JobSet's too."""
        return self.spec.job.name

    @property
    def trainer(self) -> PodSet | None:
        """The first pod set labelled ``trainer``: the one that policies configure."""
        for each in self.pod_sets:  # asked ten times a job; a generator is twice as slow
            if each.ancestor == names.TRAINER:
                return each
        return None

    @property
    def subdomain(self) -> str:
        """The domain the pods' host names end in: the headless Service JobSet makes."""
        network = self.spec.template.spec.get("network") or {}
        return network.get("subdomain") or self.name

    def pod_set(self, name: str) -> PodSet | None:
        """The pod set of that name, or None."""
        return next((p for p in self.pod_sets if p.name == name), None)

    def host(self, pod_set: PodSet, pod: int = 0, replica: int = 0) -> str:
        """The host name of one pod, as JobSet gives it: JOB-RJOB-REPLICA-POD.SUBDOMAIN."""
        return f"{self.name}-{pod_set.name}-{replica}-{pod}.{self.subdomain}"

    def hosts(self, pod_set: PodSet) -> Iterable[str]:
        """The host names of all pods of a pod set, replica by replica."""
        for replica in range(pod_set.replicas):
            for pod in range(pod_set.count):
                yield self.host(pod_set, pod, replica)

    def with_pod_set(self, pod_set: PodSet) -> "Info":
        """The job with the pod set of that name replaced."""
        name = pod_set.name
        return self._with([pod_set if old.name == name else old for old in self.pod_sets])

    def with_pod_sets(self, change: Callable[[PodSet], PodSet]) -> "Info":
        """The job with every pod set passed through ``change``."""
        return self._with(map(change, self.pod_sets))

    def _with(self, pod_sets: Iterable[PodSet]) -> "Info":
        """``_replace(pod_sets=...)`` at a third of its cost: every policy asks several times."""
        return _new(Info, (self.spec, tuple(pod_sets), *self[2:]))

    def with_object(self, manifest: Mapping[str, Any]) -> "Info":
        """The job with one more object to print."""
        return self._replace(objects=(*self.objects, manifest))

    def with_secret(self, name: str, kind: str) -> "Info":
        """The job with one more Secret that it needs."""
        return self._replace(secrets=(*self.secrets, SecretRequest(name, kind)))

    def with_quirk(self, name: str, path: Path, message: str) -> "Info":
        """The job with the warning that a quirk of the reference shapes its output."""
        return self._replace(problems=(*self.problems, *self.spec.quirk(name, path, message)))
