"""The processes of the cache: ``python -m trainc.cache head|worker HOST PORT``.

In: the arguments of the reference's ``head`` and ``worker``, and the environment (``settings.py``).
Out: a process that serves until SIGTERM. Exit 2 where arguments or environment cannot be used.
"""

import argparse
import logging
import os
import shutil
import signal
import sys
import threading
from typing import Final

from trainc import names
from trainc.cache.health import Health
from trainc.cache.settings import Settings, settings, source, workers
from trainc.errors import TraincError

logger = logging.getLogger("trainc.cache")

_FORMAT: Final = "%(asctime)s %(levelname)-8s %(name)s: %(message)s"
_GRACE_SECONDS: Final = 10


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to end; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m trainc.cache")
    parser.add_argument("role", choices=[names.CACHE_HEAD, names.CACHE_WORKER])
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--end-with-stdin", action="store_true", help="end when stdin is closed")
    parsed = parser.parse_args(arguments)
    told = threading.Event()
    if parsed.end_with_stdin:
        threading.Thread(target=_end_of_stdin, args=(told,), daemon=True).start()
    level = os.environ.get(names.CACHE_LOG_ENV) or "INFO"
    logging.basicConfig(level=level, format=_FORMAT, stream=sys.stderr)
    try:
        found = settings()
        found.security.check_listening(parsed.host, found.insecure)
        serve = _head if parsed.role == names.CACHE_HEAD else _worker
        serve(parsed.host, parsed.port, found, told)
    except TraincError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _head(host: str, port: int, found: Settings, told: threading.Event) -> None:
    from trainc.cache.coordinator import Coordinator
    from trainc.cache.head import Head

    coordinator = Coordinator(source(), workers(), found.security, found.connect_timeout)
    server = Head(f"{found.security.scheme}://{host}:{port}", found.security, coordinator)
    health = Health(host, found.health_port, found.security, lambda: coordinator.ready)
    _announce("head", host, server.port, health.port)
    coordinator.start()
    _wait_for(told)
    health.close()
    coordinator.stop()
    _shut(server.shutdown)


def _worker(host: str, port: int, found: Settings, told: threading.Event) -> None:
    from trainc.cache.worker import Worker

    found.spill.mkdir(parents=True, exist_ok=True)
    location = f"{found.security.scheme}://{host}:{port}"
    server = Worker(location, found.security, found.spill, found.memory)
    health = Health(host, found.health_port, found.security, lambda: server.ready)
    _announce("worker", host, server.port, health.port)
    try:
        server.warm(source().kind)
    except TraincError:
        logger.info("no source named here: the head's assignment names it")
    _wait_for(told)
    health.close()
    server.stop()
    _shut(server.shutdown)
    if found.own_spill:
        shutil.rmtree(found.spill, ignore_errors=True)


def _end_of_stdin(told: threading.Event) -> None:
    sys.stdin.read()
    told.set()


def _announce(role: str, host: str, port: int, health_port: int) -> None:
    # For whoever started the process with port 0.
    sys.stdout.write(f"{port} {health_port}\n")
    sys.stdout.flush()
    logger.info("%s listens on %s:%d, health on %d", role, host, port, health_port)


def _wait_for(told: threading.Event) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    told.wait()


def _shut(shutdown: object) -> None:
    """Let streams end, but not for ever."""
    assert callable(shutdown)
    thread = threading.Thread(target=shutdown, daemon=True)
    thread.start()
    thread.join(_GRACE_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
