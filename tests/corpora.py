"""The reference's data: packed in ``tests/data``, unpacked in the cache when a test reads it.

Outside of the tree, because below it the inputs would be jobs of this repository's own project, and
its overlays would change them.

``tests/data/README.md`` says what they hold and how they were made. ``python -m tests.corpora
conformance FOLDER`` packs a folder anew.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import lzma
import os
import shutil
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "tests" / "data"
UNPACKED = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trainc" / "corpora"
NAMES = ("conformance", "crds")


def conformance() -> Path:
    """The conformance corpus: ``$TRAINC_CONFORMANCE_DIR``, else the one packed here."""
    given = os.environ.get("TRAINC_CONFORMANCE_DIR")
    return Path(given).resolve() if given else unpacked("conformance")


def crds() -> Path:
    """The reference's CustomResourceDefinitions: ``$TRAINC_CRDS_DIR``, else those packed here."""
    given = os.environ.get("TRAINC_CRDS_DIR")
    return Path(given).resolve() if given else unpacked("crds")


def unpacked(name: str) -> Path:
    """The folder of a corpus; the archive's digest names it, so a new archive is unpacked anew."""
    data = archive(name).read_bytes()
    folder = UNPACKED / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}"
    if folder.exists():
        return folder
    UNPACKED.mkdir(parents=True, exist_ok=True)
    into = Path(tempfile.mkdtemp(dir=UNPACKED, prefix=f"{name}."))
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:xz") as files:
        files.extractall(into, filter="data")
    try:
        into.rename(folder)
    except OSError:  # another process was first
        shutil.rmtree(into)
    return folder


def archive(name: str) -> Path:
    """The packed file."""
    return DATA / f"{name}.tar.xz"


def pack(folder: Path) -> bytes:
    """All files of a folder as one archive, without owner, time and order of the disk."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as files:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
            entry.size, entry.mode = path.stat().st_size, 0o644
            with path.open("rb") as data:
                files.addfile(entry, data)
    return lzma.compress(plain.getvalue(), preset=9 | lzma.PRESET_EXTREME)


def main() -> None:
    """Packs a folder as the named corpus."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    archive(arguments.name).write_bytes(pack(arguments.folder))


if __name__ == "__main__":
    main()
