"""``trainc build``: files in, manifests out.

In: paths and options. Out: the manifests on stdout or in a folder; nothing at all where a problem
is an error.
"""

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import click

from trainc import codes
from trainc.cli.compiling import base_of, compiling, environment
from trainc.cli.options import reporting
from trainc.cli.output import write_out
from trainc.cli.place import placed
from trainc.cli.projects import requests
from trainc.cli.report import Report
from trainc.errors import Problem

if TYPE_CHECKING:
    from trainc.cli.compiling import Request
    from trainc.pipeline import Options
    from trainc.plan.plan import Object, Plan

_NOTHING = Problem(
    "nothing to print: there is no TrainJob among the inputs",
    codes.USAGE,
    hint="a GitOps tool would remove everything; --allow-empty says that this is meant",
)


_HELP = """
Compiles the TrainJobs in PATH... and prints the objects that run them.

In a project (a folder with trainc.yaml) the sources are its own, or those below PATH, as the
environment of --env has them: templates rendered, overlays applied.

PATH is a file, a folder (read recursively for *.yaml, *.yml and *.json) or - for standard
input; without one, the current folder is built. TrainJobs, TrainingRuntimes and
ClusterTrainingRuntimes may stand in any order and in any number of files. A TrainJob that
names a runtime which is not among them gets it from --runtimes, then from the stock library.

All problems are reported at once, each with its place and, where there is one, its remedy.
If one of them is an error nothing is printed and no file is touched.

\b
Examples:
  trainc build job.yaml | kubectl apply -f -
      Compile one TrainJob and hand it to a cluster.
  trainc build --out-dir out jobs/
      Keep out/ in Git and let a GitOps tool sync it. Files that are no
      longer wanted are removed; files of others are never touched.
  trainc build - < job.yaml -o json
      Read standard input, print a JSON list.
  trainc build --problems json jobs/ 2> problems.json
      Hand the problems to another program.

\b
Exit status:
  0    built, perhaps with warnings
  1    the files have errors, or there is nothing to build
  2    wrong usage
  3    a bug of trainc
  130, 143, 141  ended by Ctrl-C, SIGTERM, a reader that left

\b
Environment:
  NO_COLOR  no colours on a terminal

\b
Files:
  runtimes/          the project's own runtimes
  .traincignore      patterns of files that are not read
  trainc.yaml        the project: sources, runtimes, environments, values
  overlays/ENV/      patches and values of an environment
  DIR/.trainc.json   what --out-dir wrote: never edit it
"""


@click.command(help=_HELP, short_help="Compile TrainJobs into the objects that run them.")
@compiling
@environment
@click.option(
    "--out-dir",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=str),
    help="Write one file an object below DIR instead of printing; with environments below DIR/ENV.",
)
@click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["yaml", "json"]),
    default="yaml",
    show_default=True,
    help="Form of what is printed; json is one list.",
)
@click.option(
    "--secrets",
    type=click.Choice(["refer", "inline"]),
    default="refer",
    show_default=True,
    help="refer: the cluster will hold the Secrets; inline: print freshly made ones.",
)
@click.option("--allow-empty", is_flag=True, help="Printing no object at all is no error.")
@click.option("--no-comments", is_flag=True, help="Leave out the '# from:' line above each object.")
@reporting
@click.pass_context
def build(ctx: click.Context, /, inputs: tuple[str, ...], **flags: Any) -> int:
    """Compiles the inputs and prints or writes what came out; returns the exit status."""
    _refuse_contradictions(flags)
    if flags["out_dir"] is None:
        return _printed(ctx, inputs, flags)
    return _written(ctx, inputs, flags)


