"""Faults that do not pass: the fetch ends, with the kind of failure that they are.

In: a fault, and the objects that meet it. Out: a fetch through a proxy, and how it must end.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.initializers.proxy import Fault, proxy, times
from tests.initializers.running import fetch_here
from tests.initializers.servers import S3
from trainc.initializers.failure import FetchError

ALWAYS = 10**6


@dataclass(frozen=True)
class LastingCase:
    """A fault, the kind of failure it is, and what the reason says."""

    name: str
    fault: Fault
    kind: type[FetchError]
    says: str


def assert_ends(s3: S3, bucket: str, target: Path, case: LastingCase, part: str = "") -> None:
    """Fetches ``set`` while every object whose path holds ``part`` meets the fault."""
    with proxy(s3.endpoint) as between:
        between.plan = times(ALWAYS, case.fault, part)
        environ = s3.environ(
            ENDPOINT=between.url, RETRY_MAX_SECONDS="1", READ_TIMEOUT_SECONDS="0.5"
        )
        with pytest.raises(case.kind, match=case.says):
            fetch_here(f"s3://{bucket}/set", target, environ)
