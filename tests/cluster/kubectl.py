"""kubectl of the control plane's own version, so that no test depends on what is on the path.

In: the Go tool module ``kubectl/``. Out: the program, built by ``python -m tests.cluster.kubectl``.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path

from tests.cluster.binaries import BuildError, UnavailableError, cache_root, go

HERE = Path(__file__).with_name("kubectl")
_PACKAGE = "k8s.io/kubernetes/cmd/kubectl"
_FLAGS = ["-p", "2", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w"]


def find(build: bool = True) -> Path:
    """The program.

    Raises:
        UnavailableError: if it is not there and may not or cannot be built.
    """
    digest = hashlib.sha256((HERE / "go.sum").read_bytes()).hexdigest()[:16]
    program = cache_root() / f"kubectl-{digest}" / "kubectl"
    if program.exists():
        return program
    if not build:
        raise UnavailableError("not built: kubectl; `make test-cluster` builds it")
    if shutil.which("go") is None:
        raise UnavailableError("needs Go to build kubectl")
    program.parent.mkdir(parents=True, exist_ok=True)
    go(["build", *_FLAGS, "-o", str(program.with_name("building")), _PACKAGE], HERE)
    program.with_name("building").rename(program)
    return program


if __name__ == "__main__":
    try:
        sys.stderr.write(f"{find()}\n")
    except UnavailableError as why:
        sys.stderr.write(f"no kubectl: {why}\n")
        sys.exit(int(isinstance(why, BuildError)))
