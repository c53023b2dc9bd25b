"""The programs: found where ``make peers`` puts them, or built there; needs Go and its proxy."""

import json
import os
import shutil
import subprocess
import zipfile
from functools import cache
from pathlib import Path

import pytest

from tests.bench.peers import find

MODULES = {
    "cue": "cuelang.org/go/cmd/cue@v0.15.1",
    "helm": "helm.sh/helm/v4/cmd/helm@v4.3.1",
    "kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0",
    "kustomize": "sigs.k8s.io/kustomize/kustomize/v5@v5.8.2",
}


def program(name: str) -> Path:
    """The program; the test is skipped, and says why, where it cannot be had."""
    found = find(name) or _built(name)
    if found is None:
        pytest.skip(f"no {name}: 'make peers' builds it, with Go and a network")
    return found


@cache
def _built(name: str) -> Path | None:
    if shutil.which("go") is None:
        return None
    cached = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trainc-peers"
    folder = os.environ.get("TRAINC_PEERS") or str(cached)
    command = ["go", "install", MODULES[name]]
    subprocess.run(command, env={**os.environ, "GOBIN": folder}, capture_output=True, check=False)
    return find(name)


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
