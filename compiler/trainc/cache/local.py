"""A whole cache on one machine: a head and some workers, on the loopback.

In: a file, a folder or an Iceberg metadata file. Out: the head's address, once every row is held.
Tests and benches use it too: they kill and restart its processes.
"""

import logging
import os
import secrets
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pyarrow import flight

from trainc import names
from trainc.cache.child import module_command
from trainc.cache.security import Security
from trainc.cache.sources.source import Kind, Source
from trainc.cache.streams import TRANSIENT

logger = logging.getLogger(__name__)

LOOPBACK: Final = "127.0.0.1"
_LOOK_SECONDS: Final = 0.02
_END_SECONDS: Final = 15
_SUFFIXES: Final[dict[str, Kind]] = {
    ".metadata.json": "iceberg",
    ".csv": "csv",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".orc": "orc",
}


def kind_of(path: str) -> Kind:
    """How a file or the files of a folder are stored, by their names; Parquet unless told."""
    place = Path(path)
    found = [place.name] if not place.is_dir() else [file.name for file in place.rglob("*.*")]
    kinds = {kind for name in found for suffix, kind in _SUFFIXES.items() if name.endswith(suffix)}
    has_parquet = any(name.endswith(".parquet") for name in found)
    return kinds.pop() if len(kinds) == 1 and not has_parquet else "parquet"


def environment(source: Source) -> dict[str, str]:
    """What head and workers are told of a source."""
    return {
        names.CACHE_SOURCE_ENV: f"cache+{source.kind}://{source.location}",
        names.SNAPSHOT_ID_ENV: source.snapshot,
        names.COLUMNS_ENV: ",".join(source.columns),
        names.ROW_FILTER_ENV: source.row_filter,
        names.CACHE_FILES_ENV: ",".join(source.files),
        names.CATALOG_ENV: source.catalog,
        names.SCHEMA_NAME_ENV: "",
        names.TABLE_NAME_ENV: "",
        names.METADATA_LOC_ENV: "",
    }


def mint_token(folder: Path) -> Path:
    """A file with a fresh token that only its owner can read."""
    path = folder / names.CACHE_TOKEN_KEY
    path.touch(mode=0o600)
    path.write_text(secrets.token_urlsafe(32))
    return path


class Process:
    """One process of the cache; may be killed and started again on its port."""

    def __init__(self, role: str, environ: Mapping[str, str], port: int = 0) -> None:
        """Starts it."""
        self.role = role
        self._environ = dict(environ)
        self.port = port
        self.health_port = 0
        self._spawn()

    @property
    def address(self) -> str:
        """``HOST:PORT``."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def spill(self) -> Path:
        """A worker's folder."""
        return Path(self._environ[names.CACHE_SPILL_ENV])

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def start(self) -> None:
        """Start it again, on the port it had, and wait until it listens."""
        self._spawn()
        self.wait_listening()

    def wait_listening(self) -> "Process":
        """Itself, once it listens.

        Raises:
            RuntimeError: It ended instead; the reason is on stderr.
        """
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the {self.role} did not start (status {self._process.wait()})")
        self.port, self.health_port = (int(word) for word in line.split())
        return self

    def _spawn(self) -> None:
        line = module_command(
            "trainc.cache", self.role, LOOPBACK, str(self.port), "--end-with-stdin"
        )
        self._process = subprocess.Popen(
            line,
            env=self._environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Ctrl-C is for whoever started it; it ends with its standard input, without a word.
            start_new_session=True,
        )

    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def kill(self) -> None:
        """End it at once, as a node that is lost would."""
        self._process.kill()
        self._process.wait()

    def terminate(self) -> None:
        """End it as Kubernetes does: SIGTERM, and SIGKILL for what does not hear."""
        self._process.terminate()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()


class LocalCache:
    """A head and its workers; a context manager that ends them all."""

    def __init__(
        self,
        source: Source,
        workers: int = 2,
        port: int = 0,
        security: Security | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        """Starts the processes.

        Args:
            source: What to cache.
            workers: Number of workers.
            port: Of the head; 0 for any free one.
            security: TLS and token; None for neither.
            environ: What else the processes see.

        Raises:
            RuntimeError: One of them did not start.
        """
        self.security = security or Security()
        self._folder = tempfile.TemporaryDirectory(prefix="trainc-cache-")
        self._environ = {
            **environ,
            **_environment(self.security),
            **environment(source),
            names.HEALTH_PORT_ENV: "0",
        }
        self.workers: list[Process] = []
        self.head: Process | None = None
        try:
            self.workers += [self._worker(index) for index in range(workers)]
            for worker in self.workers:
                worker.wait_listening()
            self.head = self._head(port).wait_listening()
        except BaseException:
            self.close()
            raise

    @property
    def address(self) -> str:
        """The head's address."""
        assert self.head
        return f"{self.security.scheme}://{self.head.address}"

    @property
    def processes(self) -> Sequence[Process]:
        """The workers and the head."""
        return [*self.workers, *([self.head] if self.head else [])]

    def stats(self) -> dict[str, Any]:
        """What the head says."""
        import json

        with self.security.connect(self.address) as client:
            results = client.do_action(flight.Action("stats", b""), self.security.call(10.0))
            state: dict[str, Any] = json.loads(next(iter(results)).body.to_pybytes())
            return state

    def wait_ready(self, seconds: float) -> dict[str, Any]:
        """What the head says once every row is held.

        Raises:
            TimeoutError: Not within ``seconds``; says what is missing.
            RuntimeError: A process ended.
        """
        deadline = time.monotonic() + seconds
        state: dict[str, Any] = {}
        while time.monotonic() < deadline:
            for process in self.processes:
                if process.ended():
                    raise RuntimeError(f"the {process.role} on {process.address} ended")
            try:
                state = self.stats()
            except TRANSIENT as error:
                state = {"error": str(error)}
            if state.get("ready"):
                return state
            time.sleep(_LOOK_SECONDS)
        raise TimeoutError(f"not ready after {seconds:g} s: {state.get('missing') or state}")

    def close(self) -> None:
        """End every process and remove the workers' files."""
        for process in reversed(self.processes):
            process.terminate()
        self._folder.cleanup()

    def __enter__(self) -> "LocalCache":
        """The cache."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.close()

    def _worker(self, index: int) -> Process:
        spill = Path(self._folder.name) / f"worker-{index}"
        return Process(names.CACHE_WORKER, {**self._environ, names.CACHE_SPILL_ENV: str(spill)})

    def _head(self, port: int) -> Process:
        listed = ",".join(worker.address for worker in self.workers)
        return Process(names.CACHE_HEAD, {**self._environ, names.CACHE_WORKERS_ENV: listed}, port)


def _environment(security: Security) -> dict[str, str]:
    paths = {
        names.CACHE_CERT_ENV: security.cert,
        names.CACHE_PRIVATE_KEY_ENV: security.key,
        names.CACHE_CA_ENV: security.ca,
        names.CACHE_TOKEN_ENV: security.token,
    }
    return {name: str(path) if path else "" for name, path in paths.items()}
