"""What the wheel costs on disk: itself and its dependencies, without extras, .pyc included."""

import subprocess
import sys
import venv
from collections import Counter
from importlib.metadata import PathDistribution
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIMIT = 70_000_000  # bytes


def run(*command: object, cwd: Path) -> str:
    """Runs a command that must succeed; gives what it printed."""
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stdout + done.stderr)
    return done.stdout


def build(folder: Path) -> Path:
    """The wheel, built into the folder."""
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


def install(wheel: Path, home: Path) -> Path:
    """A fresh environment with the wheel and its pinned dependencies, compiled as pip does."""
    venv.create(home, with_pip=True)
    pip = (home / "bin" / "python", "-m", "pip")
    pins = ROOT / "deploy" / "trainc.txt"
    only = ("install", "--quiet", "--require-hashes", "--only-binary", ":all:")
    run(*pip, *only, "-r", pins, cwd=home)
    run(*pip, "install", "--quiet", "--no-deps", wheel, cwd=home)
    run(*pip, "check", cwd=home)
    return home


def sizes(home: Path) -> Counter[str]:
    """Bytes of each installed distribution, without pip and setuptools."""
    found: Counter[str] = Counter()
    for info in home.glob("lib/python*/site-packages/*.dist-info"):
        distribution = PathDistribution(info)
        name = distribution.metadata["Name"]
        if name in ("pip", "setuptools"):
            continue
        for file in distribution.files or ():
            found[name] += Path(str(file.locate())).stat().st_size
    return found
