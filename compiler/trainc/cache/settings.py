"""The environment of head and worker, read once.

In: environment variables (``trainc.names``). Out: frozen settings, or every fault of them at once.
"""

import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trainc import codes, names
from trainc.cache.security import Security
from trainc.cache.sources.source import KINDS, Kind, Source
from trainc.errors import Problem, TraincError

_MEMORY: Final = "192Mi"
_UNITS: Final = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
_TRUE: Final = ("1", "true", "yes")
_LOCAL_WORKERS: Final = "localhost:50052,localhost:50053"


@dataclass(frozen=True)
class Settings:
    """What head and worker both need.

    Attributes:
        security: TLS and token.
        insecure: Nobody minds that there are none.
        health_port: Of the HTTP server; 0 for any free one.
        connect_timeout: Seconds for a call of the head to a worker.
        spill: The worker's folder for its rows.
        own_spill: The folder is of this process, which removes it at its end.
        memory: Bytes a load may hold.
    """

    security: Security
    insecure: bool
    health_port: int
    connect_timeout: float
    spill: Path
    own_spill: bool
    memory: int


def settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """What the environment says.

    Raises:
        TraincError: A value that cannot be used.
    """
    paths = {
        "cert": names.CACHE_CERT_ENV,
        "key": names.CACHE_PRIVATE_KEY_ENV,
        "ca": names.CACHE_CA_ENV,
        "token": names.CACHE_TOKEN_ENV,
    }
    found = {field: Path(environ[env]) for field, env in paths.items() if environ.get(env)}
    problems = [
        Problem(f"{paths[field]}: no file {path}", codes.CACHE_SERVER)
        for field, path in found.items()
        if not path.is_file()
    ]
    if problems:
        raise TraincError(problems)
    return Settings(
        security=Security(**found),
        insecure=environ.get(names.CACHE_INSECURE_ENV, "").lower() in _TRUE,
        health_port=_number(environ, names.HEALTH_PORT_ENV, names.CACHE_READY_PORT),
        connect_timeout=_number(environ, names.CONNECT_TIMEOUT_ENV, 20),
        spill=Path(environ.get(names.CACHE_SPILL_ENV) or _own_spill()),
        own_spill=not environ.get(names.CACHE_SPILL_ENV),
        memory=_memory(environ.get(names.CACHE_MEMORY_ENV) or _MEMORY),
    )


def source(environ: Mapping[str, str] = os.environ) -> Source:
    """The table that is to be cached.

    Raises:
        TraincError: None is named, or not in a form that is known.
    """
    uri = environ.get(names.CACHE_SOURCE_ENV, "")
    schema, table = environ.get(names.SCHEMA_NAME_ENV, ""), environ.get(names.TABLE_NAME_ENV, "")
    if not uri and not (schema and table):
        wanted = f"{names.CACHE_SOURCE_ENV}, or {names.SCHEMA_NAME_ENV} and {names.TABLE_NAME_ENV}"
        raise TraincError([Problem(f"no table named: set {wanted}", codes.CACHE_SERVER)])
    kind, location, named = parse_uri(uri or f"cache://{schema}/{table}")
    metadata = environ.get(names.METADATA_LOC_ENV, "")
    catalog = environ.get(names.CATALOG_ENV, "")
    if kind == "iceberg" and not (location or metadata or catalog):
        wanted = f"{names.METADATA_LOC_ENV} or {names.CATALOG_ENV}"
        raise TraincError(
            [Problem(f"{named}: where is its metadata? set {wanted}", codes.CACHE_SERVER)]
        )
    return Source(
        kind=kind,
        location=location or (metadata if kind == "iceberg" else ""),
        name=f"{schema}.{table}" if schema and table else named,
        snapshot=environ.get(names.SNAPSHOT_ID_ENV, ""),
        columns=_listed(environ, names.COLUMNS_ENV),
        row_filter=environ.get(names.ROW_FILTER_ENV, ""),
        catalog=catalog,
        files=_listed(environ, names.CACHE_FILES_ENV),
    )


def _listed(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The parts of a comma list that are not empty."""
    words = (word.strip() for word in environ.get(name, "").split(","))
    return tuple(word for word in words if word)


def parse_uri(uri: str) -> tuple[Kind, str, str]:
    """Kind, location and name of a ``cache://`` or ``cache+KIND://`` URI.

    Raises:
        TraincError: Another scheme, or not exactly ``schema/table`` after ``cache://``.
    """
    scheme, found, rest = uri.partition("://")
    if scheme == "cache":
        words = rest.split("/")
        if len(words) == 2 and all(words):
            return "iceberg", "", ".".join(words)
        form = "cache://<SCHEMA_NAME>/<TABLE_NAME>"
        raise TraincError(
            [
                Problem(
                    f"Invalid cache storage URI {uri}: expected format {form}", codes.CACHE_SERVER
                )
            ]
        )
    for kind in KINDS:
        if found and rest and scheme == f"cache+{kind}":
            return kind, rest, name_of(rest)
    known = ", ".join(f"cache+{kind}://" for kind in KINDS)
    raise TraincError(
        [Problem(f"{uri}: not a source of the cache; known: cache://, {known}", codes.CACHE_SERVER)]
    )


def name_of(location: str) -> str:
    """The name of a table that has none but its place: the last word of its path."""
    path = location.partition("?")[0].rstrip("/")
    name = path.rsplit("/", 1)[-1]
    if name.endswith(".metadata.json"):
        words = path.split("/")
        name = words[-3] if len(words) > 2 else name
    return name.removesuffix(".parquet") or "table"


def workers(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """``HOST:PORT`` of every worker, in the order of their ranges.

    Raises:
        TraincError: There is no worker, or no way to find them.
    """
    listed = environ.get(names.CACHE_WORKERS_ENV, "")
    if not listed and environ.get(names.RUNTIME_ENV):
        listed = _LOCAL_WORKERS
    found = tuple(word.strip() for word in listed.split(",") if word.strip())
    leader = environ.get(names.LWS_LEADER_ADDRESS_ENV, "")
    if not found and leader:
        size = _number(environ, names.LWS_GROUP_SIZE_ENV, 0)
        host, _, domain = leader.partition(".")
        found = tuple(f"{host}-{i}.{domain}:{names.CACHE_PORT}" for i in range(1, size))
    if not found:
        wanted = f"{names.LWS_LEADER_ADDRESS_ENV} and {names.LWS_GROUP_SIZE_ENV} (at least 2)"
        hint = f"set {wanted}, or {names.CACHE_WORKERS_ENV}"
        raise TraincError([Problem("no worker to hold the rows", codes.CACHE_SERVER, hint=hint)])
    return found


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isdecimal():
        raise TraincError([Problem(f"{name}: a whole number, got {text!r}", codes.CACHE_SERVER)])
    return int(text)


def _memory(text: str) -> int:
    match = re.fullmatch(r"(\d+)(|K|M|G|Ki|Mi|Gi)", text)
    if not match or not int(match[1]):
        raise TraincError(
            [
                Problem(
                    f"{names.CACHE_MEMORY_ENV}: bytes, or a number with Mi, got {text!r}",
                    codes.CACHE_SERVER,
                )
            ]
        )
    return int(match[1]) * _UNITS[match[2]]


def _own_spill() -> str:
    return f"{tempfile.gettempdir()}/trainc-cache-{os.getpid()}"
