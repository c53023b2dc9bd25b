"""The programs of others, as tests ask for them: `make test-programs` builds them."""

import json
import shutil
import subprocess
import zipfile
from functools import cache
from pathlib import Path

import pytest

from tests.tools import Tool, missing


def program(tool: Tool) -> Path:
    """The program; the test is skipped, and says why, where it was not built."""
    if why := missing(tool):
        pytest.skip(why)
    return tool.program


@cache
def module_file(module: str, path: str) -> bytes:
    """One file of a Go module at a version; skipped where it cannot be downloaded.

    Args:
        module: ``example.com/module@v1.0.0``.
        path: The file, from the module's root.
    """
    if shutil.which("go") is None:
        pytest.skip("no go: it downloads the module")
    # Its status is of whether this Go can build the module; the archive is there all the same.
    done = subprocess.run(
        ["go", "mod", "download", "-json", module], cwd="/", capture_output=True, check=False
    )
    archive = json.loads(done.stdout or b"{}").get("Zip")
    if archive is None:
        pytest.skip(f"{module} cannot be downloaded: {done.stderr.decode()[-200:]}")
    with zipfile.ZipFile(archive) as files:
        return files.read(f"{module}/{path}")
