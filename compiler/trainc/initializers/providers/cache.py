"""``cache://SCHEMA/TABLE``: nothing is fetched; waits until the data cache serves the table.

In: where the cache's head answers ``GET /ready``: ``CACHE_HEAD`` (host, or host:port), else the
Service of the TrainJob ``TRAIN_JOB_NAME``; over TLS where ``TRAINC_CACHE_TLS_CA`` names the CA that
signed its certificate. Out: nothing, once it answers 200; a failure after
``CACHE_READY_TIMEOUT_SECONDS``.
"""

from __future__ import annotations

import http.client
import logging
import re
import ssl
import time
from dataclasses import dataclass
from typing import Final

from trainc.initializers.config import Config, check_seconds, settings
from trainc.initializers.failure import ConfigurationError, TransientError
from trainc.initializers.provider import Provider
from trainc.names import CACHE_READY_PORT, CACHE_SERVICE_SUFFIX

_PAUSE: Final = 1.0  # seconds
_SAY: Final = 15.0  # seconds between two lines of the log
_TIMEOUT: Final = 5.0  # seconds
_MOST: Final = 300  # bytes of an answer that are worth a line
_HOST: Final = re.compile(r"[\w.-]+")
_HEAD: Final = re.compile(rf"(?P<host>{_HOST.pattern})(?::(?P<port>[0-9]{{1,5}}|))?")
_LAST_PORT: Final = 65535
_TABLE: Final = re.compile(r"[^/]+/[^/]+")

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """The environment of this scheme.

    Attributes:
        cache_head: Host, or host:port, of the head's readiness endpoint.
        train_job_name: Names the Service where ``cache_head`` is empty.
        cache_ready_timeout_seconds: How long to wait.
        trainc_cache_tls_ca: File of the CA to trust; without one the head is asked in the clear.
    """

    cache_head: str = ""
    train_job_name: str = ""
    cache_ready_timeout_seconds: float = 1800.0
    trainc_cache_tls_ca: str = ""


def wait(config: Config) -> None:
    """Returns when the cache serves.

    Raises:
        ConfigurationError: if the URI or the settings do not say which cache.
        TransientError: if it does not serve in time; says what it answered last.
    """
    table = f"{config.uri.host}/{config.uri.path}"
    if config.uri.scheme == "cache" and not _TABLE.fullmatch(table):
        raise ConfigurationError(f"{config.uri.text!r} is not of the form cache://SCHEMA/TABLE")
    given = settings(Settings, config.environ)
    check_seconds("CACHE_READY_TIMEOUT_SECONDS", given.cache_ready_timeout_seconds)
    host, port = _head(given)
    tls = _tls(given.trainc_cache_tls_ca)
    _logger.info("waiting for the data cache at %s:%d", host, port)
    start = said = time.monotonic()
    while (answer := _answer(host, port, tls)) is not None:
        now = time.monotonic()
        if now - start > given.cache_ready_timeout_seconds:
            raise TransientError(
                f"the data cache at {host}:{port} is not ready after "
                f"{given.cache_ready_timeout_seconds:.0f} s: {answer}",
                again=False,
            )
        if now - said > _SAY:
            said = now
            _logger.info("waiting for the data cache since %.0f s: %s", now - start, answer)
        time.sleep(_PAUSE)
    _logger.info("the data cache serves %s", config.uri.text)


def _head(given: Settings) -> tuple[str, int]:
    if given.cache_head:
        match = _HEAD.fullmatch(given.cache_head)
        port = int((match and match["port"]) or CACHE_READY_PORT)
        if match and 0 < port <= _LAST_PORT:
            return match["host"], port
        raise ConfigurationError(f"CACHE_HEAD {given.cache_head!r} is not of the form host:port")
    if given.train_job_name:
        if _HOST.fullmatch(given.train_job_name):
            return f"{given.train_job_name}{CACHE_SERVICE_SUFFIX}", CACHE_READY_PORT
        raise ConfigurationError(f"TRAIN_JOB_NAME {given.train_job_name!r} names no job")
    raise ConfigurationError("neither CACHE_HEAD nor TRAIN_JOB_NAME says where the data cache is")


def _tls(ca: str) -> ssl.SSLContext | None:
    """What to trust; None for plain HTTP."""
    try:
        return ssl.create_default_context(cafile=ca) if ca else None
    except OSError as error:  # no such file, or no certificate in it
        raise ConfigurationError(f"TRAINC_CACHE_TLS_CA {ca!r}: {error}") from error


def _answer(host: str, port: int, tls: ssl.SSLContext | None) -> str | None:
    """None where the head is ready, else what keeps it from being so."""
    connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT)
    if tls is not None:
        connection = http.client.HTTPSConnection(host, port, timeout=_TIMEOUT, context=tls)
    try:
        connection.request("GET", "/ready")
        response = connection.getresponse()
        text = response.read(_MOST).decode("utf-8", "replace").strip()
        return None if response.status == 200 else f"{response.status} {text}"
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()


_KINDS: Final = ("arrow", "csv", "iceberg", "orc", "parquet")
PROVIDER: Final = Provider(schemes=("cache", *(f"cache+{kind}" for kind in _KINDS)), dataset=wait)
