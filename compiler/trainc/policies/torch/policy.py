"""PyTorch: every node learns the node count, its rank and the first node's address.

torchrun reads the ``PET_*`` variables as defaults of its flags, so the user's command stays as it
is.
Source: ``pkg/runtime/framework/plugins/torch`` of v2.3.0, KEP-2170 and, for envInjection, KEP-3416.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from trainc import codes
from trainc.errors import Problem
from trainc.info.info import Info
from trainc.info.place import with_job_env
from trainc.info.podset import JOB_INDEX, Container, PodSet, env_items
from trainc.info.rendezvous import (
    PORT,
    first_host,
    noted,
    opened,
    partial,
    resources_of_node,
    silent,
)
from trainc.kube.resources import cpus, gpus
from trainc.policies.torch.torchtune import check_tune, is_tune, tuned
from trainc.policy import Policy

RESERVED = frozenset(
    {"PET_NNODES", "PET_NPROC_PER_NODE", "PET_NODE_RANK", "PET_MASTER_ADDR", "PET_MASTER_PORT"}
)

if TYPE_CHECKING:
    from annotated_types import Len


@dataclass(frozen=True)
class Target:
    """Containers beside the trainer that get the torchrun env too."""

    job_name: Annotated[str, Len(1, 253)]
    container_names: Annotated[tuple[str, ...], Len(1, 8)]


@dataclass(frozen=True)
class Injection:
    """``envInjection``: who else gets the torchrun env."""

    targets: Annotated[tuple[Target, ...], Len(0, 16)] = ()


@dataclass(frozen=True)
class Settings:
    """What a runtime may write under ``spec.mlPolicy.torch``."""

    env_injection: Injection = Injection()


def check(info: Info, settings: Settings) -> Iterator[Problem]:
    """Refuses reserved env, targets that are not there, and what torchtune cannot do."""
    spec = info.spec
    for index, item in enumerate(spec.job.env):
        if item["name"] in RESERVED:
            yield spec.problem(
                ("spec", "trainer", "env", index, "name"),
                f"{item['name']} is set by the torch policy and must not be set by a job",
                field="spec.trainer.env",
                code=codes.POLICY,
            )
    for target in settings.env_injection.targets:
        yield from _check_target(info, target)
    if is_tune(info):
        yield from check_tune(info)


def _check_target(info: Info, target: Target) -> Iterator[Problem]:
    pod_set = info.pod_set(target.job_name)
    have = {c.name for c in (*pod_set.containers, *pod_set.init_containers)} if pod_set else set()
    for name in target.container_names:
        if name not in have:
            yield info.spec.problem(
                ("spec", "runtimeRef"),
                f"mlPolicy.torch.envInjection of {info.spec.runtime.label} names container "
                f'"{name}" in job "{target.job_name}", which its template does not have',
                code=codes.POLICY,
            )


def enforce(info: Info, settings: Settings) -> Info:
    """Tells the trainer, and the containers named for injection, of their peers."""
    trainer = info.trainer
    if trainer is None:
        return _injected(info, settings, _env(info, None))
    info = partial(noted(info, trainer), trainer)
    env = _env(info, trainer)
    if not silent(info) and trainer.node is not None:
        tune = is_tune(info)
        if tune:
            info = tuned(info, trainer, _processes(info, trainer))
        info = with_job_env(info)
        kept = {k: v for k, v in env.items() if not (tune and k.startswith("PET_MASTER"))}
        info = _with_env(info, trainer.name, env_items(kept))
    return _injected(info, settings, env)


def _env(info: Info, trainer: PodSet | None) -> dict[str, str]:
    host = first_host(info, trainer) if trainer else f"{info.name}-node-0-0.{info.name}"
    return {
        "PET_NNODES": str(trainer.count if trainer else 1),
        "PET_NPROC_PER_NODE": str(_processes(info, trainer)),
        "PET_NODE_RANK": JOB_INDEX,
        "PET_MASTER_ADDR": host,
        "PET_MASTER_PORT": str(PORT),
    }


def _processes(info: Info, trainer: PodSet | None) -> int | str:
    """Processes of a node: the job's number, or torchrun's ``auto`` on GPUs, or one a CPU."""
    wanted = info.spec.job.trainer
    if wanted is not None and wanted.num_proc_per_node is not None:
        return wanted.num_proc_per_node
    resources = resources_of_node(info, trainer)
    if gpus(resources):
        return "auto"
    count = max(1, cpus(resources))
    if info.spec.compat.keeps("narrow-count"):
        return (count + 2**31) % 2**32 - 2**31
    return count


def _with_env(info: Info, name: str, items: Iterable[dict[str, Any]]) -> Info:
    pod_set = info.pod_set(name)
    if pod_set is None or pod_set.node is None:
        return info
    return info.with_pod_set(pod_set.with_node(opened(info, pod_set.node.with_env(items))))


def _injected(info: Info, settings: Settings, env: dict[str, str]) -> Info:
    items = env_items(env)
    for target in settings.env_injection.targets:
        pod_set = info.pod_set(target.job_name)
        if pod_set is None:
            continue

        def change(c: Container, wanted: tuple[str, ...] = target.container_names) -> Container:
            return c.with_env(items) if c.name in wanted else c

        info = info.with_pod_set(
            pod_set._replace(
                containers=tuple(change(c) for c in pod_set.containers),
                init_containers=tuple(change(c) for c in pod_set.init_containers),
            )
        )
    return info


POLICY = Policy(key="mlPolicy.torch", settings=Settings, enforce=enforce, check=check)
