"""The command line: the only room that exits, and the only one that knows click.

One file a command group; what a command needs is imported when it runs, so that
``trainc --version`` costs an interpreter and nothing else.
"""

from __future__ import annotations

import gc
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
    "fetch": "trainc.cli.fetch:fetch",
    "flux": "trainc.cli.flux:flux",
    "fmt": "trainc.cli.fmt:fmt",
    "help": "trainc.cli.help:help_",
    "init": "trainc.cli.init:init",
    "install": "trainc.cli.install:install",
    "logs": "trainc.cli.status:logs",
    "resume": "trainc.cli.status:resume",
    "set": "trainc.cli.set:set_",
    "status": "trainc.cli.status:status",
    "suspend": "trainc.cli.status:suspend",
    "validate": "trainc.cli.validate:validate",
}

# Commands that make many objects, few cycles, and end soon: the cyclic collector stays off.
BRIEF = frozenset({"build", "check", "validate"})


def main() -> NoReturn:
    """Runs ``trainc`` with the process's arguments and exits."""
    if sys.argv[1:2] == ["--version"]:
        sys.stdout.write(f"trainc {__version__}\n")
        sys.exit(0)
    gc.disable()  # importing makes no garbage; looking for it takes 5 ms
    try:
        from trainc.cli.run import run
    except KeyboardInterrupt:  # Ctrl-C while the modules are being read
        sys.exit(130)
    status = run(sys.argv[1:])
    gc.freeze()  # nor is there any to look for at the end: 10 ms
    sys.exit(status)
