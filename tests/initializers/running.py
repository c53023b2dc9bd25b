"""Initializers, run by the tests: in this process, or as the pod would.

In: settings. Out: what was fetched, or how it ended.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from trainc.initializers.config import Ancestor, load_config
from trainc.initializers.fetch import fetch
from trainc.initializers.manifest import NAME
from trainc.initializers.paths import PARTIAL
from trainc.initializers.progress import Progress

# Tests that take long: `make test-initializers-full` runs them.
full = pytest.mark.full


# Starts a server with that handler, and gives its URL: the fixture ``serve``.
Serve = Callable[[type[BaseHTTPRequestHandler]], str]


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    code: int
    output: str
    reason: str


def fetch_here(
    uri: str, target: Path, environ: Mapping[str, str], ancestor: Ancestor = "dataset"
) -> None:
    """Fetches in this process: quick, and failures are exceptions."""
    patient = {"RETRY_MAX_SECONDS": "5", "READ_TIMEOUT_SECONDS": "5", **environ}
    fetch(load_config(ancestor, patient, uri=uri, target=target), Progress())


def command(ancestor: str) -> list[str]:
    """The program of the pod."""
    return [sys.executable, "-m", "trainc.initializers", ancestor]


def pod_environ(workspace: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """What a pod's program sees: nothing of this process's own settings."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(workspace),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "AWS_EC2_METADATA_DISABLED": "true",
        "TRAINC_WORKSPACE": str(workspace),
        "TRAINC_TERMINATION_LOG": str(workspace / "termination-log"),
        "RETRY_MAX_SECONDS": "5",
        "READ_TIMEOUT_SECONDS": "5",
        **environ,
    }


def run_pod(
    workspace: Path, environ: Mapping[str, str], ancestor: str = "dataset", seconds: float = 120
) -> Ended:
    """Runs the pod's program to its end."""
    ended = subprocess.run(
        command(ancestor),
        env=pod_environ(workspace, environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    log = workspace / "termination-log"
    reason = log.read_text() if log.exists() else ""
    return Ended(ended.returncode, ended.stdout, reason)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file that training would see, with its bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != NAME and PARTIAL not in path.parts
    }


def digests(folder: Path) -> dict[str, str]:
    """As ``tree``, for files too large to hold."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != NAME and PARTIAL not in path.parts:
            with path.open("rb") as file:
                found[path.relative_to(folder).as_posix()] = hashlib.file_digest(
                    file, "sha256"
                ).hexdigest()
    return found


def complete(folder: Path) -> dict[str, Any]:
    """The manifest."""
    held: dict[str, Any] = json.loads((folder / NAME).read_text())
    return held


def some_bytes(count: int, seed: int = 0) -> bytes:
    """Bytes that look random and are the same each time."""
    return random.Random(seed).randbytes(count)
