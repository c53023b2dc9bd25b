"""The replicas of a Training Operator's job, which become the nodes of one replicated job.

Master and Workers share one template there, so theirs must agree: the Master is node 0. Source:
Training Operator v1.9, ``pkg/controller.v1`` and the defaults of ``pkg/apis/kubeflow.org/v1``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from trainc import names
from trainc.edit.migration.hosts import Group, Hosts
from trainc.edit.migration.jobs import OldJob, containers_of, template_of
from trainc.edit.migration.part import Part, keep_comment, new
from trainc.edit.migration.renaming import Renaming
from trainc.edit.migration.restarts import RestartPolicy, Restarts, policy_of, restarts
from trainc.edit.migration.sequence import quoted

_ON_TRAINER = ("image", "command", "args", "env")


class Kind(NamedTuple):
    """A kind of job.

    Attributes:
        replicas: The key of its replicas.
        container: What its main container must be called.
        restart: The restartPolicy that the operator sets where none is written.
        types: Its kinds of replicas, the first node's first.
    """

    replicas: str
    container: str
    restart: RestartPolicy
    types: tuple[str, ...]


class Nodes:
    """The nodes of a job."""

    def __init__(self, old: OldJob, kind: Kind) -> None:
        """Takes the replicas of a job, and renames in their templates."""
        self.kind, self._old = kind, old
        replicas = old.spec.part(kind.replicas)
        self.parts = {each: replicas.part(each) for each in kind.types if replicas.node.get(each)}
        replicas.close()
        if not self.parts:
            wanted = " nor ".join(kind.types)
            old.spec.lose(f"has neither {wanted}" if len(kind.types) > 1 else f"has no {wanted}",
                          kind.replicas)  # fmt: skip
        self.groups: dict[str, Group] = {}
        for each, part in self.parts.items():
            count = part.number("replicas", 1)
            if count < 1:
                part.lose("must be at least 1", "replicas")
            self.groups[each.lower()] = Group(names.NODE, self.count, max(count, 1))
        self.hosts = Hosts(old.name, self.groups)
        renaming = Renaming(self.hosts, self.groups, old.lost)
        for each, part in self.parts.items():
            renaming.template(part, each.lower())
        self.restarts = self._restarts()

    @property
    def count(self) -> int:
        """How many nodes there are."""
        return sum(group.size for group in self.groups.values())

    @property
    def has_master(self) -> bool:
        """Whether a Master is written: then the operator told all of it."""
        return "master" in self.groups

    def _restarts(self) -> Restarts:
        """How the nodes start again; sees to it that all are alike."""
        parts = list(self.parts.values())
        policies = [policy_of(part, self.kind.restart) for part in parts]
        first, last = parts[0] if parts else None, parts[-1] if parts else None
        if first is None or last is None or first is last:
            return restarts(policies[0] if policies else "Never", self._old.limit)
        hint = "all nodes of a TrainJob have one template"
        kinds = " and ".join(self.parts)
        if policies[0] != policies[-1]:
            last.lose(f"{kinds} differ at restartPolicy", "restartPolicy", hint)
        path = _difference(_template(first), _template(last), ())
        if path is not None:
            where = ".".join(str(step) for step in ("template", *path))
            last.lose(f"{kinds} differ at {where}", "template", hint)
        return restarts(policies[0], self._old.limit)

    def template(self) -> tuple[dict[str, Any], Part | None, list[Any]]:
        """The pod template without containers, the main container, and all of them."""
        first = next(iter(self.parts.values()))
        template, spec = template_of(first)
        main, containers = containers_of(spec, template, self.kind.container)
        for part in self.parts.values():
            part.drop("template")
            part.close()
        if main is not None:
            keep_comment(spec.node, "containers", template["spec"], "containers")
        return template, main, containers

    def job(self, template: dict[str, Any], containers: list[Any], *, elastic: bool = False) -> Any:
        """The replicated job of all nodes."""
        template["spec"]["containers"] = containers
        labels = new(labels={names.ANCESTOR: names.TRAINER})
        spec = self.restarts.job(template, successPolicy=self._success(elastic))
        self._old.restart_all(self.restarts.job_set)
        return new(name=names.NODE, template=new(metadata=labels, spec=spec))

    def _success(self, elastic: bool) -> Mapping[str, Any] | None:
        """When the job has succeeded, where that is before all nodes have.

        The Master's end was the job's, and the first Worker's that of an elastic one.
        ``cleanPodPolicy: None`` lets the others run on, ``Running`` ends them.
        """
        if self._old.cleans != "Running" or self.count == 1:
            return None
        if self.has_master:
            return new(rules=[new(succeededIndexes=quoted("0"))])
        return new(rules=[new(succeededCount=1)]) if elastic else None


def trainer_of(
    containers: list[Any], main: Part, nodes: int, processes: int | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """``spec.trainer``, and the container that what it holds has left."""
    number = next(n for n, each in enumerate(containers) if each.get("name") == names.NODE)
    part, rest, trainer = Part(containers[number], main.path, main.lost), new(), new()
    for key in _ON_TRAINER:
        part.move(key, trainer)
    trainer["numNodes"] = nodes
    part.move("resources", trainer, "resourcesPerNode")
    if processes is not None:
        trainer["numProcPerNode"] = processes
    for key in part.node:
        if key not in (*_ON_TRAINER, "resources"):
            part.move(key, rest)
    containers[number] = rest
    return trainer, rest


def _template(replica: Part) -> Any:
    """What counts of a pod template: the operator wrote over its restartPolicy."""
    template = replica.node.get("template")
    if not isinstance(template, dict):
        return template
    kept = {key: value for key, value in template.items() if value not in (None, {})}
    spec = kept.get("spec")
    if isinstance(spec, dict):
        kept["spec"] = {key: value for key, value in spec.items() if key != "restartPolicy"}
    metadata = kept.pop("metadata", None)
    if isinstance(metadata, dict):
        left = ("creationTimestamp", "name")
        rest = {key: value for key, value in metadata.items() if key not in left}
        kept.update({"metadata": rest} if rest else {})
    return kept


def _difference(one: Any, other: Any, path: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The path of the first difference, None where there is none."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [*one, *(key for key in other if key not in one)]
        pairs = [(key, one.get(key), other.get(key)) for key in keys]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = [(n, a, b) for n, (a, b) in enumerate(zip(one, other, strict=True))]
    else:
        return None if one == other else path
    each = (_difference(a, b, (*path, key)) for key, a, b in pairs)
    return next((found for found in each if found is not None), None)
