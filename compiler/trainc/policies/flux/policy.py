"""Flux: every node starts a broker, the first one runs the command under ``flux run``.

Source: ``pkg/runtime/framework/plugins/flux`` of v2.3.0 and KEP-2841; controlplane facts 3.10.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from trainc import codes, names
from trainc.errors import Problem
from trainc.info.info import Info
from trainc.info.place import with_job_env, with_trainers
from trainc.info.podset import Container, PodSet, container
from trainc.info.rendezvous import partial, resources_of_node
from trainc.kube.resources import gpus
from trainc.policies.flux.scripts import Cluster, scripts
from trainc.policy import Policy

if TYPE_CHECKING:
    from annotated_types import Ge

INSTALLER: Final = "flux-installer"
_VIEW_IMAGE: Final = "ghcr.io/converged-computing/flux-view-ubuntu:tag-jammy"
_CONFIG_DIR: Final = "/etc/flux-config"


@dataclass(frozen=True)
class Settings:
    """What a runtime may write under ``spec.mlPolicy.flux``."""

    num_proc_per_node: Annotated[int, Ge(1)] = 1


def check(info: Info, settings: Settings) -> Iterator[Problem]:
    """Refuses a runtime that brings its own installer, and counts no cluster can have."""
    spec = info.spec
    workers = _nodes(info)
    if workers is not None and any(c.name == INSTALLER for c in workers.init_containers):
        message = f"{spec.runtime.label} has an init container {INSTALLER}, which the policy adds"
        yield spec.problem(
            ("spec", "runtimeRef"), message, field="spec.trainer.initContainers", code=codes.POLICY
        )
    if _tasks(info, settings) < 1:
        at = ("spec", "trainer", "numProcPerNode")
        yield spec.problem(
            at, f"must be at least 1, got {_tasks(info, settings)}", code=codes.POLICY
        )
    trainer = spec.job.trainer
    if spec.compat.keeps("flux-nodes") and (trainer is None or trainer.num_nodes is None):
        message = "v2.3.0 crashes on a Flux job without spec.trainer.numNodes"
        yield spec.problem(
            ("spec", "trainer", "numNodes"), message, hint="set it", code=codes.POLICY
        )


def enforce(info: Info, settings: Settings) -> Info:
    """Wraps the command, and gives every node the installer, the scripts and the shared key."""
    trainer = info.trainer
    info = partial(with_job_env(info), trainer)
    cluster = _cluster(info, settings)
    for quirk, message in _KEPT.items():
        info = info.with_quirk(quirk, ("spec", "runtimeRef"), message)
    keep_words = info.spec.compat.keeps("flux-quoting")
    first = trainer.node if trainer else None
    info = with_trainers(info, lambda node: _wrapped(info, node, first, keep_words))
    nodes = _nodes(info)
    if nodes is not None:
        info = info.with_pod_set(_equipped(info, nodes, cluster))
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"{info.name}-flux-entrypoint"},
        "data": scripts(cluster),
    }
    return info.with_object(config).with_secret(f"{info.name}{names.FLUX_CURVE_SUFFIX}", "curve")


_KEPT: Final = {
    "flux-quoting": "command and arguments are joined with spaces",
    "flux-exit-code": "a failed command looks complete",
    "flux-shm": "/dev/shm is read-only",
    "flux-gpus": "each task asks for all GPUs of its node",
}


def _nodes(info: Info) -> PodSet | None:
    """The pod set that runs the brokers."""
    if info.spec.compat.keeps("fixed-host"):
        return info.pod_set(names.NODE)
    return info.trainer


def _tasks(info: Info, settings: Settings) -> int:
    trainer = info.spec.job.trainer
    if trainer is not None and trainer.num_proc_per_node is not None:
        return trainer.num_proc_per_node
    return settings.num_proc_per_node


def _cluster(info: Info, settings: Settings) -> Cluster:
    trainer, compat = info.trainer, info.spec.compat
    options = _options(info)
    job = names.NODE if trainer is None or compat.keeps("fixed-host") else trainer.name
    tasks = _tasks(info, settings)
    per_node = gpus(resources_of_node(info, trainer))
    wanted = info.spec.job.trainer
    own = wanted.num_nodes if wanted and wanted.num_nodes is not None else 1
    return Cluster(
        name=info.name,
        namespace=info.spec.job.namespace,
        subdomain=info.name if compat.keeps("fixed-host") else info.subdomain,
        host_prefix=f"{info.name}-{job}-0-",
        nodes=trainer.count if trainer else own,
        tasks=tasks,
        gpus=per_node,
        gpus_per_task=per_node if compat.keeps("flux-gpus") else per_node // tasks,
        device=options.get("FLUX_NETWORK_DEVICE", "eth0"),
        queue=options.get("FLUX_QUEUE_POLICY", "fcfs"),
        keep_words=compat.keeps("flux-quoting"),
        mask_exit=compat.keeps("flux-exit-code"),
    )


def _options(info: Info) -> dict[str, str]:
    """The policy's settings: plain env of the first trainer's node, then the job's."""
    node = info.trainer.node if info.trainer else None
    own = node.raw.get("env", ()) if node else ()
    out = {item["name"]: item.get("value", "") for item in own if not item.get("valueFrom")}
    blind = info.spec.compat.keeps("flux-value-from")
    for item in info.spec.job.env:
        if blind or not item.get("valueFrom"):
            out[item["name"]] = item.get("value", "")
    return out


