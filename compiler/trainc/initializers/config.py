"""The environment, read once: what to fetch, where to, how patiently.

In: the names of Kubeflow Trainer's initializers (``STORAGE_URI``, ``IGNORE_PATTERNS``, ...) and a
few of our own. Out: a frozen ``Config``; a provider's own settings come from ``settings``. As in
the reference a variable is a field's name in capitals, and an empty one counts as not set, except
that an empty list of patterns means the empty list (there it could not be said).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, get_type_hints
from urllib.parse import urlsplit

from trainc.initializers.failure import ConfigurationError
from trainc.names import DATASET_FOLDER, MODEL_FOLDER, WORKSPACE

Ancestor = Literal["dataset", "model"]

# spec.initializer.*.storageUri of the CRD.
_URI: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.+)", re.DOTALL)
# Schemes whose paths are those of a file system: any bytes.
_OF_BYTES: Final = frozenset({"file", "pvc"})
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})

_MOST_CONNECTIONS: Final = 256
_SHORTEST: Final = 0.1  # seconds
_LONGEST: Final = 7 * 24 * 3600  # seconds

_T = TypeVar("_T")


@dataclass(frozen=True)
class StorageUri:
    """A storage URI, taken apart without a guess at escapes: an object's key may hold ? # and %."""

    text: str
    scheme: str
    host: str  # the bucket, the organisation, the claim
    path: str  # without the leading slash


@dataclass(frozen=True)
class Patterns:
    """Which files are wanted; ``None`` stands for the default of the provider."""

    allow: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None


