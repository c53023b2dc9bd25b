"""The progress server, put together: certificate, verdicts, reports and the listening socket."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from trainc.controller.api import Api, ApiError
from trainc.controller.gather import Gathering
from trainc.controller.metrics import Metrics
from trainc.controller.progress.app import progress_app
from trainc.controller.progress.reports import Reports
from trainc.controller.progress.tls import Certificate, offer
from trainc.controller.progress.verdicts import Verdicts
from trainc.controller.serving import Server

logger = logging.getLogger(__name__)

_LOOK_EVERY = 5.0  # seconds between looks at the certificate's files
_LOOK_FIRST = 0.2  # until they are there


@dataclass(frozen=True)
class ProgressOptions:
    """How the progress server runs.

    Attributes:
        folder: Where its certificate is.
        host: The address it listens on.
        port: Its port; 0 for any.
        secret: Namespace and name of the Secret mounted at ``folder``, to be made where it is not
            there; None where somebody else makes it.
        hosts: What its Service is called by.
    """

    folder: Path
    host: str = "0.0.0.0"
    port: int = 10443
    secret: tuple[str, str] | None = None
    hosts: tuple[str, ...] = ()


class ProgressServer:
    """Serves as soon as there is a certificate."""

    def __init__(
        self,
        options: ProgressOptions,
        api: Api,
        gathering: Gathering,
        metrics: Metrics,
        now: Callable[[], datetime],
    ) -> None:
        """Binds its port at once.

        Raises:
            OSError: if it cannot be listened on.
        """
        self._options = options
        self._api = api
        self._now = now
        self.certificate = Certificate(options.folder)
        self._reports = Reports(api, gathering, metrics.written.inc, now)
        app = progress_app(
            Verdicts(api), self._reports, lambda code: metrics.posts.labels(str(code)).inc()
        )
        self._server = Server(app, options.host, options.port, self.certificate.context)
        self.ready = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.port

    def start(self) -> None:
        """Runs from now on."""
        self._reports.start()
        self._thread.start()

    def stop(self) -> None:
        """Answers what was begun, writes what is pending, and ends."""
        self._stop.set()
        self._thread.join(10)
        if self.ready.is_set():
            self._server.stop()
        self._reports.stop()

    def alive(self) -> bool:
        """Whether its threads live: one that looks, those that write, and one that answers."""
        answers = self._server.alive() or not self.ready.is_set()
        return self._thread.is_alive() and self._reports.alive() and answers

    def _run(self) -> None:
        offered = self._options.secret is None
        while not self._stop.wait(_LOOK_EVERY if self.ready.is_set() else _LOOK_FIRST):
            try:
                has_certificate = self.certificate.refresh()
                if not has_certificate and not offered:
                    offered = self._offer()
                if has_certificate and not self.ready.is_set():
                    self._server.start()
                    self.ready.set()
                    logger.info("taking progress reports on port %d", self.port)
            except Exception:
                logger.exception("progress server")

    def _offer(self) -> bool:
        assert self._options.secret is not None
        try:
            offer(self._api, *self._options.secret, self._options.hosts, self._now())
        except ApiError as error:
            logger.warning("no certificate could be made: %s", error)
            return False
        return True
