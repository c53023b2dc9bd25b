"""Where the engines' programs and manifests are; builds what is missing.

In: the Go module ``module/``, whose ``go.sum`` pins all it downloads, and the modules of
``COPIES``, pinned by their sums here. Six modules do not build as they are, or would bring the SDKs
of every cloud: they are copied from the module cache beside ``module/``, and what ``replacements/``
holds takes the place of what was there. Out: the programs, and the manifests they come with, in a
folder of the plane's cache that is named by the digest of all that. ``python -m
tests.engines.binaries`` builds from the command line.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.binaries import BuildError, UnavailableError, cache_root, go

HERE = Path(__file__).parent
_MODULE = HERE / "module"
_REPLACEMENTS = HERE / "replacements"
_STAND_INS = HERE / "stand-ins"
_FLAGS = ["-p", "2", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w"]


@dataclass(frozen=True)
class Copy:
    """A module that is built from a copy: what is left out of it, and which lines differ."""

    name: str
    module: str
    version: str
    sum: str
    left_out: tuple[str, ...] = ()  # files or patterns of files
    lines: tuple[tuple[str, str, str], ...] = ()  # file, text, new text


COPIES = (
    # Its visibility API server: 290 packages. The path of the metrics' certificate is fixed.
    Copy(
        "kueue",
        "sigs.k8s.io/kueue",
        "v0.17.0",
        "h1:7hzb38M4eKGzYW+CFv2s1L+swzzacUCHOCXxZmAV90I=",
        ("pkg/visibility/*",),
        (("cmd/kueue/main.go", '"/etc/kueue/metrics/certs"', "cfg.Webhook.CertDir"),),
    ),
    # Kueue needs its types; the generated file names one that Kubernetes 0.36 dropped.
    Copy(
        "trainer",
        "github.com/kubeflow/trainer/v2",
        "v2.2.0",
        "h1:whChZckEtycLo1UKH/M0hiNaCUozbLvf9JrgmMv+TAg=",
        ("pkg/apis/trainer/v1alpha1/zz_generated.openapi.go",),
    ),
    # SOPS with the clouds' key services.
    Copy(
        "kustomize-controller",
        "github.com/fluxcd/kustomize-controller",
        "v1.9.6",
        "h1:XB+G3A0mky0j5uVHZWv4oSlS2RvZBoNIUhstIvY0JKE=",
        ("internal/decryptor/*",),
    ),
    # The clouds' logins.
    Copy(
        "auth",
        "github.com/fluxcd/pkg/auth",
        "v0.54.3",
        "h1:p0KyQHk9kdBwOnkChkuK8gGaaze0KHO0xFGk/iKd4Ek=",
    ),
    # Helm, buckets and signatures: what stays are its controllers of Git and OCI.
    Copy(
        "source-controller",
        "github.com/fluxcd/source-controller",
        "v1.9.6",
        "h1:nG534/bI6nVpyHra7ONAk6xDB3xPsVT+EOLHZHXPrrc=",
        (
            "main.go",
            "internal/controller/bucket_controller.go",
            "internal/controller/helm*_controller.go",
            "internal/oci/cosign/*",
            "internal/oci/notation/*",
        ),
    ),
    # Its metrics listen everywhere, and no flag changes that.
    Copy(
        "argo-cd",
        "github.com/argoproj/argo-cd/v3",
        "v3.5.7",
        "h1:Xm1BF+I5OgDKUG3SDK49vn2/Y5AMyaNVko+/JT08gj0=",
        ("ui", "docs", "test"),
        (("controller/appcontroller.go", '("0.0.0.0:%d", metr', '("127.0.0.1:%d", metr'),),
    ),
)  # fmt: skip
# The first that are built share the most with those after them.
PROGRAMS = {
    "kueue": "sigs.k8s.io/kueue/cmd/kueue",
    "kustomize-controller": "github.com/fluxcd/kustomize-controller",
    "source-controller": "github.com/fluxcd/source-controller",
    "registry": "./registry",
    "push": "./push",
    "argocd": "./argocd",
}
# name in the cache -> (copy, folder or file)
MANIFESTS = {
    "kueue": ("kueue", "config/components"),
    "kustomize-controller": ("kustomize-controller", "config/crd/bases"),
    "source-controller": ("source-controller", "config/crd/bases"),
    "argocd": ("argo-cd", "manifests/crds"),
    "argocd-hack": ("argo-cd", "hack"),
}


@dataclass(frozen=True)
class Engines:
    """The folders of the programs, by the names of ``PROGRAMS``, and of their manifests."""

    programs: Path
    manifests: Path


def find(build: bool = True) -> Engines:
    """The engines; those that are missing are built (many minutes) when ``build`` allows it.

    Raises:
        UnavailableError: if something is missing and may not or cannot be built.
    """
    folder = cache_root() / f"engines-{_digest()}"
    engines = Engines(folder / "bin", folder / "manifests")
    if _complete(engines):
        return engines
    if not build:
        raise UnavailableError("the engines are not built; `make test-engines` builds them")
    if shutil.which("go") is None:
        raise UnavailableError("needs Go to build Kueue, Flux and Argo CD")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _complete(engines):
            with tempfile.TemporaryDirectory(prefix="source.", dir=folder) as source:
                _build(Path(source), engines)
    return engines


def _complete(engines: Engines) -> bool:
    return engines.manifests.is_dir() and all((engines.programs / n).exists() for n in PROGRAMS)


def _digest() -> str:
    digest = hashlib.sha256(repr((COPIES, PROGRAMS, MANIFESTS)).encode())
    for folder in (_MODULE, _REPLACEMENTS, _STAND_INS):
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            digest.update(f"{file.relative_to(HERE)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _build(source: Path, engines: Engines) -> None:
    shutil.copytree(_MODULE, source / "module")
    shutil.copytree(_STAND_INS, source / "stand-ins")
    for copy in COPIES:
        _copy_module(source, copy)
    engines.programs.mkdir(exist_ok=True)
    for name, package in PROGRAMS.items():
        if (engines.programs / name).exists():
            continue
        started = time.monotonic()
        print(f"building {name} (minutes, once)", file=sys.stderr, flush=True)
        program = source / f"{name}.program"
        go(["build", *_FLAGS, "-o", str(program), package], source / "module")
        program.rename(engines.programs / name)
        print(f"built in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    _keep_manifests(source, engines)


def _copy_module(source: Path, copy: Copy) -> None:
    said = go(
        ["mod", "download", "-json", f"{copy.module}@{copy.version}"], source, subprocess.PIPE
    )
    download = json.loads(said)
    if download["Sum"] != copy.sum:
        raise BuildError(f"{copy.module}@{copy.version} has the sum {download['Sum']}")
    into = source / copy.name
    shutil.copytree(download["Dir"], into, ignore=shutil.ignore_patterns("testdata", ".git*"))
    for path in (into, *into.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)  # the module cache is read-only
    for pattern in copy.left_out:
        for path in into.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name, old, new in copy.lines:
        text = (into / name).read_text()
        if text.count(old) != 1:
            raise BuildError(f"{copy.module}: {name} does not hold {old!r} once")
        (into / name).write_text(text.replace(old, new))
    if (_REPLACEMENTS / copy.name).is_dir():
        shutil.copytree(_REPLACEMENTS / copy.name, into, dirs_exist_ok=True)


def _keep_manifests(source: Path, engines: Engines) -> None:
    into = source / "manifests"
    for name, (copy, folder) in MANIFESTS.items():
        shutil.copytree(source / copy / folder, into / name)
    shutil.rmtree(engines.manifests, ignore_errors=True)
    into.rename(engines.manifests)


def main() -> int:
    """Builds what is missing; 1 only if that was tried and failed."""
    try:
        print(find().programs, file=sys.stderr)
    except UnavailableError as why:
        print(f"no engines: {why}", file=sys.stderr)
        return int(isinstance(why, BuildError))  # else the tests themselves skip with this message
    return 0


if __name__ == "__main__":
    sys.exit(main())
