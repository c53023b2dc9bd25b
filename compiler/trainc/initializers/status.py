"""Reports to the status endpoint of the TrainJob (KEP-2779), where the pod has one.

In: snapshots of the progress. Out: ``POST`` of ``trainerStatus``. A report that fails never ends
the fetch: the endpoint is an observer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from trainc.endpoint import post
from trainc.initializers.progress import Snapshot
from trainc.initializers.redact import REDACTOR
from trainc.names import STATUS_CA_ENV, STATUS_TOKEN_ENV, STATUS_URL_ENV

_logger = logging.getLogger(__name__)


def reporter(environ: Mapping[str, str], ancestor: str) -> Callable[[Snapshot], None] | None:
    """What reports to the endpoint the environment names; None where it names none."""
    url = environ.get(STATUS_URL_ENV, "")
    if not url:
        return None

    def report(snapshot: Snapshot) -> None:
        import http.client  # most pods have no endpoint to read it in for

        try:
            _post(url, environ, payload(snapshot, ancestor, datetime.now(UTC)))
        except (OSError, ValueError, http.client.HTTPException) as error:
            _logger.warning("the status endpoint did not take the report: %s", error)

    return report


def payload(snapshot: Snapshot, ancestor: str, now: datetime) -> dict[str, object]:
    """The body: ``UpdateTrainJobStatusRequest`` of the reference.

    All of it is metrics: the job's own percentage and time to go are the trainer's to tell, and a
    server takes no lower percentage after a higher one.
    """
    values = {
        "percentage": snapshot.percentage,
        "bytes": snapshot.done_bytes,
        "bytes_total": snapshot.total_bytes,
        "bytes_per_second": int(snapshot.rate),
        "files": snapshot.done_files,
        "files_total": snapshot.total_files,
    }
    if snapshot.remaining is not None:
        values["seconds_remaining"] = int(snapshot.remaining)
    metrics = [{"name": f"{ancestor}/{name}", "value": str(each)} for name, each in values.items()]
    when = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"trainerStatus": {"metrics": metrics, "lastUpdatedTime": when}}


def _post(url: str, environ: Mapping[str, str], body: dict[str, object]) -> None:
    token = ""
    if path := environ.get(STATUS_TOKEN_ENV):
        token = Path(path).read_text(encoding="utf-8").strip()  # read anew each time: it rotates
        REDACTOR.learn([token])
    post(url, body, token, environ.get(STATUS_CA_ENV, ""))
