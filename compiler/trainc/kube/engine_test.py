"""The engine comes without ``email.utils``, and whoever wants that module gets it whole."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    code: str


CASES = [
    TestCase(
        name="not loaded",
        code="import sys, trainc.kube.engine; assert 'email.utils' not in sys.modules",
    ),
    TestCase(
        name="loaded afterwards",
        code="import trainc.kube.engine; from email.utils import parsedate_to_datetime as p;"
        "assert p('Tue, 27 Oct 2026 10:17:51 +0000').day == 27",
    ),
    TestCase(
        name="loaded before, and kept",
        code="import email.utils as real, sys, trainc.kube.engine;"
        "assert sys.modules['email.utils'] is real",
    ),
    TestCase(
        name="asked for another function meanwhile",
        code="import sys; from trainc.kube.engine import _StandIn;"
        "sys.modules['email.utils'] = _StandIn('email.utils');"
        "from email.utils import formataddr; assert formataddr(('', 'a@b')) == 'a@b';"
        "assert not isinstance(sys.modules['email.utils'], _StandIn)",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_email_utils_is_real_or_absent(case: TestCase) -> None:
    done = subprocess.run([sys.executable, "-c", case.code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