def default_concurrency() -> int:
    """Connections at a time: enough to hide latency, no more than few CPUs can serve."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    count = len(affinity(0)) if affinity else os.cpu_count() or 1
    return min(16, 4 * count)


@dataclass(frozen=True)
class Config:
    """What one fetch needs to know.

    Attributes:
        uri: What to fetch.
        ancestor: ``dataset`` or ``model``.
        target: The folder the files go to.
        patterns: ``ALLOW_PATTERNS`` and ``IGNORE_PATTERNS``.
        refresh: ``REFRESH``: ask the remote even if everything is there.
        retry_max_seconds: ``RETRY_MAX_SECONDS``: how long failures in a row are retried.
        read_timeout_seconds: ``READ_TIMEOUT_SECONDS``: silence after which a connection is dead.
        concurrency: ``CONCURRENCY``: connections at a time; 4 a CPU, at most 16, where not set.
        verify_etag: ``VERIFY_ETAG``: whether etags that look like digests are taken for digests.
        environ: Where a provider's own settings are read from.
    """

    uri: StorageUri
    ancestor: Ancestor
    target: Path
    patterns: Patterns = field(default_factory=Patterns)
    refresh: bool = False
    retry_max_seconds: float = 300.0
    read_timeout_seconds: float = 30.0
    concurrency: int = field(default_factory=default_concurrency)
    verify_etag: bool = True
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)


def load_config(
    ancestor: Ancestor, environ: Mapping[str, str], uri: str = "", target: Path | None = None
) -> Config:
    """The fetch that the environment describes; ``uri`` and ``target`` stand in for its own.

    Raises:
        ConfigurationError: if a value cannot be used; names the variable.
    """
    folder = DATASET_FOLDER if ancestor == "dataset" else MODEL_FOLDER
    workspace = Path(environ.get("TRAINC_WORKSPACE") or WORKSPACE)
    return Config(
        uri=storage_uri(uri or environ.get("STORAGE_URI", "")),
        ancestor=ancestor,
        target=target or workspace / folder,
        patterns=Patterns(
            allow=_patterns(environ, "ALLOW_PATTERNS"), ignore=_patterns(environ, "IGNORE_PATTERNS")
        ),
        environ=environ,
        **_numbers(environ),
    )


def storage_uri(text: str) -> StorageUri:
    """The URI, taken apart.

    Raises:
        ConfigurationError: if it is empty or none.
    """
    text = text.strip()
    if not text:
        raise ConfigurationError("STORAGE_URI is not set: it says what to fetch")
    match = _URI.fullmatch(text)
    if match is None:
        raise ConfigurationError(f"STORAGE_URI {text!r} is not of the form scheme://...")
    scheme = match["scheme"].lower()
    if scheme not in _OF_BYTES and text != text.encode(errors="replace").decode():
        raise ConfigurationError(f"STORAGE_URI {text!r} is not UTF-8")
    host, _, path = match["rest"].partition("/")
    return StorageUri(text, scheme, host, path)


def settings(cls: type[_T], environ: Mapping[str, str]) -> _T:
    """A provider's settings: each field of the dataclass from the variable of its name.

    Raises:
        ConfigurationError: if a value is not of the field's type, or a required one is missing.
    """
    hints = get_type_hints(cls)
    values: dict[str, Any] = {}
    for each in fields(cls):  # type: ignore[arg-type]
        name = each.name.upper()
        text = environ.get(name, "").strip()
        if text:
            values[each.name] = _value(name, text, hints[each.name])
        elif each.default is MISSING and each.default_factory is MISSING:
            raise ConfigurationError(f"{name} is not set")
    return cls(**values)


def server_url(name: str, text: str) -> str:
    """A server's URL, or the empty text, as the variable ``name`` has it.

    Raises:
        ConfigurationError: if no request could be sent there.
    """
    try:
        parts = urlsplit(text)
        named = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        usable = named and not {"?", "#"} & set(text)  # paths follow it
    except ValueError:  # brackets, or a port that is no number
        usable = False
    if text and (not usable or not text.isprintable() or " " in text):
        raise ConfigurationError(f"{name} {text!r} is not of the form http(s)://host[:port]")
    return text


def boolean(name: str, text: str) -> bool:
    """What the variable ``name`` says, where that is yes or no.

    Raises:
        ConfigurationError: if it is neither.
    """
    return bool(_value(name, text, bool))


def check_seconds(name: str, seconds: float, least: float = 0) -> None:
    """Refuses a time that the variable ``name`` cannot mean: none is without end.

    Raises:
        ConfigurationError: if it is one.
    """
    # Not a number is in no range either.
    if not least <= seconds <= _LONGEST:
        raise ConfigurationError(f"{name} must be {least} to {_LONGEST} seconds")


def _numbers(environ: Mapping[str, str]) -> dict[str, Any]:
    """The settings of ``Config`` that are no text, where the environment has them."""
    hints = get_type_hints(Config)
    names = (
        "refresh",
        "retry_max_seconds",
        "read_timeout_seconds",
        "concurrency",
        "verify_etag",
    )
    values = {}
    for name in names:
        text = environ.get(name.upper(), "").strip()
        if text:
            values[name] = _value(name.upper(), text, hints[name])
    _check(values)
    return values


def _check(values: Mapping[str, Any]) -> None:
    """Refuses numbers that nothing could be done with."""
    if not 1 <= values.get("concurrency", 1) <= _MOST_CONNECTIONS:
        raise ConfigurationError(f"CONCURRENCY must be 1 to {_MOST_CONNECTIONS}")
    for name, least in (("retry_max_seconds", 0), ("read_timeout_seconds", _SHORTEST)):
        check_seconds(name.upper(), values.get(name, least), least)


def _patterns(environ: Mapping[str, str], name: str) -> tuple[str, ...] | None:
    """The comma-separated patterns; None where the variable is not there at all."""
    if name not in environ:
        return None
    return tuple(part for part in map(str.strip, environ[name].split(",")) if part)


def _value(name: str, text: str, kind: type) -> Any:
    try:
        if kind is bool:
            return _boolean(text)
        return kind(text) if kind in (int, float) else text
    except ValueError:
        words = {bool: "true or false", int: "a whole number", float: "a number"}
        raise ConfigurationError(f"{name} must be {words[kind]}, got {text!r}") from None


def _boolean(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError(text)
