"""Info: the job as policies see it. Holds the Spec; never the JobSet. Frozen; changes copy."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from trainc import names
from trainc.errors import Problem
from trainc.info.podset import PodSet
from trainc.spec.spec import Spec
from trainc.spec.trainjob import Path


class SecretRequest(NamedTuple):
    """A Secret or certificate the job needs and no manifest may hold.

    Attributes:
        name: The object's name.
        kind: How it is made: ``ssh``, ``curve``, ``ca`` (a ConfigMap), ``cache-auth``,
        ``cache-tls``.
    """

    name: str
    kind: str


class Info(NamedTuple):
    """The job on its way from policy to policy.

    Attributes:
        spec: What the user asked for; read-only.
        pod_sets: One for each replicated job, in order.
        objects: Further objects to print, without namespace; the plan adds what all share.
        secrets: Secrets the job needs.
        problems: What policies found on the way: warnings on quirks.
    """

    spec: Spec
    pod_sets: tuple[PodSet, ...]
    objects: tuple[Mapping[str, Any], ...] = ()
    secrets: tuple[SecretRequest, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def name(self) -> str:
        """The job's name, which is the JobSet's too."""
        return self.spec.job.name

    @property
    def trainer(self) -> PodSet | None:
        """The first pod set labelled ``trainer``: the one that policies configure."""
        return next((p for p in self.pod_sets if p.ancestor == names.TRAINER), None)

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
        return self.with_pod_sets(lambda old: pod_set if old.name == pod_set.name else old)

    def with_pod_sets(self, change: Callable[[PodSet], PodSet]) -> "Info":
        """The job with every pod set passed through ``change``."""
        return self._replace(pod_sets=tuple(change(pod_set) for pod_set in self.pod_sets))

    def with_object(self, manifest: Mapping[str, Any]) -> "Info":
        """The job with one more object to print."""
        return self._replace(objects=(*self.objects, manifest))

    def with_secret(self, name: str, kind: str) -> "Info":
        """The job with one more Secret that it needs."""
        return self._replace(secrets=(*self.secrets, SecretRequest(name, kind)))

    def with_quirk(self, name: str, path: Path, message: str) -> "Info":
        """The job with the warning that a quirk of the reference shapes its output."""
        return self._replace(problems=(*self.problems, *self.spec.quirk(name, path, message)))
