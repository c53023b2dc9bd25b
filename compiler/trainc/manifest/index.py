"""``.trainc.json``: which files of an output folder are ours, and what they were made from.

In: the bytes of the index, or what a build wrote. Out: the same the other way round. It holds no
time and no absolute path, so the same build makes the same index.

A folder may hold the output of several builds. ``outputs`` says of each source which files were
made from it, so that none of them removes what another one made (``manifest/scope.py``).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from trainc.names import OUTPUT_INDEX
from trainc.version import __version__

NAME: Final = OUTPUT_INDEX

# Exactly what path.py makes: nothing that could lead out of the folder, or to the index itself.
_OURS: Final = re.compile(r"[a-z0-9_%][a-z0-9._%-]*/[a-z0-9_%][a-z0-9._%-]*\.yaml")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class NotAnIndexError(ValueError):
    """The file is not an index, or one that was edited."""


@dataclass(frozen=True)
class Index:
    """What stands in the index.

    Attributes:
        files: File, relative to the folder, POSIX -> SHA-256 of its bytes, in hex.
        sources: File as printed in messages -> SHA-256 of its bytes, in hex.
        outputs: File, relative to the folder -> names of the TrainJobs' files that it was made
            from, sorted (``Scope.name``). trainc 0.1 wrote none.
        compiler: Version that wrote it.
        unfinished: The build that wrote it did not end: files may be old, new or missing.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    compiler: str = __version__
    unfinished: bool = False

    def dump(self) -> bytes:
        """The index as JSON, keys sorted."""
        document: dict[str, Any] = {"compiler": self.compiler}
        if self.unfinished:
            document["unfinished"] = True
        document["sources"] = dict(sorted(self.sources.items()))
        document["files"] = dict(sorted(self.files.items()))
        by_source: dict[str, list[str]] = {}
        for file, names in sorted(self.outputs.items()):
            for name in names:
                by_source.setdefault(name, []).append(file)
        document["outputs"] = dict(sorted(by_source.items()))
        return (json.dumps(document, indent=2) + "\n").encode()


def load(data: bytes) -> Index:
    """The index a former build wrote.

    Raises:
        NotAnIndexError: It was not written by trainc: nothing may be removed on its word.
    """
    try:
        document = json.loads(data)
        index = Index(
            files=document["files"],
            sources=document["sources"],
            outputs=_by_file(document.get("outputs", {})),
            compiler=document["compiler"],
            unfinished=document.get("unfinished", False) is True,
        )
        sound = all(
            _OURS.fullmatch(name) and _DIGEST.fullmatch(d) for name, d in index.files.items()
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise NotAnIndexError(str(error)) from error
    if not sound:
        raise NotAnIndexError("it names a file that trainc would not write")
    return index


def _by_file(by_source: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    """The names of the sources of each file, from the files of each source."""
    found: dict[str, list[str]] = {}
    for source, files in sorted(by_source.items()):
        for file in files:
            found.setdefault(file, []).append(source)
    return {file: tuple(names) for file, names in found.items()}
