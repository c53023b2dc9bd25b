"""The command line: the only room that exits, and the only one that knows click.

One file a command group; what a command needs is imported when it runs, so that
``trainc --version`` costs an interpreter and nothing else.
"""

from __future__ import annotations

import sys

from trainc.version import __version__

TYPE_CHECKING = False  # typing's own costs every start 8 ms
if TYPE_CHECKING:
    from typing import NoReturn

# Name of a command -> the click command that answers it.
COMMANDS = {
    "build": "trainc.cli.build:build",
    "cache": "trainc.cli.cache:cache",
    "completion": "trainc.cli.completion:completion",
    "controller": "trainc.cli.controller:controller",
}


def main() -> NoReturn:
    """Runs ``trainc`` with the process's arguments and exits."""
    if sys.argv[1:2] == ["--version"]:
        sys.stdout.write(f"trainc {__version__}\n")
        sys.exit(0)
    try:
        from trainc.cli.run import run
    except KeyboardInterrupt:  # Ctrl-C while the modules are being read
        sys.exit(130)
    sys.exit(run(sys.argv[1:]))
