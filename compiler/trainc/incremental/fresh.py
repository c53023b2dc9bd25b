"""Does an output folder hold what an answer says? Told by digests alone.

In: the folder, the digest of the index that a build would write there. Out: yes, or no where
anything at all is different: then somebody who knows objects has to look.
"""

from __future__ import annotations

import json
import os
from hashlib import sha256

from trainc.names import OUTPUT_INDEX
from trainc.source.reader import Reader

_STAGE = ".trainc-stage"
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def is_fresh(folder: str, index: str) -> bool:
    """Whether the folder holds exactly the files of that index, byte for byte.

    Args:
        folder: The output folder of one environment.
        index: SHA-256 of the index a build would write, in hex.
    """
    try:
        data = _bytes(os.path.join(folder, OUTPUT_INDEX))
        if sha256(data).hexdigest() != index or os.path.lexists(os.path.join(folder, _STAGE)):
            return False
        files: dict[str, str] = json.loads(data)["files"]
        parents = {os.path.join(folder, os.path.dirname(name)) for name in files}
        return not any(map(os.path.islink, parents)) and all(
            sha256(_bytes(os.path.join(folder, name))).hexdigest() == digest
            for name, digest in files.items()
        )
    except OSError:
        return False


def is_linked(folders: list[str]) -> bool:
    """Whether one of the folders is a link, or stands behind one: nothing is written there."""
    reader = Reader()
    return any(reader.link(folder.rstrip(os.sep)) for folder in folders)


def gone(folder: str, known: list[str]) -> bool:
    """Whether folders of environments stand there that the project no longer has.

    Where it has some, the folder itself holds no output: that was written before.
    """
    if known and os.path.exists(os.path.join(folder, OUTPUT_INDEX)):
        return True
    try:
        with os.scandir(folder) as listing:
            names = [entry.name for entry in listing if entry.name not in known]
    except OSError:
        return False
    return any(os.path.exists(os.path.join(folder, name, OUTPUT_INDEX)) for name in names)


def _bytes(path: str) -> bytes:
    """A file's bytes; a link is somebody else's.

    Raises:
        OSError: It is not there, a link, or cannot be read.
    """
    descriptor = os.open(path, _FLAGS)
    try:
        size = os.fstat(descriptor).st_size
        return os.read(descriptor, size + 1)
    finally:
        os.close(descriptor)
