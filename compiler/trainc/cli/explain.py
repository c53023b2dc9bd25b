"""``trainc explain``: why a compiled job is as it is.

In: a file, perhaps a path of a field, and the options of a build. Out: each value with who set it,
and what the job starts, on stdout.
"""

from __future__ import annotations

from typing import Any

import click

from trainc.cli.compiling import compiling, environment, requested
from trainc.cli.options import reporting
from trainc.cli.output import write_out

_HELP = """
Says of a job what it will run and why: every env variable, argument, resource, port and count with
its value and who set it (runtime, overlay, patch, TrainJob, policy, default), at file and line;
world size, GPUs asked and used; and the line that each node starts.

FILE is a file of a TrainJob or a template, or a folder. PATH narrows the answer to what it names:
any run of steps of a field's path, in the JobSet or in the TrainJob, items of lists by name.

\b
Examples:
  trainc explain job.yaml
  trainc explain job.yaml trainer.env.NCCL_DEBUG
  trainc explain job.yaml resources
  trainc explain jobs/vision.yaml --env prod 'spec.replicatedJobs[node]'
  trainc explain templates/sweep.yaml.j2 --env prod --job sweep-1 -o json

\b
Exit status:
  0  explained
  1  the files have errors, or the job has no such field
  2  wrong usage
"""


@click.command(help=_HELP, short_help="Say why a job is as it is, and who set what.")
@compiling
@environment
@click.option("--job", metavar="NAME", default="", help="The TrainJob, where there are several.")
@click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Form of the output.",
)
@reporting
@click.pass_context
def explain(ctx: click.Context, /, inputs: tuple[str, ...], **flags: Any) -> int:
    """Prints the explanations; returns the exit status."""
    from trainc.explain.explain import explained
    from trainc.explain.explanation import as_json, as_text

    if not inputs:
        raise click.UsageError("name the FILE of a TrainJob")
    if len(inputs) > 2:
        raise click.UsageError("FILE and PATH are all it takes; quote a PATH with brackets")
    file, path = inputs[0], inputs[1] if len(inputs) > 1 else ""
    request = requested(ctx, (file,), flags)
    (env,) = request.environments(several=False)
    options = request.options(env)._replace(lint="off")
    found = explained(request.paths, options, path, flags["job"])
    write_out([as_json(found)] if flags["form"] == "json" else as_text(found))
    return 0


# Other commands take any number of paths; here the second word is one of a field.
for _parameter in explain.params:
    if _parameter.name == "inputs":
        _parameter.metavar = "FILE [PATH]"
