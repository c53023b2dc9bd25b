"""Containerfiles without an engine: read, and their build stage run in a folder of its own.

In: a file of ``deploy/images``. Out: its stages; and what the last one would hold, from the same
pip lines, with the folders of the image put somewhere else.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.corpus import ROOT

IMAGES = ROOT / "deploy" / "images"
HOME = "/opt/trainc"  # where every image has its environment
SOURCE = "/src"


@dataclass(frozen=True)
class Stage:
    """What stands between one FROM and the next.

    Attributes:
        base: Its image, or an earlier stage.
        name: What others call it; empty where nobody does.
        steps: Its instructions, each with the rest of its line.
    """

    base: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def of(self, word: str) -> list[str]:
        """The arguments of each instruction of that name."""
        return [rest for each, rest in self.steps if each == word]


def read(file: Path) -> tuple[dict[str, str], list[Stage]]:
    """The arguments that stand before the first stage, and the stages."""
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    for line in file.read_text().splitlines():
        word, _, rest = line.partition(" ")
        if not line or line.startswith("#"):
            continue
        if word == "ARG" and not stages:
            name, _, value = rest.partition("=")
            arguments[name] = value
        elif word == "FROM":
            base, _, name = rest.partition(" AS ")
            stages.append(Stage(base, name))
        else:
            stages[-1].steps.append((word, rest))
    return arguments, stages


@dataclass(frozen=True)
class Image:
    """An image's environment, in a folder of this machine.

    Attributes:
        home: What is ``/opt/trainc`` there.
        source: What is ``/src`` in the build stage.
        stages: All stages of its file.
    """

    home: Path
    source: Path
    stages: list[Stage]

    def path(self, inside: str) -> Path:
        """Where a path of the build stage is here."""
        for there, here in ((HOME, self.home), (SOURCE, self.source)):
            if inside == there or inside.startswith(f"{there}/"):
                return here / inside[len(there) :].lstrip("/")
        raise AssertionError(f"{inside} is in no folder of the build stage")

    def entry(self, target: str) -> list[str]:
        """The entry point of a target; the last stage's where it is empty."""
        stage = next(s for s in reversed(self.stages) if target in ("", s.name))
        (text,) = stage.of("ENTRYPOINT")
        program, *arguments = json.loads(text)
        return [str(self.home / "bin" / program), *arguments]

    def environment(self, **more: str) -> dict[str, str]:
        """What a container is started with, and the temporary folder it is told of."""
        said = [text for stage in self.stages for text in stage.of("ENV")]
        pairs = dict(pair.partition("=")[::2] for text in said for pair in text.split())
        pairs["PATH"] = f"{self.home}/bin:/usr/bin:/bin"
        return {**pairs, "HOME": "/", **more}


def replay(name: str, folder: Path, base: Path) -> Image:
    """Runs the build stage of a file line by line.

    Args:
        name: Of the file.
        folder: Where the stage's folders are put.
        base: What stands for the base image: an environment with pip.

    Raises:
        AssertionError: a line fails; says what it printed.
    """
    _, stages = read(IMAGES / f"{name}.Containerfile")
    image = Image(folder / "opt", folder / "src", stages)
    environment = {**os.environ, "PATH": f"{base}/bin:{os.environ['PATH']}"}
    image.source.mkdir()
    for word, rest in stages[0].steps:
        if word == "COPY":
            _copy(rest, image.source)
        elif word == "RUN":
            line = rest.replace(HOME, str(image.home))
            done = subprocess.run(
                ["/bin/sh", "-ec", line],
                cwd=image.source,
                env=environment,
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, f"{rest}\n{done.stdout}{done.stderr}"
    return image


def _copy(rest: str, into: Path) -> None:
    *sources, target = rest.split()
    for source in sources:
        found, there = ROOT / source, into / target
        if found.is_dir():
            shutil.copytree(found, there, symlinks=True)
        elif target.endswith("/"):
            there.mkdir(parents=True, exist_ok=True)
            shutil.copy(found, there)
        else:
            shutil.copy(found, there)
