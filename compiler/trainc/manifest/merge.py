"""The index of a folder that several builds write to: theirs stays, what this one covers is new.

In: the index that stands there, what a build made, and its scope. Out: the index to write, and what
becomes of each file that the build did not make.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from trainc.manifest.index import Index
from trainc.manifest.scope import Scope


class Merge(NamedTuple):
    """What a build comes to in a folder that holds the output of others too.

    Attributes:
        new: The index to write.
        stale: Files of the old index that no source makes any more: to be removed.
        others: Files of the old index that belong to sources the build does not cover: kept.
        unknown: Files of the old index whose sources cannot be identified: kept.
    """

    new: Index
    stale: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def merge(
    folder: Path,
    old: Index,
    texts: Mapping[str, str],
    sources: Mapping[str, str],
    origins: Mapping[str, Sequence[str]],
    scope: Scope,
) -> Merge:
    """Merges what a build made into the index of its folder.

    Args:
        folder: The output folder.
        old: Its index.
        texts: Relative POSIX path -> the whole text of the file.
        sources: Printed name of each source -> SHA-256.
        origins: Relative POSIX path -> real paths of the sources the file was made from.
        scope: The sources that the build covers.
    """
    real = os.path.realpath(folder)
    found: dict[str, list[str]] = {"covered": [], "other": [], "unknown": []}
    for name in sorted(old.files.keys() - texts.keys()):
        found[scope.owner(real, old.outputs.get(name, ()))].append(name)
    kept = {*found["other"], *found["unknown"]}
    outputs = {name: old.outputs[name] for name in kept if name in old.outputs}
    for name in texts:
        made = {scope.name(real, path) for path in origins.get(name, ())}
        before = {*old.outputs.get(name, ())} - made
        outputs[name] = tuple(sorted(made.union(scope.others(real, before) if before else ())))
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    new = Index(
        files={**{name: old.files[name] for name in kept}, **digests},
        sources={**old.sources, **sources} if kept else sources,
        outputs={name: names for name, names in outputs.items() if names},
    )
    return Merge(new, *(tuple(found[owner]) for owner in ("covered", "other", "unknown")))
