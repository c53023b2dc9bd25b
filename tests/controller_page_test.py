"""``docs/controller.md`` names every reason and every metric the controller has, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from trainc.controller.metrics import Metrics

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/controller.md").read_text()


def test_every_reason_is_explained() -> None:
    reasons = set()
    for file in (ROOT / "compiler/trainc/controller").glob("*.py"):
        if not file.name.endswith("_test.py"):
            reasons |= set(re.findall(r'Told\("\w+", "(\w+)"', file.read_text()))
            reasons |= set(re.findall(r'^[A-Z_]*FAILED = "(\w{9,})"', file.read_text(), re.M))
    assert {"HeldAfterFinish", "SecretCreationFailed", "Minted"} <= reasons
    missing = sorted(reason for reason in reasons if f"`{reason}`" not in PAGE)
    assert missing == []


def test_every_metric_is_explained() -> None:
    text = Metrics(lambda: ()).text().decode()
    ours = set(re.findall(r"^# HELP (trainc_\w+?)(?:_created)? ", text, re.M))
    missing = sorted(name for name in ours if name not in PAGE)
    assert missing == []
    told = set(re.findall(r"`(trainc_\w+)", PAGE))
    assert told <= {*ours, "trainc_trainjob_progress_percent"}