def _wrapped(info: Info, node: Container, first: Container | None, keep_words: bool) -> Container:
    """The container with its command run by the entry point.

    v2.3.0 joins the first trainer's command and the job's args into one word, for every trainer,
    and leaves the container's own args behind it.
    """
    entry = ("/bin/bash", f"{_CONFIG_DIR}/entrypoint.sh")
    if not keep_words:
        return node._replace(command=entry, args=(*(node.command or ()), *(node.args or ())))
    trainer = info.spec.job.trainer
    own_args = trainer.args if trainer and trainer.args is not None else ()
    given = trainer.command if trainer else None
    own = first.raw.get("command", ()) if first else ()
    words = own if given is None else given
    line = " ".join((*words, *own_args)).strip()
    raw_args = node.raw.get("args")
    return node._replace(command=(*entry, line), args=None if raw_args is None else tuple(raw_args))


def _equipped(info: Info, nodes: PodSet, cluster: Cluster) -> PodSet:
    entrypoint = f"{info.name}-flux-entrypoint"
    image = _options(info).get("FLUX_VIEW_IMAGE", _VIEW_IMAGE)
    scripts_mount = {"name": entrypoint, "mountPath": _CONFIG_DIR, "readOnly": True}
    installer = container(
        {
            "name": INSTALLER,
            **({"image": image} if image else {}),
            "command": ["/bin/bash", f"{_CONFIG_DIR}/init.sh"],
            "volumeMounts": [{"name": "flux-install", "mountPath": "/mnt/flux"}, scripts_mount],
        }
    )
    nodes = nodes._replace(init_containers=(*nodes.init_containers, installer))
    nodes = nodes.with_volumes(*_volumes(info.name, entrypoint))
    if nodes.node is None:
        return nodes
    shm: dict[str, Any] = {"name": "shared-memory", "mountPath": "/dev/shm"}
    if info.spec.compat.keeps("flux-shm"):
        shm["readOnly"] = True
    mounts = (
        {"name": "flux-install", "mountPath": "/mnt/flux"},
        {"name": "spack-install", "mountPath": "/opt/software"},
        scripts_mount,
        {"name": "flux-curve", "mountPath": "/curve", "readOnly": True},
        shm,
    )
    return nodes.with_node(nodes.node.with_mounts(*mounts))


def _volumes(name: str, entrypoint: str) -> tuple[dict[str, Any], ...]:
    secret = {"secretName": f"{name}{names.FLUX_CURVE_SUFFIX}", "defaultMode": 0o400}
    return (
        {"name": "spack-install", "emptyDir": {}},
        {"name": "flux-install", "emptyDir": {}},
        {"name": entrypoint, "configMap": {"name": entrypoint, "defaultMode": 0o755}},
        {"name": "shared-memory", "emptyDir": {"medium": "Memory"}},
        {"name": "flux-curve", "secret": secret},
    )


POLICY = Policy(key="mlPolicy.flux", settings=Settings, enforce=enforce, check=check)
