"""``trainc controller``: the status controller, run in the cluster."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trainc.cli.cluster import all_named, named
from trainc.cli.extra import require
from trainc.cli.flags import check_features

if TYPE_CHECKING:
    from trainc.controller.progress.server import ProgressOptions

_HELP = """
Runs the status controller: it follows the JobSets that trainc built, writes the status of
their TrainJobs, ends them at their deadline, mints the Secrets they were built without and
receives their progress.

It uses the service account of its pod, or the kubeconfig of whoever starts it. Several may
run: a Lease decides which one works.

\b
Examples:
  trainc controller --namespace team-a --namespace team-b
      Serve two namespaces.
  trainc controller --context staging --no-leader-elect --log-format text
      Run it from a terminal against a cluster.

\b
Exit status:
  0  ended by SIGTERM or Ctrl-C
  1  no credentials, or an address is taken
  2  wrong usage, or trainc[controller] is not installed
"""


@click.command(help=_HELP, short_help="Run the status controller.")
@click.option(
    "--namespace",
    "namespaces",
    multiple=True,
    metavar="NS",
    callback=all_named,
    help="Serve this namespace only; may be repeated. Default: all.",
)
@click.option("--kubeconfig", type=click.Path(), help="Credentials to use outside a cluster.")
@click.option("--context", help="Context of the kubeconfig.")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=16,
    show_default=True,
    help="How many jobs are reconciled at a time.",
)
@click.option(
    "--leader-elect/--no-leader-elect",
    default=True,
    show_default=True,
    help="Work only while holding the Lease trainc-controller.",
)
@click.option(
    "--lease-namespace",
    metavar="NS",
    callback=named,
    help="Where the Lease is. Default: the pod's.",
)
@click.option(
    "--health",
    default="0.0.0.0:8081",
    show_default=True,
    metavar="HOST:PORT",
    help="Where /healthz, /readyz and /metrics are served.",
)
@click.option(
    "--progress",
    metavar="HOST:PORT",
    help="Receive progress reports here (the Service's port is 10443). Needs --progress-tls.",
)
@click.option(
    "--progress-tls",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="tls.crt, tls.key and ca.crt of the progress server; read again when they change.",
)
@click.option(
    "--progress-secret",
    metavar="NS/NAME",
    help="Make this Secret, mounted at --progress-tls, where it is not there.",
)
@click.option(
    "--progress-host",
    "progress_hosts",
    multiple=True,
    metavar="NAME",
    help="What the progress server's Service is called by, for --progress-secret.",
)
@click.option(
    "--compile/--no-compile",
    "compiles",
    default=False,
    show_default=True,
    help="Compile TrainJobs made straight in the cluster, as the Kubeflow SDK makes them.",
)
@click.option(
    "--feature",
    "features",
    multiple=True,
    metavar="NAME",
    help="With --compile: a feature that is on, as in trainc build.",
)
@click.option(
    "--log-format",
    type=click.Choice(["json", "text"]),
    default="json",
    show_default=True,
    help="Form of the log on stderr.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="How much is logged.",
)
def controller(
    namespaces: tuple[str, ...],
    kubeconfig: str | None,
    context: str | None,
    workers: int,
    leader_elect: bool,
    lease_namespace: str | None,
    health: str,
    progress: str | None,
    progress_tls: Path | None,
    progress_secret: str | None,
    progress_hosts: tuple[str, ...],
    compiles: bool,
    features: tuple[str, ...],
    log_format: str,
    log_level: str,
) -> int:
    """Runs the status controller until it is told to stop."""
    require("controller", "kubernetes", "prometheus_client", "uvicorn")
    if features and not compiles:
        raise click.UsageError("--feature needs --compile")
    check_features(features)
    from trainc.controller.controller import Options
    from trainc.controller.logs import configure
    from trainc.controller.main import own_namespace, run

    configure(log_format, log_level)
    host, port = _address(health)
    options = Options(
        namespaces=namespaces,
        workers=workers,
        lease_namespace=(lease_namespace or own_namespace() or "default") * leader_elect,
        identity=f"{socket.gethostname()}_{os.getpid()}",
        health_host=host,
        health_port=port,
        progress=_progress(progress, progress_tls, progress_secret, progress_hosts),
        compile=compiles,
        features=features,
    )
    return run(options, kubeconfig, context)


def _progress(
    address: str | None, folder: Path | None, secret: str | None, hosts: tuple[str, ...]
) -> ProgressOptions | None:
    from trainc.controller.progress.server import ProgressOptions

    if address is None:
        return None
    if folder is None:
        raise click.UsageError("--progress needs --progress-tls")
    namespace, _, name = (secret or "").partition("/")
    if secret and not (namespace and name and hosts):
        raise click.UsageError("--progress-secret is NS/NAME, and needs --progress-host")
    host, port = _address(address)
    made = (namespace, name) if secret else None
    return ProgressOptions(folder=folder, host=host, port=port, secret=made, hosts=hosts)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise click.UsageError(f"{text!r} is not HOST:PORT")
    return host.strip("[]"), int(port)
