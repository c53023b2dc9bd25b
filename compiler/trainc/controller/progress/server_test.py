from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from trainc.controller.gather import Gathering
from trainc.controller.metrics import Metrics
from trainc.controller.progress.server import ProgressOptions, ProgressServer
from trainc.controller.store import Store
from trainc.kube.keys import tls_pair


def _now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ProgressServer]:
    pair = tls_pair(["localhost"], _now())
    (tmp_path / "tls.crt").write_text(pair.certificate)
    (tmp_path / "tls.key").write_text(pair.key)
    api: Any = None
    options = ProgressOptions(tmp_path, "127.0.0.1", 0)
    started = ProgressServer(options, api, Gathering(api, Store(), Store()), Metrics(list), _now)
    started.start()
    yield started
    started.stop()


@pytest.mark.parametrize(
    "end",
    [lambda server: server._server.stop(), lambda server: server._reports.stop()],
    ids=["answers", "writes"],
)
def test_it_is_not_alive_without_the_thread_that(
    server: ProgressServer, end: Callable[[ProgressServer], None]
) -> None:
    assert server.alive()
    assert server.ready.wait(20)
    assert server.alive()
    end(server)
    assert not server.alive()
