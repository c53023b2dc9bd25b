"""The bars of the compiler: what each measures, and how far it may go."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench import inputs, peers
from tests.bench.install import LIMIT, build, install, sizes
from tests.bench.measure import Cost, least, middle, run, side_by_side
from tests.tools import HELM, KUSTOMIZE

ROOT = Path(__file__).parents[2]
TRAINC = Path(sys.executable).parent / "trainc"
HEAVY = ("kubernetes", "pyarrow", "jinja2", "pydantic", "celpy")

ONE_RUNS = 15
MANY_RUNS = 3
PASS_RATIO = 10.0
HELM_RATIO = 2.5
VERSION_RATIO = 3.0
CPU_EACH = 0.45e-3  # seconds
GROWTH = 12.0
MEMORY = 400_000_000  # bytes


@dataclass(frozen=True)
class Bar:
    """One line of the table; ``met`` is None where it could not be measured."""

    what: str
    bar: str
    measured: str
    met: bool | None


def conformance() -> Iterator[Bar]:
    """The corpus of the reference's own output."""
    what, bar = "conformance (`--compat v2.3.0`)", "all"
    command: list[str | Path] = [sys.executable, "-m", "tests.conformance", "--trainc", TRAINC]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    score = done.stdout.splitlines()[-1].removeprefix("conformance: ")
    yield Bar(what, bar, score, done.returncode == 0)


def one(folder: Path) -> Iterator[Bar]:
    """One TrainJob, from process start to exit, against an interpreter and against Helm."""
    source = inputs.write(folder / "one", 1)
    build_one: list[str | Path] = [TRAINC, "build", source]
    commands: dict[str, list[str | Path]] = {
        "pass": [sys.executable, "-c", "pass"],
        "version": [TRAINC, "--version"],
        "build": build_one,
    }
    if HELM.program.exists():
        text = subprocess.run(build_one, capture_output=True, text=True, check=True).stdout
        commands["helm"] = [HELM.program, "template", "bench", peers.chart(folder / "chart", text)]
    walls = {
        name: middle(costs, lambda cost: cost.wall)
        for name, costs in side_by_side(commands, folder, ONE_RUNS).items()
    }
    yield _ratio("one TrainJob, against `python -c pass`", walls, "build", "pass", PASS_RATIO)
    yield _ratio("one TrainJob, against `helm template`", walls, "build", "helm", HELM_RATIO)
    yield _ratio(
        "`trainc --version`, against `python -c pass`", walls, "version", "pass", VERSION_RATIO
    )


def _ratio(what: str, walls: dict[str, float], ours: str, theirs: str, most: float) -> Bar:
    bar = f"at most {most:g} times (wall, median of {ONE_RUNS})"
    if theirs not in walls:
        return Bar(what, bar, f"skipped: {theirs} is not installed", None)
    ratio = walls[ours] / walls[theirs]
    measured = f"{ratio:.2f} times: {walls[ours] * 1e3:.0f} ms, {walls[theirs] * 1e3:.0f} ms"
    return Bar(what, bar, measured, ratio <= most)


def many(folder: Path) -> Iterator[Bar]:
    """A thousand and ten thousand TrainJobs, one file each."""
    thousand = _costs(folder, 1000)
    cpu = least(thousand, lambda cost: cost.cpu)
    yield Bar(
        "1,000 TrainJobs in 1,000 files",
        f"at most {CPU_EACH * 1e3:g} ms of CPU each, best of {MANY_RUNS}",
        f"{cpu:.3f} ms each",
        cpu / 1000 <= CPU_EACH,
    )
    most = _costs(folder, 10_000)
    growth = least(most, lambda cost: cost.cpu) / cpu
    yield Bar(
        "10,000 TrainJobs, CPU against 1,000",
        f"at most {GROWTH:g} times",
        f"{growth:.1f} times: {cpu * growth:.2f} s",
        growth <= GROWTH,
    )
    memory = max(cost.memory for cost in most)
    yield Bar(
        "10,000 TrainJobs, peak memory",
        f"under {MEMORY / 1e6:.0f} MB",
        f"{memory / 1e6:.0f} MB",
        memory < MEMORY,
    )


def _costs(folder: Path, jobs: int) -> list[Cost]:
    source = inputs.write(folder / str(jobs), jobs)
    return [run([TRAINC, "build", source], folder) for _ in range(MANY_RUNS)]


def peers_on_many(folder: Path) -> Iterator[Bar]:
    """What helm and kustomize need to print the same thousand objects; no bar."""
    source = inputs.write(folder / "for-peers", 1000)
    built = subprocess.run([TRAINC, "build", source], capture_output=True, text=True, check=True)
    commands: dict[str, list[str | Path]] = {"trainc build, TrainJobs": [TRAINC, "build", source]}
    for tool in (HELM, KUSTOMIZE):
        what, program = f"{tool.name} {tool.version}", tool.program
        if not program.exists():
            yield Bar(what, "", "skipped: not installed, see `make peers`", None)
        elif tool is HELM:
            chart = peers.chart(folder / "chart-1000", built.stdout)
            commands[f"helm template {tool.version}, JobSets"] = [program, "template", "b", chart]
        else:
            texts = built.stdout.split("\n---\n")
            made = peers.kustomization(folder / "kustomize", texts)
            commands[f"kustomize build {tool.version}, JobSets"] = [program, "build", made]
    for name, costs in side_by_side(commands, folder, MANY_RUNS).items():
        cpu, wall = least(costs, lambda cost: cost.cpu), least(costs, lambda cost: cost.wall)
        yield Bar(name, "", f"{cpu:.2f} s of CPU, {wall:.2f} s", None)


def imports(folder: Path) -> Iterator[Bar]:
    """What a plain build leaves out of memory."""
    source = inputs.write(folder / "imports", 1)
    program = (
        "import atexit, os, sys; sys.argv = ['trainc', 'build', sys.argv[1]];"
        "os._exit = sys.exit;"
        "atexit.register(lambda: sys.stderr.write(' '.join(sys.modules)));"
        "from trainc.cli import main; main()"
    )
    command: list[str | Path] = [sys.executable, "-c", program, source]
    done = subprocess.run(command, capture_output=True, text=True)
    there = sorted(set(HEAVY) & set(re.findall(r"\S+", done.stderr)))
    what = f"{', '.join(f'`{name}`' for name in HEAVY)} in `sys.modules` after a plain build"
    yield Bar(what, "absent", ", ".join(there) or "absent", not there and done.returncode == 0)


def installed(folder: Path) -> Iterator[Bar]:
    """The wheel with its dependencies; then each of them, which has no bar of its own."""
    (folder / "dist").mkdir()
    found = sizes(install(build(folder / "dist"), folder / "installed"))
    total = found.total()
    yield Bar(
        "the wheel with its dependencies, without extras, .pyc included",
        f"under {LIMIT / 1e6:.0f} MB installed",
        f"{total / 1e6:.1f} MB",
        total < LIMIT,
    )
    for name, size in found.most_common():
        yield Bar(name, "", f"{size / 1e6:.1f} MB", None)


def output_lines(folder: Path) -> int:
    """Lines of the object that one TrainJob of the benchmark compiles to."""
    command: list[str | Path] = [TRAINC, "build", "--no-comments", folder / "one"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return len(done.stdout.splitlines())
