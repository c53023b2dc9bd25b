"""What a command costs: wall and CPU time of it and its children, and its peak memory."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

Command = Sequence[str | Path]


@dataclass(frozen=True)
class Cost:
    """One run.

    Attributes:
        wall: Seconds from start to exit.
        cpu: Seconds of user and system time, of the process and those it waited for.
        memory: Peak resident set of the largest of them, bytes.
    """

    wall: float
    cpu: float
    memory: int


def run(command: Command, cwd: Path) -> Cost:
    """Runs a command with warm bytecode and nobody watching; it must succeed."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_environment()
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {process.returncode}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def _environment() -> dict[str, str]:
    """The environment without what makes Python slower than a user's, or answers from a cache."""
    slow = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONDEVMODE")
    known = {name: value for name, value in os.environ.items() if name not in slow}
    return {**known, "TRAINC_CACHE_DIR": "off"}


def side_by_side(commands: Mapping[str, Command], cwd: Path, times: int) -> dict[str, list[Cost]]:
    """Runs the commands in turns, so that a busy moment falls on all of them."""
    for command in commands.values():
        run(command, cwd)
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(times):
        for name, command in commands.items():
            costs[name].append(run(command, cwd))
    return costs


def middle(costs: list[Cost], part: Callable[[Cost], float]) -> float:
    """The median of one part of the costs."""
    return median(map(part, costs))


def least(costs: list[Cost], part: Callable[[Cost], float]) -> float:
    """The best run: what the program costs where nothing disturbs it."""
    return min(map(part, costs))
