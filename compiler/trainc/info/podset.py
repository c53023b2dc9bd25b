"""PodSet and Container: the pods of a replicated job as policies see them. Changes copy."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from trainc import names
from trainc.kube.upsert import Items, upsert, with_port

_EMPTY: Mapping[str, Any] = {}
_new = tuple.__new__  # half the cost of a named tuple's own _make


class FieldPath(str):
    """The value of an env variable that the kubelet fills in from a field of the pod."""

    __slots__ = ()


# The rank of a pod among its siblings.
JOB_INDEX = FieldPath(names.JOB_INDEX_FIELD)


class Container(NamedTuple):
    """A container or init container.

    Attributes:
        raw: As the template has it; the JobSet builder writes the other attributes over it.
        name: Its name.
        image: The image, None where there is none; a job may clear it with an empty one.
        command: The command, None where the image's own is meant.
        args: The arguments, None where the image's own are meant.
        env: Environment variables, in order.
        env_from: Whole Secrets and ConfigMaps as environment.
        ports: Ports, in order.
        mounts: Volume mounts, in order.
        resources: Limits, requests and claims.
    """

    raw: Mapping[str, Any]
    name: str
    image: str | None
    command: tuple[str, ...] | None
    args: tuple[str, ...] | None
    env: Items
    env_from: Items
    ports: Items
    mounts: Items
    resources: Mapping[str, Any]

    def with_env(self, items: Iterable[Mapping[str, Any]]) -> "Container":
        """The container with each variable set, in place where it has one of that name."""
        items = list(items)
        # What stands there already, as the job's env does when it is set for the last time.
        if self.env and {*map(id, items)} <= {*map(id, self.env)}:
            return self
        return _new(Container, (*self[:5], upsert(self.env, items, "name"), *self[6:]))

    def with_mounts(self, *mounts: Mapping[str, Any]) -> "Container":
        """The container with each mount set, in place where something is mounted at its path."""
        return self._replace(mounts=upsert(self.mounts, mounts, "mountPath"))


def container(raw: Mapping[str, Any]) -> Container:
    """Reads one container of a template."""
    get = raw.get
    command, args = get("command"), get("args")
    return Container(
        raw,
        get("name", ""),
        get("image"),
        None if command is None else tuple(command),
        None if args is None else tuple(args),
        tuple(get("env", ())),
        tuple(get("envFrom", ())),
        tuple(get("ports", ())),
        tuple(get("volumeMounts", ())),
        get("resources", _EMPTY),
    )


class PodSet(NamedTuple):
    """The pods of one replicated job: ``count`` equal pods in each of its ``replicas`` Jobs.

    Attributes:
        raw: The replicated job as the template has it.
        name: Its name, which is part of every pod's host name.
        ancestor: Value of the ancestor label: trainer, dataset-initializer, ...; empty for none.
        count: Pods of one Job.
        containers: The containers, in order.
        init_containers: The init containers, in order.
        volumes: The pod's volumes, in order.
        pod_labels: Labels to add to the pod template.
        pod_annotations: Annotations to add to the pod template.
    """

    raw: Mapping[str, Any]
    name: str
    ancestor: str
    count: int  # type: ignore[assignment]  # the field's word; tuple.count is not used here
    containers: tuple[Container, ...]
    init_containers: tuple[Container, ...]
    volumes: Items
    pod_labels: Mapping[str, str] = _EMPTY
    pod_annotations: Mapping[str, str] = _EMPTY

    @property
    def replicas(self) -> int:
        """How many Jobs JobSet makes of it."""
        replicas: int = self.raw.get("replicas", 1)
        return replicas

    @property
    def pod(self) -> Mapping[str, Any]:
        """The pod spec as the template has it."""
        spec: Mapping[str, Any] = self.raw["template"]["spec"]["template"].get("spec", _EMPTY)
        return spec

    @property
    def node(self) -> Container | None:
        """The container that trains, or None where the job has none of that name."""
        for each in self.containers:  # asked ten times a job; a generator is twice as slow
            if each.name == names.NODE:
                return each
        return None

    def with_count(self, count: int) -> "PodSet":
        """The pod set with that many pods."""
        return self._replace(count=count)

    def with_node(self, node: Container) -> "PodSet":
        """The pod set with every container named ``node`` as given (there is one at most)."""
        containers = tuple([node if c.name == names.NODE else c for c in self.containers])
        return _new(PodSet, (*self[:4], containers, *self[5:]))  # a third of _replace's cost

    def with_env(self, /, **env: str) -> "PodSet":
        """The pod set with these variables set in the container that trains."""
        node = self.node
        return self if node is None else self.with_node(node.with_env(env_items(env)))

    def with_port(self, port: int) -> "PodSet":
        """The pod set with a TCP port open in the container that trains."""
        node = self.node
        if node is None:
            return self
        item = {"containerPort": port, "protocol": "TCP"}
        return self.with_node(node._replace(ports=with_port(node.ports, item)))

    def with_volumes(self, *volumes: Mapping[str, Any]) -> "PodSet":
        """The pod set with each volume set, in place where it has one of that name."""
        return self._replace(volumes=upsert(self.volumes, volumes, "name"))


def env_items(env: Mapping[str, str]) -> list[dict[str, Any]]:
    """Env variables as Kubernetes has them; a FieldPath becomes a fieldRef."""
    return [_field_item(*e) if isinstance(e[1], FieldPath) else _item(*e) for e in env.items()]


# Many jobs set the same few variables: the same objects, which the emitter prints once.
@lru_cache(1024)
def _item(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "value": value}


@lru_cache(64)
def _field_item(name: str, value: FieldPath) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": str(value)}}}
