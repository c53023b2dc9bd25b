"""Reports to the status endpoint of the TrainJob (KEP-2779), where the pod has one.

In: snapshots of the progress. Out: ``POST`` of ``trainerStatus``. A report that fails never ends
the fetch: the endpoint is an observer.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from trainc.initializers.progress import Snapshot
from trainc.initializers.redact import REDACTOR

if TYPE_CHECKING:
    from urllib.request import OpenerDirector

URL: Final = "KUBEFLOW_TRAINER_SERVER_URL"
CA_CERT: Final = "KUBEFLOW_TRAINER_SERVER_CA_CERT"
TOKEN: Final = "KUBEFLOW_TRAINER_SERVER_TOKEN"  # noqa: S105 - the name of a path
_TIMEOUT: Final = 5.0  # seconds

_logger = logging.getLogger(__name__)


def reporter(environ: Mapping[str, str], ancestor: str) -> Callable[[Snapshot], None] | None:
    """What reports to the endpoint the environment names; None where it names none."""
    url = environ.get(URL, "")
    if not url:
        return None

    def report(snapshot: Snapshot) -> None:
        import http.client  # as ssl below

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
    import urllib.request  # as ssl below

    headers = {"Content-Type": "application/json"}
    if path := environ.get(TOKEN):
        token = Path(path).read_text(encoding="utf-8").strip()  # read anew each time: it rotates
        REDACTOR.learn([token])
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")
    with _opener(url, environ.get(CA_CERT, "")).open(request, timeout=_TIMEOUT) as response:
        response.read()


def _opener(url: str, ca_cert: str) -> OpenerDirector:
    """Opens requests as they are.

    By no proxy: one that the fetch needs does not know the cluster's own services. And it follows
    no redirect: the token would follow it too.
    """
    import ssl  # of the standard library, but most pods have no endpoint to read them in for
    import urllib.request as library

    opener = library.OpenerDirector()
    opener.add_handler(library.HTTPHandler())
    if url.startswith("https://"):
        context = ssl.create_default_context(cafile=ca_cert or None)
        opener.add_handler(library.HTTPSHandler(context=context))
    for handler in (
        library.UnknownHandler(),
        library.HTTPDefaultErrorHandler(),
        library.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener
