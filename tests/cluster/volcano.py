"""Volcano's definition of a PodGroup, made from its own Go types: no module holds it as a file.

In: the Go tool module ``volcano/``. Out: the file. ``python -m tests.cluster.volcano`` makes it.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

from tests.cluster.binaries import BuildError, UnavailableError, cache_root, go

HERE = Path(__file__).with_name("volcano")
FILE = "scheduling.volcano.sh_podgroups.yaml"
_TYPES = "volcano.sh/apis/pkg/apis/scheduling/v1beta1"


def find(build: bool = True) -> Path:
    """The file of the definition.

    Raises:
        UnavailableError: if it is not there and may not or cannot be made.
    """
    digest = hashlib.sha256((HERE / "go.sum").read_bytes()).hexdigest()[:16]
    folder = cache_root() / f"volcano-{digest}"
    if folder.exists():
        return folder / FILE
    if not build:
        raise UnavailableError("not made: PodGroup; `python -m tests.cluster.volcano` makes it")
    if shutil.which("go") is None:
        raise UnavailableError("needs Go to make Volcano's definition of a PodGroup")
    cache_root().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="volcano.", dir=cache_root()) as into:
        made = Path(into) / "made"
        go(["tool", "controller-gen", "crd", f"paths={_TYPES}", f"output:crd:dir={made}"], HERE)
        try:
            made.rename(folder)
        except OSError:  # another run was faster
            if not folder.exists():
                raise
    return folder / FILE


if __name__ == "__main__":
    try:
        sys.stderr.write(f"{find()}\n")
    except UnavailableError as why:
        sys.stderr.write(f"no PodGroup of Volcano: {why}\n")
        sys.exit(int(isinstance(why, BuildError)))
