"""The HTTP side of the progress server: Kubeflow Trainer's status protocol (KEP-2779), unchanged.

In: requests. Out: responses with the reference's codes and reasons: 200 echoes the report, 403 for
any fault of the token, 404, 413 above 64 KiB, 422.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from trainc.controller.api import ApiError
from trainc.controller.progress.payload import LIMIT, InvalidError, UnreadableError, echo, read
from trainc.controller.progress.reports import Reports
from trainc.controller.progress.verdicts import Pod, Verdicts
from trainc.controller.serving import App, Message, Receive, Send, answer
from trainc.controller.view import Json, Key
from trainc.names import API_VERSION

logger = logging.getLogger(__name__)

_PATH = re.compile(
    rf"/apis/{re.escape(API_VERSION)}/namespaces/([a-z0-9-]{{1,63}})/trainjobs/([a-z0-9-]{{1,63}})/status"
)
_BODY_SECONDS = 10.0
_REASONS = {
    403: "Forbidden",
    404: "NotFound",
    413: "RequestEntityTooLarge",
    422: "Invalid",
    500: "InternalError",
}


class _RefusedError(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def progress_app(
    verdicts: Verdicts, reports: Reports, counted: Callable[[int], None], reviewers: int = 8
) -> App:
    """The application.

    Args:
        verdicts: Says who posts.
        reports: Takes what is posted.
        counted: Called with the code of each response.
        reviewers: How many tokens are reviewed at a time.
    """
    pool = ThreadPoolExecutor(reviewers, thread_name_prefix="review")

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        try:
            code, body = 200, await _handled(scope, receive, verdicts, reports, pool)
        except _RefusedError as refused:
            code, body = refused.code, _status(refused.code, str(refused))
        except Exception:
            logger.exception("progress report")
            code, body = 500, _status(500, "Internal error")
        counted(code)
        await answer(send, code, body)

    return app


async def _handled(
    scope: Message,
    receive: Receive,
    verdicts: Verdicts,
    reports: Reports,
    pool: ThreadPoolExecutor,
) -> Json:
    match = _PATH.fullmatch(scope["path"])
    if match is None or scope["method"] != "POST":
        raise _RefusedError(404, "Not found")
    key: Key = (match[1], match[2])
    headers: dict[bytes, bytes] = dict(scope["headers"])
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or int(length) > LIMIT:
        raise _RefusedError(413, "Payload too large")
    pod = await _pod(headers.get(b"authorization", b""), key, verdicts, pool)
    if not reports.takes(key):
        raise _RefusedError(404, "Train job not found")
    report = _report(await _body(receive))
    if report is not None and pod.first:
        reports.offer(key, pod, report)
    return echo(report)


async def _pod(authorization: bytes, key: Key, verdicts: Verdicts, pool: ThreadPoolExecutor) -> Pod:
    words = authorization.decode("latin-1").split()
    if len(words) != 2 or words[0].lower() != "bearer":
        raise _RefusedError(403, "Forbidden")
    is_known, pod = verdicts.remembered(words[1], key)
    if not is_known:
        loop = asyncio.get_running_loop()
        try:
            pod = await loop.run_in_executor(pool, verdicts.ask, words[1], key)
        except ApiError as error:
            logger.warning("token not reviewed: %s", error)
            raise _RefusedError(500, "Internal error") from None
    if pod is None:
        raise _RefusedError(403, "Forbidden")
    return pod


async def _body(receive: Receive) -> bytes:
    """The whole body; a sender who is too slow, too long or gone is refused."""
    parts: list[bytes] = []
    size, more = 0, True
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _RefusedError(422, "Invalid payload")
                parts.append(message.get("body", b""))
                size, more = size + len(parts[-1]), message.get("more_body", False)
                if size > LIMIT:
                    raise _RefusedError(413, "Payload too large")
    except TimeoutError:
        raise _RefusedError(422, "Invalid payload") from None
    return b"".join(parts)


def _report(body: bytes) -> Json | None:
    try:
        return read(body)
    except UnreadableError:
        raise _RefusedError(422, "Invalid payload") from None
    except InvalidError as error:
        raise _RefusedError(422, str(error)) from None


def _status(code: int, message: str) -> Json:
    """A ``metav1.Status``."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": _REASONS[code],
        "code": code,
    }
