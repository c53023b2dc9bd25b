"""``trainc status``, ``logs``, ``suspend`` and ``resume``: a cluster's jobs at a terminal."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import click

from trainc import codes
from trainc.cli.cluster import cluster_options, named
from trainc.cli.extra import require
from trainc.cli.options import reporting
from trainc.cli.output import write_out
from trainc.errors import Problem, TraincError

if TYPE_CHECKING:
    from trainc.controller.api import Api
    from trainc.controller.console.jobs import Job

_EVERY = 2.0  # seconds between looks with --watch

_STATUS_HELP = """
Prints how jobs are: state, progress, time to go, restarts, pods and age.

A job is a TrainJob, or a JobSet that trainc built without its TrainJob. The newest come first.
With a NAME the conditions and the pods are printed too, and why a pod is not well. A last line on
stderr counts the jobs by state.

\b
Examples:
  trainc status
  trainc status -A -o wide
  trainc status mnist --watch
  trainc status -A --state Failed --state Stalled
  trainc status -o json | jq '.[] | select(.state == "Failed")'

\b
Exit status:
  0  printed
  1  there is no such job, or the cluster refused
  2  wrong usage, or trainc[controller] is not installed
"""


@click.command(help=_STATUS_HELP, short_help="Print how jobs in a cluster are.")
@click.argument("name", required=False, callback=named)
@cluster_options
@click.option("-A", "--all-namespaces", is_flag=True, help="Jobs of all namespaces.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "wide", "json"]),
    default="table",
    show_default=True,
    help="Form of the output.",
)
@click.option(
    "--state",
    "states",
    type=click.Choice(
        ["Complete", "Failed", "Stalled", "Suspended", "Running", "Pending"], case_sensitive=False
    ),
    multiple=True,
    help="Only jobs in that state. May be repeated.",
)
@click.option("-w", "--watch", is_flag=True, help="Print again whenever something changed.")
@reporting
def status(
    name: str | None,
    kubeconfig: str | None,
    context: str | None,
    namespace: str | None,
    all_namespaces: bool,
    output: str,
    states: tuple[str, ...],
    watch: bool,
) -> int:
    """Prints how jobs are."""
    from trainc.cli.table import rendered

    if name and all_namespaces:
        raise click.UsageError("NAME and --all-namespaces exclude each other")
    api, own = _cluster(kubeconfig, context)
    where = "" if all_namespaces else namespace or own
    before: str | None = None
    while True:
        look = partial(_jobs, api, where, name or "")
        with _refusals():
            found = look() if before is None else _patient(look)
        shown = [job for job in found if not states or job.state in states]
        text = rendered(shown, output, bool(name), all_namespaces, datetime.now(UTC))
        if output != "json" and text != before and not name:
            click.echo(_summary(found, shown, where), err=True)
        if text != before:
            _print(text, again=before is not None)
        if not watch:
            return 0
        before = text
        time.sleep(_EVERY)


_LOGS_HELP = """
Prints the logs of a job: of its first trainer, or of the pods asked for.

\b
Examples:
  trainc logs mnist -f
  trainc logs mnist --rank 3 --tail 100
  trainc logs mnist --all
  trainc logs mnist --step dataset-initializer
