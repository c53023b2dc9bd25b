"""The body of a progress report: read, checked as the TrainJob CRD would, and echoed.

In: bytes from a pod. Out: a ``trainerStatus`` whose every field is within the CRD's bounds. It is
written to the cluster later, if at all, so whoever posted must hear now what is wrong with it.
"""

from __future__ import annotations

import json
import re
from typing import Any

from trainc.controller.times import moment_of, written
from trainc.controller.view import Json

LIMIT = 65536  # bytes
_INT32 = 2**31 - 1
_MOST_METRICS = 256
_LONGEST = 64
_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


class UnreadableError(Exception):
    """Not of the form a report has (``Invalid payload``)."""


class InvalidError(Exception):
    """Of the form, but out of the CRD's bounds; says where and why, as the API server does."""


def read(body: bytes) -> Json | None:
    """The ``trainerStatus`` of a report; None where it holds none, which is allowed.

    Raises:
        UnreadableError: if it is no JSON object, or a field has the wrong type.
        InvalidError: if a value is out of its bounds.
    """
    try:
        found = json.loads(body.decode())
    except (ValueError, RecursionError):
        raise UnreadableError from None
    if found is None:
        return None
    status = _typed(found, dict).get("trainerStatus")
    if status is None or not _typed(status, dict):
        return None
    return _checked(status)


def _checked(status: Json) -> Json:
    """The known fields; unknown ones are let go, as the reference's decoder does."""
    out: Json = {}
    _integer(out, status, "progressPercentage", 100)
    _integer(out, status, "estimatedRemainingSeconds", _INT32)
    metrics = status.get("metrics")
    if metrics is not None and _typed(metrics, list):
        out["metrics"] = _metrics(metrics)
    when = status.get("lastUpdatedTime")
    if when is None:
        raise InvalidError("status.trainerStatus.lastUpdatedTime: Required value")
    out["lastUpdatedTime"] = _time(_typed(when, str))
    return out


def _typed(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise UnreadableError
    return value


def _integer(out: Json, status: Json, key: str, most: int) -> None:
    value = status.get(key)
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _INT32:
        raise UnreadableError
    path = f"status.trainerStatus.{key}"
    if value < 0:
        raise InvalidError(_out_of_bounds(path, value, "greater than or equal to 0"))
    if value > most:
        raise InvalidError(_out_of_bounds(path, value, f"less than or equal to {most}"))
    out[key] = value


def _out_of_bounds(path: str, value: object, bound: str) -> str:
    return f"{path}: Invalid value: {value}: {path} in body should be {bound}"


def _metrics(entries: list[Any]) -> list[Json]:
    path = "status.trainerStatus.metrics"
    if len(entries) > _MOST_METRICS:
        raise InvalidError(
            f"{path}: Too many: {len(entries)}: must have at most {_MOST_METRICS} items"
        )
    return [_metric(_typed(entry, dict), f"{path}[{at}]") for at, entry in enumerate(entries)]


def _metric(entry: Json, path: str) -> Json:
    out: Json = {}
    for key in ("name", "value"):
        text = _typed(entry.get(key, ""), str)
        if not text:
            bound = "at least 1 chars long"
            raise InvalidError(_out_of_bounds(f"{path}.{key}", '""', bound))
        if len(text) > _LONGEST:
            raise InvalidError(f"{path}.{key}: Too long: may not be more than {_LONGEST} bytes")
        if not _is_text(text):
            raise UnreadableError
        out[key] = text
    return out


def _is_text(text: str) -> bool:
    """Whether it can be written as UTF-8: JSON may escape half a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _time(text: str) -> str:
    moment = moment_of(text) if _RFC3339.fullmatch(text) else None
    if moment is None:
        raise UnreadableError
    return written(moment)


def echo(status: Json | None) -> Json:
    """What a report is answered with."""
    return {} if status is None else {"trainerStatus": status}