def _printed(ctx: click.Context, inputs: tuple[str, ...], flags: dict[str, Any]) -> int:
    """Compiles one environment and prints its objects."""
    from trainc.manifest.order import in_order
    from trainc.manifest.stream import json_list, yaml_stream

    report: Report = ctx.obj
    objects: list[Object] = []
    made: list[tuple[Request, list[Object]]] = []
    for request in requests(ctx, inputs, flags):
        (env,) = request.environments(several=False)
        made.append((request, [*_compiled(report, request, env, flags).objects]))
        objects += made[-1][1]
    if len(made) > 1:
        _refuse_clashes(report, made)
    _refuse_nothing(report, bool(objects), flags)
    if report.failed:
        return 1
    if flags["form"] == "json":
        write_out(json_list(in_order(objects)))
    else:
        write_out(yaml_stream(in_order(objects), not flags["no_comments"]))
    return 0


def _refuse_clashes(report: Report, made: "list[tuple[Request, list[Object]]]") -> None:
    """Makes errors of objects that two projects make."""
    from trainc.cli.rendered import Rendered
    from trainc.cli.writing import clashes
    from trainc.manifest.path import path

    texts = [(request, dict.fromkeys(map(path, objects), "")) for request, objects in made]
    report.add(clashes([(request, [Rendered(None, each)]) for request, each in texts]))


def _written(ctx: click.Context, inputs: tuple[str, ...], flags: dict[str, Any]) -> int:
    """Compiles every environment and writes what came out; returns the exit status."""
    from pathlib import Path  # 4 ms, which printing does not need

    from trainc.cli.rendered import Memory, Rendered, rendered
    from trainc.cli.writing import clashes, written

    report: Report = ctx.obj

    def compiled(request: "Request", env: str | None, memory: Memory) -> Rendered:
        options = _options(report, request, env, flags)
        with _watched(report):
            return memory.rendered(request.paths, options, comments=not flags["no_comments"])

    found = rendered(ctx, inputs, flags, compiled)
    _refuse_nothing(report, any(each.texts for _, made in found for each in made), flags)
    report.add(clashes(found))
    if report.failed:
        return 1
    written(report, Path(flags["out_dir"]), found)
    return 0


def _refuse_nothing(report: Report, any_object: bool, flags: dict[str, Any]) -> None:
    """Makes an error of a build that makes nothing, unless it is meant."""
    if not (any_object or report.failed or flags["allow_empty"]):
        report.add([_NOTHING])


def _refuse_contradictions(flags: dict[str, Any]) -> None:
    """Stops where two options cannot both hold."""
    if flags["compat"] and flags["profile"] != "none":
        raise click.UsageError("--compat prints the reference's objects; --profile changes them")
    if flags["out_dir"] is None:
        return
    if flags["secrets"] == "inline":
        raise click.UsageError("--secrets inline would write private keys into --out-dir")
    if flags["form"] == "json":
        raise click.UsageError("--out-dir writes YAML; -o json is for standard output")


def _compiled(report: Report, request: "Request", env: str | None, flags: dict[str, Any]) -> "Plan":
    """Runs the compiler; the report takes what it found."""
    from trainc.pipeline import compile_sources

    options = _options(report, request, env, flags)
    with _watched(report):
        plan = compile_sources(request.paths, options)
    report.add(placed(plan.problems, base_of(request.paths, options)))
    return plan


def _options(
    report: Report, request: "Request", env: str | None, flags: dict[str, Any]
) -> "Options":
    """What the pipeline is told; the report takes what only the flags show."""
    options = request.options(env)._replace(secrets=flags["secrets"], out_dir=flags["out_dir"])
    if options.compat and options.emit == "both":
        report.add(
            [Problem("--emit both: --compat prints no TrainJobs", codes.USAGE, severity="warning")]
        )
        options = options._replace(emit="jobset")
    return options


def _watched(report: Report) -> AbstractContextManager[None]:
    """A sign of life where a person watches; costs nothing elsewhere."""
    shown = report.verbosity == 0 and not report.json
    if not shown or not sys.stderr.isatty():
        return nullcontext()
    from trainc.cli.progress import progress

    return progress(shown)
