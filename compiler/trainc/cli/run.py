"""What stands around every command: exit status, signals, the report of problems.

In: the arguments. Out: the exit status.

    0  done
    1  the files have problems (or, for commands that compare, differ)
    2  wrong usage, or an extra that is not installed
    3  a bug of trainc
    130, 143, 141  ended by Ctrl-C, SIGTERM, a reader that closed the pipe
"""

import errno
import gc
import importlib
import os
import signal
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from trainc import codes
from trainc.cli import BRIEF, COMMANDS
from trainc.cli.folder import OPTIONS
from trainc.cli.report import Report
from trainc.errors import Problem, TraincError
from trainc.version import __version__

if TYPE_CHECKING:
    from trainc.incremental.memory import Answer

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Terminated(BaseException):
    """SIGTERM arrived: unwinds the stack as Ctrl-C does, so that temporary files are removed."""


_HELP = """
Compiles Kubeflow Trainer v2 TrainJobs into the Kubernetes manifests a GitOps tool syncs.

TrainJobs and runtimes go in as files; JobSets and what they need come out, fully expanded,
the same bytes each time, without a cluster.

\b
Start here:
  trainc build examples/            print the manifests
  trainc build --out-dir out jobs/  write one file an object
  trainc build --help               every option, with examples

`python -m trainc` imports modules from the current folder: in a folder you do not trust run
`trainc`, or `python -P -m trainc`.
"""


# What other tools call a command -> what it is called here.
_ELSEWHERE = {
    "format": "fmt",
    "lint": "validate",
    "render": "build",
    "template": "build",
    "test": "check",
    "vet": "validate",
}


class _WriteError(Exception):
    """The system refused a write nobody expected to fail."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


def _refuse_folder(ctx: click.Context, param: click.Parameter, value: object) -> None:
    """Says why the folder of -C was not entered before click was asked."""
    if value is not None:
        raise click.BadParameter(f"{value!r} is not a folder that can be entered", ctx, param)


_FOLDER = click.Option(
    list(OPTIONS),
    metavar="DIR",
    expose_value=False,
    is_eager=True,
    callback=_refuse_folder,
    help="Run as if started in DIR: all other paths are relative to it.",
)


def _with_folder(command: click.Command) -> click.Command:
    """The command, and those below it, with the option that cli/folder.py answers."""
    if _FOLDER not in command.params:
        command.params.append(_FOLDER)
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        _with_folder(below)
    return command


class Commands(click.Group):
    """The commands of the table, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the alphabet."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        module, _, function = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), function)
        return _with_folder(command)

    def invoke(self, ctx: click.Context) -> object:
        """Runs the command; keeps a failed write from click, which would exit by itself."""
        try:
            return super().invoke(ctx)
        except OSError as error:
            raise _WriteError(error) from error

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command to run; a name nobody has is answered with the nearest ones."""
        if args and args[0] in _ELSEWHERE:
            hint = f"No such command {args[0]!r}. Did you mean {_ELSEWHERE[args[0]]!r}?"
            raise click.UsageError(hint, ctx)
        self.commands = dict.fromkeys(COMMANDS, click.Command(None))
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, help=_HELP, context_settings=_CONTEXT)
@click.option(
    *OPTIONS,
    metavar="DIR",
    expose_value=False,
    is_eager=True,
    callback=_refuse_folder,
    help="Run as if started in DIR.",
)
@click.version_option(__version__, prog_name="trainc", message="%(prog)s %(version)s")
@click.pass_context
def trainc(ctx: click.Context) -> None:
    """Lets the collector work in commands that run for long."""
    if ctx.invoked_subcommand not in BRIEF:
        gc.enable()


def run(args: Sequence[str], answer: "Answer | None" = None) -> int:
    """Runs one command line and returns its exit status; never raises.

    Args:
        args: The arguments.
        answer: What a former run said of the same files; the output is not what it says.
    """
    report = Report(args, answer)
    _listen()
    try:
        status = _guarded(list(args), report)
    except KeyboardInterrupt:
        status = report.stop(130, "interrupted")
    except Terminated:
        status = report.stop(143, "terminated")
    except SystemExit:
        raise
    except BaseException as bug:
        status = _panicked(bug, report)
    return _closed(status, report)


def _guarded(args: list[str], report: Report) -> int:
    """Runs the command; what the user can mend becomes a problem and an exit status."""
    try:
        result = trainc.main(args, prog_name="trainc", standalone_mode=False, obj=report)
        return result if isinstance(result, int) else 0
    except click.exceptions.Abort:
        return report.stop(130, "interrupted")
    except click.ClickException as error:
        report.usage(error)
        return 2
    except TraincError as error:
        report.add(error.problems)
        return 1
    except _WriteError as failed:
        return _output_failed(failed.error, report)
    except OSError as error:  # trainc's own help, which click prints before any command
        return _output_failed(error, report)
    except MemoryError:
        report.add(
            [
                Problem(
                    "out of memory",
                    codes.RESOURCES,
                    hint="a limit (ulimit -v, a container's) is low",
                )
            ]
        )
        return 1


def _output_failed(error: OSError, report: Report) -> int:
    """A reader that left is no error; a full disk is."""
    _drop_output()
    if error.errno == errno.EPIPE:
        return 141
    report.add(
        [
            Problem(
                f"cannot write: {error.strerror or error}: {error.filename or 'stdout'}",
                codes.UNWRITABLE,
            )
        ]
    )
    return 1


def _drop_output() -> None:
    """Sends what is still buffered nowhere, or Python complains about it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _panicked(bug: BaseException, report: Report) -> int:
    """What is no exception of ours: a bug, or an engine in Rust that a signal met.

    Such an engine (pyo3) answers what is raised while it calls Python with a panic of its own.
    """
    if signal.SIGTERM in _arrived:
        return report.stop(143, "terminated")
    if signal.SIGINT in _arrived:
        return report.stop(130, "interrupted")
    return _bug(bug, report)


def _bug(bug: BaseException, report: Report) -> int:
    """One line on our bug and how to report it; the traceback with ``-vv``."""
    import traceback

    frame = traceback.extract_tb(bug.__traceback__)[-1]
    place = f"{os.path.basename(frame.filename)}:{frame.lineno}"
    problem = Problem(
        f"trainc {__version__} has a bug: {type(bug).__name__} at {place}: {bug}",
        codes.INTERNAL,
        hint="please report it with this line and the input; -vv prints the traceback",
    )
    report.add([problem])
    if report.verbosity >= 2:
        report.detail("".join(traceback.format_exception(bug)))
    return 3


def _closed(status: int, report: Report) -> int:
    """Writes and prints the report; a stderr that nobody reads changes nothing."""
    try:
        report.save()
    except OSError as error:
        message = f"cannot write: {error.strerror or error}: {report.file}"
        report.add(
            [
                Problem(
                    message,
                    codes.UNWRITABLE,
                    hint="--problems-file names a file in a folder that is there",
                )
            ]
        )
        status = status or 1
    try:
        report.close()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    return status


_arrived: set[int] = set()


def _listen() -> None:
    """Hears SIGTERM and, unless whoever started us wants it ignored, Ctrl-C."""
    _arrived.clear()
    signal.signal(signal.SIGTERM, _terminate)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)


def _terminate(number: int, frame: FrameType | None) -> Any:
    _arrived.add(number)
    raise Terminated


def _interrupt(number: int, frame: FrameType | None) -> Any:
    _arrived.add(number)
    raise KeyboardInterrupt
