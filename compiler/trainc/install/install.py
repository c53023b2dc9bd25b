"""Everything an installation holds, in the order a cluster can take it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trainc.install.admission import admission
from trainc.install.crd import crds
from trainc.install.rbac import own_rights, rights
from trainc.install.runtimes import runtimes
from trainc.install.workload import service_monitor, workload
from trainc.names import IMAGE_PREFIX
from trainc.version import __version__

Json = dict[str, Any]


@dataclass(frozen=True)
class Installation:
    """What is wanted.

    Attributes:
        namespaces: Whose jobs are served; empty for all.
        compiles: Whether TrainJobs made in the cluster are compiled there.
        features: Features that are on for those.
        with_crds: Whether the kinds are part of it.
        with_runtimes: Whether the stock library is.
        monitored: Whether Prometheus' operator is told of it.
        image_prefix: Where images come from.
    """

    namespaces: tuple[str, ...] = ()
    compiles: bool = False
    features: tuple[str, ...] = ()
    with_crds: bool = True
    with_runtimes: bool = False
    monitored: bool = False
    image_prefix: str = IMAGE_PREFIX


def objects(wanted: Installation) -> list[Json]:
    """The manifests."""
    prefix = wanted.image_prefix.rstrip("/")
    namespace, *rest = base(prefix, arguments(wanted))
    return [
        namespace,
        *(crds() if wanted.with_crds else []),
        *admission(),
        *rights(wanted.namespaces, wanted.compiles),
        *rest,
        *(runtimes(prefix) if wanted.with_runtimes else []),
        *([service_monitor()] if wanted.monitored else []),
    ]


def base(prefix: str, said: Sequence[str]) -> list[Json]:
    """What every installation has: the workload, and its rights in its own namespace."""
    namespace, account, *rest = workload(f"{prefix}/controller:v{__version__}", said)
    return [namespace, account, *own_rights(), *rest]


def arguments(wanted: Installation) -> list[str]:
    """What the controller is told beside what every installation tells it."""
    said = [f"--namespace={namespace}" for namespace in wanted.namespaces]
    if wanted.compiles:
        said += ["--compile", *(f"--feature={name}" for name in wanted.features)]
    return said
