"""``trainc build``: files in, manifests out.

In: paths and options. Out: the manifests on stdout or in a folder; nothing at all where a problem
is an error.
"""

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import click

from trainc.cli.options import reporting
from trainc.cli.output import write_out
from trainc.cli.report import Report
from trainc.errors import Problem

if TYPE_CHECKING:
    from trainc.pipeline import Options
    from trainc.plan.plan import Plan

_NOTHING = Problem(
    "nothing to print: there is no TrainJob among the inputs",
    hint="a GitOps tool would remove everything; --allow-empty says that this is meant",
)


def _features(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> dict[str, bool]:
    """``NAME``, ``NAME=true`` and ``NAME=false`` as a map; the last word on a name holds."""
    features = {}
    for value in values:
        name, _, state = value.partition("=")
        if not name or state not in ("", "true", "false"):
            raise click.BadParameter(f"{value!r} is not NAME, NAME=true or NAME=false")
        features[name] = state != "false"
    return features


_HELP = """
Compiles the TrainJobs in PATH... and prints the objects that run them.

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
  DIR/.trainc.json   what --out-dir wrote: never edit it
"""


@click.command(help=_HELP, short_help="Compile TrainJobs into the objects that run them.")
@click.argument("inputs", nargs=-1, metavar="[PATH]...")
@click.option(
    "--runtimes",
    multiple=True,
    metavar="DIR",
    type=click.Path(exists=True, path_type=str),
    help="Look runtimes up here too, after the inputs; may be given several times. "
    "Default: runtimes/ of the project. The stock library comes last.",
)
@click.option(
    "--namespace",
    default="default",
    show_default=True,
    metavar="NAME",
    help="Namespace of objects that name none.",
)
@click.option(
    "--out-dir",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=str),
    help="Write one file an object below DIR instead of printing.",
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
    "--emit",
    type=click.Choice(["jobset", "both"]),
    default="jobset",
    show_default=True,
    help="both: print each TrainJob too, after its JobSet.",
)
@click.option(
    "--secrets",
    type=click.Choice(["refer", "inline"]),
    default="refer",
    show_default=True,
    help="refer: the cluster will hold the Secrets; inline: print freshly made ones.",
)
@click.option(
    "--status-ca",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=str),
    help="Certificate of the status server's CA, for the ConfigMap NAME-tls-config.",
)
@click.option(
    "--feature",
    "features",
    multiple=True,
    metavar="NAME[=true|false]",
    callback=_features,
    help="Switch a feature gate; may be given several times.",
)
@click.option(
    "--compat",
    type=click.Choice(["v2.3.0"]),
    help="Reproduce this release of Kubeflow Trainer, defects included.",
)
@click.option(
    "--image-prefix",
    metavar="PREFIX",
    help="Where the images of trainc itself come from.",
)
@click.option("--allow-empty", is_flag=True, help="Printing no object at all is no error.")
@click.option("--no-comments", is_flag=True, help="Leave out the '# from:' line above each object.")
@reporting
@click.pass_obj
def build(report: Report, /, inputs: tuple[str, ...], **flags: Any) -> int:
    """Compiles the inputs and prints or writes what came out; returns the exit status."""
    _refuse_contradictions(flags)
    plan = _compiled(report, inputs or (".",), flags)
    if not report.failed:
        _deliver(plan, flags)
    return 1 if report.failed else 0


def _refuse_contradictions(flags: dict[str, Any]) -> None:
    """Stops where two options cannot both hold."""
    if flags["out_dir"] is None:
        return
    if flags["secrets"] == "inline":
        raise click.UsageError("--secrets inline would write private keys into --out-dir")
    if flags["form"] == "json":
        raise click.UsageError("--out-dir writes YAML; -o json is for standard output")


def _compiled(report: Report, inputs: tuple[str, ...], flags: dict[str, Any]) -> "Plan":
    """Runs the compiler; the report takes what it found, and what only the flags show."""
    from trainc.manifest.order import doubles
    from trainc.pipeline import compile_sources

    with _watched(shown=report.verbosity == 0 and not report.json):
        plan = compile_sources(inputs, _options(report, flags))
    report.add(plan.problems)
    report.add(doubles(plan.objects))
    if not (plan.objects or report.failed or flags["allow_empty"]):
        report.add([_NOTHING])
    return plan


def _watched(shown: bool) -> AbstractContextManager[None]:
    """A sign of life where a person watches; costs nothing elsewhere."""
    if not shown or not sys.stderr.isatty():
        return nullcontext()
    from trainc.cli.progress import progress

    return progress(shown)


def _options(report: Report, flags: dict[str, Any]) -> "Options":
    """The flags as the compiler takes them."""
    from trainc.pipeline import Options

    if flags["compat"] and flags["emit"] == "both":
        report.add([Problem("--emit both: --compat prints no TrainJobs", severity="warning")])
        flags["emit"] = "jobset"
    status_ca = flags["status_ca"]
    return Options(
        runtimes=flags["runtimes"],
        namespace=flags["namespace"],
        compat=flags["compat"],
        secrets=flags["secrets"],
        features=flags["features"],
        emit=flags["emit"],
        status_ca=None if status_ca is None else _text(status_ca),
        image_prefix=flags["image_prefix"],
        out_dir=flags["out_dir"],
    )


def _deliver(plan: "Plan", flags: dict[str, Any]) -> None:
    """Prints the objects, or writes them into the folder."""
    from trainc.manifest.order import in_order
    from trainc.manifest.stream import json_list, texts, yaml_stream

    objects = in_order(plan.objects)
    if flags["out_dir"] is not None:
        from pathlib import Path

        from trainc.manifest.files import write

        write(Path(flags["out_dir"]), texts(objects, not flags["no_comments"]), plan.sources)
    elif flags["form"] == "json":
        write_out(json_list(objects))
    else:
        write_out(yaml_stream(objects, not flags["no_comments"]))


def _text(path: str) -> str:
    """The text of a file that an option names."""
    with open(path, encoding="utf-8") as file:
        return file.read()
