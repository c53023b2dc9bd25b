"""Where the control plane's programs and manifests are; builds what is missing.

In: ``$KUBEBUILDER_ASSETS`` (a folder with etcd and kube-apiserver), ``$TRAINC_PLANE_DIR`` (the
cache, default ``~/.cache/trainc/plane``) and the Go tool modules beside this file, whose ``go.sum``
pins everything that is downloaded. Out: a ``Binaries``. The cache's folder is named by the modules'
digest, so a new version is built anew.
``python -m tests.cluster.binaries`` builds from the command line.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
KUBERNETES = "v1.35.4"


@dataclass(frozen=True)
class Module:
    """A Go tool module: its folder, the packages built from it, and what the linker is told."""

    folder: Path
    packages: Mapping[str, str]  # name of the program -> package
    flags: str = ""


def _version_flags() -> str:
    _, minor, _ = KUBERNETES.split(".")
    said = {"gitVersion": KUBERNETES, "gitMajor": "1", "gitMinor": minor}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return " ".join(f"-X {p}.{name}={value}" for p in packages for name, value in said.items())


MODULES = (
    Module(
        HERE / "kubernetes",
        {
            "etcd": "go.etcd.io/etcd/server/v3",
            "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
            "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
            "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
        },
        _version_flags(),
    ),
    Module(
        HERE / "operators",
        {"jobset": "sigs.k8s.io/jobset", "kwok": "sigs.k8s.io/kwok/cmd/kwok"},
    ),
)
# Folders of the modules which hold manifests: kept in the cache, so that only building needs Go.
MANIFESTS = {
    "jobset-crd": ("operators", "sigs.k8s.io/jobset", "config/components/crd/bases"),
    "jobset-webhook": ("operators", "sigs.k8s.io/jobset", "config/components/webhook"),
    # Its manager wants an older controller-runtime; the tests need the kind, not its life.
    "lws-crd": ("manifests", "sigs.k8s.io/lws", "config/crd/bases"),
    "kwok-stage": ("operators", "sigs.k8s.io/kwok", "kustomize/stage"),
}


@dataclass(frozen=True)
class Binaries:
    """The programs by name, and the folder of the manifests they come with."""

    programs: Mapping[str, Path]
    manifests: Path


class UnavailableError(Exception):
    """The programs are not there and cannot be built here; says why."""


class BuildError(UnavailableError):
    """They should have been built here, and that failed."""


def find(build: bool = True) -> Binaries:
    """The programs; those in no folder are built (minutes) when ``build`` allows it.

    Raises:
        UnavailableError: if something is missing and may not or cannot be built.
    """
    cache = cache_root() / _digest()
    with _locked(cache):
        for module in MODULES:
            missing = {n: p for n, p in module.packages.items() if not _program(cache, n).exists()}
            if missing:
                _may_build(build, sorted(missing))
                _build(cache, module, missing)
        if not (cache / "manifests").exists():
            _may_build(build, ["the operators' manifests"])
            _keep_manifests(cache)
    programs = {name: _program(cache, name) for module in MODULES for name in module.packages}
    return Binaries(programs, cache / "manifests")


def cache_root() -> Path:
    """Where what the tests need is kept, outside the tree."""
    if given := os.environ.get("TRAINC_PLANE_DIR"):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trainc/plane"


def _digest() -> str:
    digest = hashlib.sha256(_version_flags().encode())
    for module in MODULES:
        digest.update((module.folder / "go.mod").read_bytes())
        digest.update((module.folder / "go.sum").read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def _locked(cache: Path) -> Iterator[None]:
    try:
        cache.mkdir(parents=True, exist_ok=True)
        lock = (cache / "lock").open("w")
    except OSError as error:
        raise UnavailableError(f"cannot write to the cache: {error}") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _program(cache: Path, name: str) -> Path:
    assets = os.environ.get("KUBEBUILDER_ASSETS", "")
    given = Path(assets) / name
    return given if assets and given.exists() else cache / "bin" / name


def _may_build(build: bool, missing: list[str]) -> None:
    if not build:
        raise UnavailableError(f"not built: {', '.join(missing)}; `make test-cluster` builds them")
    if shutil.which("go") is None:
        raise UnavailableError(f"needs Go to build: {', '.join(missing)}")
    said = _run_go(["list", "-m"], MODULES[0].folder, subprocess.PIPE)
    if said.returncode:  # too old, and may not fetch another
        raise UnavailableError(said.stderr.strip())


def _build(cache: Path, module: Module, packages: Mapping[str, str]) -> None:
    """One ``go build`` for all packages, so that what they share is compiled once."""
    started = time.monotonic()
    print(f"building {', '.join(packages)} (minutes, once)", file=sys.stderr, flush=True)
    into = Path(tempfile.mkdtemp(prefix="building.", dir=cache))
    flags = ["-p", "2", "-mod=readonly", "-trimpath", "-buildvcs=false"]
    linker = ["-ldflags", f"-s -w {module.flags}".strip()]
    try:
        go(["build", *flags, *linker, "-o", f"{into}/", *packages.values()], module.folder)
        (cache / "bin").mkdir(exist_ok=True)
        for name, package in packages.items():
            built = package.removesuffix("/v3").rsplit("/", 1)[-1]
            (into / built).rename(cache / "bin" / name)
    finally:
        shutil.rmtree(into)
    print(f"built in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)


def _keep_manifests(cache: Path) -> None:
    into = Path(tempfile.mkdtemp(prefix="manifests.", dir=cache))
    for name, (home, module, folder) in MANIFESTS.items():
        said = go(["mod", "download", "-json", module], HERE / home, subprocess.PIPE)
        shutil.copytree(Path(json.loads(said)["Dir"]) / folder, into / name)
    into.chmod(0o755)
    for path in into.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)  # the module cache is read-only
    into.rename(cache / "manifests")


def go(arguments: list[str], folder: Path, stderr: int | None = None) -> str:
    """What a command of Go printed, run in a tool module's folder.

    Raises:
        BuildError: if it failed.
    """
    out = _run_go(arguments, folder, stderr)
    if out.returncode:
        raise BuildError(
            f"go {' '.join(arguments)} ended with {out.returncode}\n{out.stderr or ''}"
        )
    return out.stdout


def _run_go(
    arguments: list[str], folder: Path, stderr: int | None
) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "-mod=readonly"}
    command = ["go", *arguments]
    return subprocess.run(
        command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=stderr, text=True, check=False
    )


def main() -> int:
    """Builds what is missing; 1 only if that was tried and failed."""
    try:
        for _, path in sorted(find().programs.items()):
            print(path, file=sys.stderr)
    except UnavailableError as why:
        print(f"no control plane: {why}", file=sys.stderr)
        return int(isinstance(why, BuildError))  # else the tests themselves skip with this message
    return 0


if __name__ == "__main__":
    sys.exit(main())
