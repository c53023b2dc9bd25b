"""``trainc fetch``: what an initializer does in a pod, on this machine.

In: a storage URI and a folder; credentials from the environment, as in the pod. Out: the files, and
``.trainc-complete.json``.
"""

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trainc import codes
from trainc.cli.extra import require
from trainc.cli.options import reporting
from trainc.cli.report import Report
from trainc.errors import Problem

if TYPE_CHECKING:
    from trainc.initializers.config import Ancestor

_HELP = """
Fetches the dataset or model that URI names into DIR, as the initializers do before training.

\b
URI is one of
  hf://ORG/NAME[@REVISION][/PATH]   a repository of the Hugging Face Hub
  s3://BUCKET/PREFIX                gs://BUCKET/PREFIX    az://CONTAINER/PREFIX
  https://HOST/PATH/FILE            file:///PATH          pvc://CLAIM/PATH
  cache://SCHEMA/TABLE              only waits until the data cache is ready

Files come in parallel and are verified; what is interrupted goes on where it was, what is there
already is not fetched again. DIR is whole exactly when it holds .trainc-complete.json.

\b
Examples:
  trainc fetch hf://tatsu-lab/alpaca data/
  trainc fetch --as model hf://Qwen/Qwen2.5-1.5B-Instruct model/
  ENDPOINT=http://localhost:9000 trainc fetch s3://bucket/set data/ --ignore '*.tmp'

\b
Exit status:
  0    everything is there
  1    something is not, and the problem says why
  2    wrong usage, or trainc[initializers] is not installed

\b
Environment (as in the pod; docs/initializers.md has all of it):
  ACCESS_TOKEN                           hf, http
  ENDPOINT, ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN, REGION, ROLE_ARN, ANONYMOUS   s3
  RETRY_MAX_SECONDS, READ_TIMEOUT_SECONDS, CONCURRENCY
"""


@click.command(help=_HELP)
@click.argument("uri")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--as",
    "ancestor",
    type=click.Choice(["dataset", "model"]),
    default="dataset",
    show_default=True,
    help="Which initializer to be: on the Hub they are different places, and of a model one set "
    "of weights is enough.",
)
@click.option("--allow", metavar="PATTERNS", help="Fetch only these (comma-separated).")
@click.option("--ignore", metavar="PATTERNS", help="Do not fetch these (comma-separated).")
@click.option("--refresh", is_flag=True, help="Ask the remote even if everything is there.")
@reporting
@click.pass_obj
def fetch(
    report: Report,
    /,
    uri: str,
    folder: Path,
    ancestor: "Ancestor",
    allow: str | None,
    ignore: str | None,
    refresh: bool,
) -> int:
    """Fetches and returns the exit status."""
    given = {
        "ALLOW_PATTERNS": allow,
        "IGNORE_PATTERNS": ignore,
        "REFRESH": "1" if refresh else None,
    }
    set_here = {name: value for name, value in given.items() if value is not None}
    return _fetch(report, uri, folder, ancestor, {**os.environ, **set_here})


def _fetch(
    report: Report, uri: str, folder: Path, ancestor: "Ancestor", environ: Mapping[str, str]
) -> int:
    from trainc.initializers.config import load_config
    from trainc.initializers.failure import FetchError
    from trainc.initializers.fetch import fetch
    from trainc.initializers.progress import Progress
    from trainc.initializers.provider import provider_of
    from trainc.initializers.redact import REDACTOR, guard_streams
    from trainc.initializers.run import start_logging

    guard_streams({**environ, "STORAGE_URI": uri})
    start_logging(_level(report))
    try:
        config = load_config(ancestor, environ, uri=uri, target=folder)
        require("initializers", *provider_of(config)[0].needs)
        # JSON is one document: nobody watches the way there.
        fetch(config, Progress(stream=io.StringIO() if report.json else None))
    except FetchError as error:
        report.add([Problem(REDACTOR.redact(str(error)), codes.FETCH)])
        return 1
    return 0


def _level(report: Report) -> str:
    """How much is logged: the reason of a failure is a problem, and printed as one."""
    if report.json:
        return "critical"
    if report.verbosity < 0:
        return "error"
    return "debug" if report.verbosity > 1 else "info"
