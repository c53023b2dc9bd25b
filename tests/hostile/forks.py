"""Many hostile builds, each in a child of its own, measured: time, memory, exit status, output.

``python -m tests.hostile.forks`` reads folders, one a line, builds each in a fork of this process,
which has loaded the compiler, and prints a JSON object a line.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.corpus import ROOT

MOST_SECONDS = 10  # of processor time
MOST_MEMORY = 600 << 20  # bytes
_WALL = 120  # seconds until a child that hangs is ended: on a machine that others use


@dataclass(frozen=True)
class Outcome:
    """What came of one build.

    Attributes:
        status: The exit status; negative where a signal ended it.
        seconds: Processor time.
        memory: Peak, in bytes.
        out: The end of its standard output.
        err: The end of its standard error.
    """

    status: int
    seconds: float
    memory: int
    out: str
    err: str


def builds(folders: list[Path], *arguments: str) -> list[Outcome]:
    """Builds each folder with the arguments of ``trainc build``."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.forks", *arguments],
        input="\n".join(map(str, folders)),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=1200,
    )
    assert done.returncode == 0, done.stderr
    return [Outcome(**json.loads(line)) for line in done.stdout.splitlines()]


def _build(folder: str, arguments: list[str]) -> Outcome:
    out, err = Path(folder, ".out"), Path(folder, ".err")
    child = os.fork()
    if child == 0:
        _child(folder, arguments, out, err)
    signal.alarm(_WALL)
    try:
        _, status, usage = os.wait4(child, 0)
    except TimeoutError:
        os.kill(child, signal.SIGKILL)
        _, status, usage = os.wait4(child, 0)
    signal.alarm(0)
    return Outcome(
        os.waitstatus_to_exitcode(status),
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss << 10,
        out.read_text(errors="replace")[-3000:],
        err.read_text(errors="replace")[-3000:],
    )


def _child(folder: str, arguments: list[str], out: Path, err: Path) -> None:
    """Builds, and ends this process."""
    from trainc.cli import main

    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    os.chdir(folder)
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), number)
    sys.argv = ["trainc", "build", *arguments]
    status = 70
    try:
        main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _late(number: int, frame: object) -> None:
    raise TimeoutError


def _warm() -> None:
    """Loads what every build needs, once."""
    import jinja2.sandbox  # noqa: F401

    import trainc.cli.build
    import trainc.pipeline
    import trainc.project.sources
    import trainc.source.template  # noqa: F401


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, _late)
    _warm()
    for line in sys.stdin.read().splitlines():
        sys.stdout.write(json.dumps(vars(_build(line, sys.argv[1:]))) + "\n")
        sys.stdout.flush()
