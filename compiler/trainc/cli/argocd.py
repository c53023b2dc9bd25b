"""``trainc argocd``: what Argo CD needs to know of compiled objects, ready to be applied.

In: flags, and for ``generate`` the environment Argo CD gives a plugin. Out: YAML, JSON or manifests
on stdout.
"""

import os
from typing import Any

import click

from trainc.cli.options import reporting
from trainc.cli.output import write_out
from trainc.cli.report import Report

UNTIL = click.option(
    "--until",
    type=click.Choice(["finished", "started"]),
    default="finished",
    show_default=True,
    help="When a training counts as done: at its end, or once its pods run.",
)

_HEALTH = """
Prints health checks for JobSet, TrainJob, LeaderWorkerSet and PodGroup.

Argo CD has none for these kinds, so a failed training leaves an Application Healthy. The output
is a patch of the ConfigMap argocd-cm: finished is Healthy, failed is Degraded, what waits in a
Kueue queue does not hold up a sync wave.

\b
Examples:
  kubectl patch -n argocd configmap argocd-cm --patch "$(trainc argocd health)"
  trainc argocd health --until started
      A sync ends when the training has begun, not days later.
"""

_GENERATE = """
Builds PATH... as Argo CD asks its plugins to: options come from the Application's parameters
and from ARGOCD_ENV_TRAINC_* variables. Printing nothing is an error: Argo CD would remove every
object. No file outside of the repository is read.
"""


@click.group(short_help="Health checks, drift rules and the plugin for Argo CD.")
def argocd() -> None:
    """What Argo CD must know to sync compiled trainings: print it, apply it once."""


@argocd.command(help=_HEALTH, short_help="Print health checks (Lua) for argocd-cm.")
@UNTIL
@reporting
def health(until: Any) -> None:
    """Prints a patch of ``argocd-cm``."""
    from trainc.gitops.health import customizations
    from trainc.manifest.emit import emit

    write_out([emit(customizations(until))])


@argocd.command("ignore-differences", short_help="Print what Kueue and webhooks may change.")
@reporting
def ignore_differences() -> None:
    """Prints the part of an Application's spec that stops it from fighting with Kueue."""
    from trainc.gitops.drift import argocd_ignore
    from trainc.manifest.emit import emit

    write_out([emit(argocd_ignore())])


@argocd.command(short_help="Print the config management plugin.")
@reporting
def plugin() -> None:
    """Prints plugin.yaml of the sidecar that runs trainc inside Argo CD's repo server."""
    from trainc.gitops.plugin import plugin as definition
    from trainc.manifest.emit import emit

    write_out([emit(definition())])


@argocd.command(short_help="Print the parameters the plugin takes, as JSON.")
@reporting
def parameters() -> None:
    """Prints what Argo CD's UI offers for an Application that uses the plugin."""
    import json

    from trainc.gitops.plugin import announcements

    write_out([json.dumps(announcements(_build_options()), indent=2) + "\n"])


@argocd.command(help=_GENERATE, short_help="Build as Argo CD's plugin; what plugin.yaml runs.")
@click.argument("inputs", nargs=-1, metavar="[PATH]...")
@reporting
@click.pass_obj
def generate(report: Report, /, inputs: tuple[str, ...]) -> int:
    """Builds with the options of the request; returns the exit status."""
    from trainc.cli.build import build
    from trainc.gitops.plugin import arguments
    from trainc.gitops.repository import repository

    root = report.root = repository(".", os.environ)
    given = arguments(os.environ, _build_options(), root)
    args = ["--profile", "argocd", *given, "--", *(inputs or (".",))]
    status: int = build.main(args, "trainc build", standalone_mode=False, obj=report)
    return status


def _build_options() -> list[str]:
    """The names of the options of ``trainc build``, without dashes."""
    from trainc.cli.build import build

    return [name.removeprefix("--") for each in build.params for name in each.opts]