"""


@click.command(help=_LOGS_HELP, short_help="Print the logs of a job.")
@click.argument("name", callback=named)
@cluster_options
@click.option("--step", metavar="JOB", default="", help="Replicated job. Default: what trains.")
@click.option("--rank", type=click.IntRange(0), default=0, show_default=True, help="Which pod.")
@click.option("--all", "every", is_flag=True, help="All pods of the step, each line named.")
@click.option("-c", "--container", default="", help="Container. Default: the one that trains.")
@click.option("-f", "--follow", is_flag=True, help="Wait for more.")
@click.option("--tail", type=click.IntRange(0), help="Only the last lines.")
@click.option("--previous", is_flag=True, help="Of the container before its restart.")
@reporting
def logs(
    name: str,
    kubeconfig: str | None,
    context: str | None,
    namespace: str | None,
    step: str,
    rank: int,
    every: bool,
    container: str,
    follow: bool,
    tail: int | None,
    previous: bool,
) -> int:
    """Prints the logs of a job."""
    api, own = _cluster(kubeconfig, context)
    from trainc.controller.console.logs import Wanted, lines, pods_of

    wanted = Wanted(step, None if every else rank, container, follow, tail, previous)
    if every and follow:
        raise click.UsageError("--all and --follow exclude each other: name a --rank to follow")
    with _refusals():
        (job,) = _jobs(api, namespace or own, name)
        chosen = pods_of(job, wanted)
        if not chosen:
            raise TraincError(
                [Problem(f"{name} has no such pod", codes.NOT_FOUND, hint="see 'trainc status'")]
            )
        for pod in chosen:
            for line in lines(api, job.namespace, pod, wanted):
                write_out([f"{pod.name}: {line}\n" if every else f"{line}\n"])
    return 0


@click.command(short_help="Suspend a job: its pods go, it stays.")
@click.argument("name", callback=named)
@cluster_options
@reporting
def suspend(name: str, kubeconfig: str | None, context: str | None, namespace: str | None) -> int:
    """Suspends a job: its pods are deleted, the job stays and can be resumed.

    What Git says wins in the end: where a GitOps tool manages spec.suspend, suspend it there. A job
    in a queue of Kueue's is held by spec.active of its Workload, which needs the right to patch it.
    """
    return _steer(name, kubeconfig, context, namespace, True)


@click.command(short_help="Resume a suspended job.")
@click.argument("name", callback=named)
@cluster_options
@reporting
def resume(name: str, kubeconfig: str | None, context: str | None, namespace: str | None) -> int:
    """Resumes a suspended job: its pods are made anew; its deadline begins anew.

    A job in a queue of Kueue's begins when Kueue admits it.
    """
    return _steer(name, kubeconfig, context, namespace, False)


def _summary(jobs: Sequence[Job], shown: Sequence[Job], namespace: str) -> str:
    """How many jobs there are, by state: ``12 jobs in team-a: 10 Running, 2 Failed``."""
    place = namespace or "all namespaces"
    if not jobs:
        return f"no jobs in {namespace or 'any namespace'}"
    counts = Counter(job.state for job in jobs)
    each = ", ".join(f"{count} {state}" for state, count in counts.most_common())
    noun = "job" if len(jobs) == 1 else "jobs"
    hidden = "" if len(shown) == len(jobs) else f"; {len(shown)} shown"
    return f"{len(jobs)} {noun} in {place}: {each}{hidden}"


def _steer(
    name: str, kubeconfig: str | None, context: str | None, namespace: str | None, yes: bool
) -> int:
    api, own = _cluster(kubeconfig, context)
    from trainc.controller.console import steer

    with _refusals():
        try:
            changed = steer.suspend(api, namespace or own, name, yes)
        except steer.NotSteerableError as why:
            raise TraincError([Problem(str(why), codes.NOT_FOUND)]) from None
    word = "suspended" if yes else "resumed"
    for each in changed or [f"{name} was already"]:
        click.echo(f"{each} {word}")
    return 0


def _cluster(kubeconfig: str | None, context: str | None) -> tuple[Api, str]:
    require("controller", "kubernetes")
    from trainc.controller.console.access import access

    return access(kubeconfig, context)


def _jobs(api: Api, namespace: str, name: str) -> list[Job]:
    from trainc.controller.console.jobs import jobs

    found = jobs(api, namespace, name, datetime.now(UTC))
    if name and not found:
        raise TraincError(
            [Problem(f"there is no job {name} in namespace {namespace}", codes.NOT_FOUND)]
        )
    return found


def _patient(look: Callable[[], list[Job]]) -> list[Job]:
    """What is seen once the cluster answers: who watches for hours shall not miss the end."""
    from trainc.controller.api import ApiError

    while True:
        try:
            return look()
        except ApiError as error:
            if not error.is_passing:
                raise
            click.echo(f"the cluster does not answer, looking again: {error}", err=True)
        time.sleep(_EVERY)


@contextmanager
def _refusals() -> Iterator[None]:
    """What the cluster refuses is the user's to mend, not a bug."""
    from trainc.controller.api import ApiError
    from trainc.controller.console.access import refusal

    try:
        yield
    except ApiError as error:
        raise TraincError([refusal(error)]) from error


def _print(text: str, again: bool) -> None:
    clear = again and sys.stdout is not None and sys.stdout.isatty()
    write_out(["\x1b[H\x1b[J" if clear else "", text])
