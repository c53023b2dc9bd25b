"""The command line: the only room that exits, and the only one that knows click.

One file a command group; what a command needs is imported when it runs, so that
``trainc --version`` costs an interpreter and nothing else.
"""

from __future__ import annotations

import gc
import os
import sys

from trainc.version import __version__

TYPE_CHECKING = False  # typing's own costs every start 8 ms
if TYPE_CHECKING:
    from typing import NoReturn

# Name of a command -> the click command that answers it.
COMMANDS = {
    "argocd": "trainc.cli.argocd:argocd",
    "build": "trainc.cli.build:build",
    "cache": "trainc.cli.cache:cache",
    "check": "trainc.cli.check:check",
    "completion": "trainc.cli.completion:completion",
    "controller": "trainc.cli.controller:controller",
    "diff": "trainc.cli.diff:diff",
    "explain": "trainc.cli.explain:explain",
    "flux": "trainc.cli.flux:flux",
    "help": "trainc.cli.help:help_",
    "fetch": "trainc.cli.fetch:fetch",
    "fmt": "trainc.cli.fmt:fmt",
    "init": "trainc.cli.init:init",
    "install": "trainc.cli.install:install",
    "krm": "trainc.cli.krm:krm",
    "list": "trainc.cli.list:list_",
    "logs": "trainc.cli.status:logs",
    "migrate": "trainc.cli.migrate:migrate",
    "resume": "trainc.cli.status:resume",
    "runtimes": "trainc.cli.runtimes:runtimes",
    "set": "trainc.cli.set:set_",
    "schema": "trainc.cli.schema:schema",
    "status": "trainc.cli.status:status",
    "suspend": "trainc.cli.status:suspend",
    "validate": "trainc.cli.validate:validate",
}

# Commands that make many objects, few cycles, and end soon: the cyclic collector stays off.
BRIEF = frozenset({"build", "check", "diff", "explain", "list", "validate"})


def main() -> NoReturn:
    """Runs ``trainc`` with the process's arguments and exits."""
    if None in (sys.stdin, sys.stdout, sys.stderr):
        from trainc.cli.streams import reopen

        reopen()
    if sys.argv[1:2] == ["--version"] and _is_version_told():
        sys.exit(0)
    gc.disable()  # importing makes no garbage; looking for it takes 5 ms
    try:
        status = _run(sys.argv[1:])
    except KeyboardInterrupt:  # Ctrl-C while the modules are being read
        sys.exit(130)
    if sys.argv[1:2] and sys.argv[1] in BRIEF:
        _leave(status)
    gc.freeze()  # nor is there any to look for at the end: 10 ms
    sys.exit(status)


def _is_version_told() -> bool:
    """Prints the version; where that fails the long way says why."""
    try:
        sys.stdout.write(f"trainc {__version__}\n")
        sys.stdout.flush()
    except (OSError, AttributeError):  # a full disk, a stream that is closed
        return False
    return True


def _leave(status: int) -> None:
    """Ends the process at once: to take apart what it made costs 8 ms, and more for many jobs.

    Returns only where a stream cannot be flushed, which the interpreter's own exit tells.
    """
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        return
    os._exit(status)


def _run(args: list[str]) -> int:
    """Runs a command line: the short way where a former run has the answer, else the long one."""
    from trainc.cli.folder import entered
    from trainc.cli.warm import recall, tell

    args = entered(args)
    answer = status = None
    try:
        answer = recall(args)
        status = None if answer is None else tell(args, answer)
    except (OSError, ValueError, TypeError):
        pass  # the long way says what is wrong, if anything is
    if status is not None:
        return status
    from trainc.cli.run import run

    return run(args, answer)
