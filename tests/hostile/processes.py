"""Runs command lines of trainc, each in a process of its own that is bounded and measured.

Importing the compiler takes longer than most attacks: it is done once, and each run is a copy of
that process. ``python -m tests.hostile.processes`` takes one request a line and answers with one.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from trainc.budget import UNITS, Budget

MOST_SECONDS = 10.0
"""Seconds of processor time that an attack may take."""
MOST_MEMORY = 600 << 10
"""KiB that it may hold."""
_ROOT = Path(__file__).resolve().parents[2]
_KILLED_AFTER = 60  # seconds of processor time
_ADDRESS_SPACE = 3 << 30


class Outcome(NamedTuple):
    """What a run did.

    Attributes:
        status: The exit status, negative for a signal.
        out: Its standard output.
        err: Its standard error.
        seconds: Of processor time.
        memory: The most memory it held, in KiB.
    """

    status: int
    out: str
    err: str
    seconds: float
    memory: int

    def assert_bounded(self, share: float = 1.0) -> None:
        """Fails where it took more time or memory than an attack may.

        Args:
            share: What the run had of a build's budget; its time is bounded by the same share,
                but for a second that reading and compiling take in any case.
        """
        assert self.seconds < 1 + MOST_SECONDS * share, f"{self.seconds:.2f} s"
        assert self.memory < MOST_MEMORY, f"{self.memory >> 10} MiB"


class Forks:
    """The process that is copied."""

    def __init__(self) -> None:
        """Starts it."""
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.hostile.processes"],
            cwd=_ROOT, env={**os.environ, "PYTHONPATH": str(_ROOT), "COLUMNS": "200"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, folder: Path, *args: str, units: int = UNITS) -> Outcome:
        """Runs ``trainc`` in a folder.

        Args:
            folder: The current folder.
            args: The command line.
            units: The budget of the build.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([str(folder), args, units]), file=self._process.stdin, flush=True)
        return Outcome(*json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        """Ends it."""
        self._process.communicate()


def _serve() -> None:
    """Answers requests until there are no more."""
    _import_all()
    for line in sys.stdin:
        folder, args, units = json.loads(line)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = os.fork()
            if not child:
                _become(folder, args, units, (out.fileno(), err.fileno()))
            _, status, use = os.wait4(child, 0)
            answer = Outcome(
                os.waitstatus_to_exitcode(status), _text(out.fileno()), _text(err.fileno()),
                use.ru_utime + use.ru_stime, use.ru_maxrss,
            )  # fmt: skip
        print(json.dumps(answer), flush=True)


def _import_all() -> None:
    """Loads what builds need, so that copies have it."""
    import trainc.cli.build
    import trainc.cli.validate
    import trainc.lint.cel
    import trainc.pipeline
    import trainc.source.template  # noqa: F401


def _become(folder: str, args: Sequence[str], units: int, streams: tuple[int, int]) -> None:
    """Turns this process into a run of the command line; never returns."""
    from trainc.cli import main

    nothing = os.open(os.devnull, os.O_RDONLY)
    for ours, theirs in enumerate((nothing, *streams)):
        os.dup2(theirs, ours)
    os.chdir(folder)
    resource.setrlimit(resource.RLIMIT_CPU, (_KILLED_AFTER, _KILLED_AFTER))
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    Budget.__init__.__defaults__ = (units,)
    sys.argv = ["trainc", *args]
    status: object = 3
    try:
        main()
    except SystemExit as end:
        status = end.code or 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status if isinstance(status, int) else 3)


def _text(stream: int) -> str:
    os.lseek(stream, 0, os.SEEK_SET)
    return os.read(stream, 1 << 20).decode(errors="replace")


if __name__ == "__main__":
    _serve()
