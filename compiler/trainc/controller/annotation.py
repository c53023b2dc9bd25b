"""What the compiler left for the controller on a JobSet: the annotation ``trainc.dev/job``.

In: the annotation's text, one JSON object. Out: a ``Note``. The text can be written by whoever may
write JobSets, so nothing in it is believed that could reach beyond the job's own objects.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from trainc.names import (
    CACHE_AUTH_SUFFIX,
    CACHE_SHARED_PREFIX,
    CACHE_SUFFIX,
    FLUX_CURVE_SUFFIX,
    MPI_SSH_SUFFIX,
    TLS_CONFIG_SUFFIX,
)

VERSION: Final = 1

# What may be minted: the compiler's word for it.
SSH: Final = "ssh"
CURVE: Final = "curve"
CACHE_AUTH: Final = "cache-auth"
AUTHORITY: Final = "ca"
_SUFFIXES: Final = {
    SSH: MPI_SSH_SUFFIX,
    CURVE: FLUX_CURVE_SUFFIX,
    CACHE_AUTH: CACHE_AUTH_SUFFIX,
    AUTHORITY: TLS_CONFIG_SUFFIX,
}


# The Secret of a cache that several jobs use is called after the cache's content.
_SHARED: Final = re.compile(f"{CACHE_SHARED_PREFIX}[0-9a-f]{{10}}{CACHE_AUTH_SUFFIX}")


class MalformedError(Exception):
    """The annotation cannot be used; says why."""


@dataclass(frozen=True, slots=True)
class Minted:
    """A Secret or ConfigMap the compiler left to the cluster.

    Attributes:
        name: Of the object.
        kind: ``ssh``, ``curve``, ``cache-auth`` or ``ca`` (a ConfigMap).
    """

    name: str
    kind: str

    @property
    def group(self) -> str:
        """The LeaderWorkerSet of a cache that several jobs use; empty for what is one job's."""
        if self.kind != CACHE_AUTH or not _SHARED.fullmatch(self.name):
            return ""
        return self.name.removesuffix(CACHE_AUTH_SUFFIX) + CACHE_SUFFIX


@dataclass(frozen=True, slots=True)
class Note:
    """The annotation, read.

    Attributes:
        trainjob: Name of the TrainJob the JobSet was built from; the JobSet's own name.
        deadline: ``activeDeadlineSeconds``; 0 where there is none.
        secrets: What to mint.
        features: The features the job was built with.
        digest: Of the job's resolved, immutable part.
        cache: The LeaderWorkerSet that is the job's data cache and ends with it; mostly none.
    """

    trainjob: str
    deadline: int = 0
    secrets: tuple[Minted, ...] = ()
    features: tuple[str, ...] = ()
    digest: str = ""
    cache: str = ""


def read(text: str) -> Note:
    """The note in the annotation's text.

    Raises:
        MalformedError: if it is not of this version's form.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise MalformedError("is not a JSON object")
    if found.get("version") != VERSION:
        raise MalformedError(f"has version {found.get('version')!r}; this one reads {VERSION}")
    trainjob = _text(found, "trainjob")
    return Note(
        trainjob=trainjob,
        deadline=_deadline(found.get("deadlineSeconds")),
        secrets=tuple(_minted(entry, trainjob) for entry in _list(found, "secrets")),
        features=tuple(str(entry) for entry in _list(found, "features")),
        digest=_text(found, "digest") if "digest" in found else "",
        cache=_cache(found, trainjob),
    )


def _text(found: dict[str, Any], key: str) -> str:
    value = found.get(key)
    if not isinstance(value, str) or not value:
        raise MalformedError(f"{key} is not a text")
    return value


def _list(found: dict[str, Any], key: str) -> list[Any]:
    value = found.get(key, [])
    if not isinstance(value, list):
        raise MalformedError(f"{key} is not a list")
    return value


def _deadline(value: object) -> int:
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value < 1 << 63:
        raise MalformedError(f"deadlineSeconds is {value!r}, not a positive integer")
    return value


def _cache(found: dict[str, Any], trainjob: str) -> str:
    """The name of the job's cache, which is settled by the job's."""
    if "cache" not in found:
        return ""
    if _text(found, "cache") != trainjob + CACHE_SUFFIX:
        raise MalformedError(f"cache must be {trainjob + CACHE_SUFFIX!r}")
    return trainjob + CACHE_SUFFIX


def _minted(entry: object, trainjob: str) -> Minted:
    if not isinstance(entry, dict):
        raise MalformedError("an entry of secrets is not an object")
    kind = _text(entry, "kind")
    if kind not in _SUFFIXES:
        raise MalformedError(f"secrets: kind {kind!r} is not known")
    # The name is settled by the job's: an annotation must not choose what is made in a namespace.
    name = trainjob + _SUFFIXES[kind]
    shared = Minted(_text(entry, "name"), kind)
    if shared.group:
        return shared
    if shared.name != name:
        raise MalformedError(f"secrets: {entry['name']!r} of kind {kind} must be named {name!r}")
    return Minted(name, kind)
