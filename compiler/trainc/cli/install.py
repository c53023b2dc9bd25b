"""``trainc install``: the manifests that put the controller into a cluster."""

from __future__ import annotations

import re

import click

from trainc.cli.flags import check_features
from trainc.cli.options import reporting
from trainc.cli.output import write_out
from trainc.names import IMAGE_PREFIX

_HELP = """
Prints what a cluster needs to run the status controller: kinds, admission policies, rights
and the Deployment. Nothing is sent anywhere.

\b
Examples:
  trainc install | kubectl apply --server-side -f -
      Serve every namespace.
  trainc install --namespaced -n team-a -n team-b > install.yaml
      Serve two namespaces, with rights in these only.
  trainc install --compile --runtimes --no-crds
      Compile TrainJobs made in the cluster (Kubeflow SDK); the kinds are
      those of the operator that was there before.

Deleting what this prints ends the controller; jobs that run keep running. Deleting the kinds
deletes the TrainJobs: leave them out with --no-crds.
"""


_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
# A registry, with a port or not, and folders: what may stand before an image's own name.
_PREFIX = re.compile(r"[a-z0-9]+([._-]+[a-z0-9]+)*(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*/?")


@click.command(help=_HELP, short_help="Print what runs the controller in a cluster.")
@click.option("--namespaced", is_flag=True, help="Rights in the namespaces of -n only.")
@click.option(
    "-n",
    "--namespace",
    "namespaces",
    multiple=True,
    metavar="NS",
    help="With --namespaced: serve this one; may be repeated. Default: default.",
)
@click.option("--compile", "compiles", is_flag=True, help="Compile TrainJobs made in the cluster.")
@click.option(
    "--feature",
    "features",
    multiple=True,
    metavar="NAME",
    help="With --compile: a feature that is on, such as TrainJobStatus; may be repeated.",
)
@click.option("--no-crds", is_flag=True, help="Without the kinds.")
@click.option("--runtimes", "with_runtimes", is_flag=True, help="With the stock library.")
@click.option("--service-monitor", is_flag=True, help="With a ServiceMonitor for Prometheus.")
@click.option(
    "--image-prefix", default=IMAGE_PREFIX, show_default=True, help="Where images come from."
)
@reporting
def install(
    namespaced: bool,
    namespaces: tuple[str, ...],
    compiles: bool,
    features: tuple[str, ...],
    no_crds: bool,
    with_runtimes: bool,
    service_monitor: bool,
    image_prefix: str,
) -> int:
    """Prints the manifests."""
    if namespaces and not namespaced:
        raise click.UsageError("--namespace needs --namespaced")
    if features and not compiles:
        raise click.UsageError("--feature needs --compile")
    _check(namespaces, features, image_prefix)
    from trainc.install.install import Installation, objects
    from trainc.manifest.emit import emit

    chosen = tuple(dict.fromkeys(namespaces)) or ("default",)
    wanted = Installation(
        namespaces=chosen if namespaced else (),
        compiles=compiles,
        features=tuple(dict.fromkeys(features)),
        with_crds=not no_crds,
        with_runtimes=with_runtimes,
        monitored=service_monitor,
        image_prefix=image_prefix,
    )
    write_out(["---\n".join(emit(manifest) for manifest in objects(wanted))])
    return 0


def _check(namespaces: tuple[str, ...], features: tuple[str, ...], image_prefix: str) -> None:
    """Refuses what a cluster would refuse, or the controller when it starts."""
    for namespace in namespaces:
        if not _LABEL.fullmatch(namespace):
            raise click.UsageError(f"no namespace can be called {namespace!r}")
    check_features(features)
    if not _PREFIX.fullmatch(image_prefix):
        raise click.UsageError(f"--image-prefix {image_prefix!r} begins no image's name")
