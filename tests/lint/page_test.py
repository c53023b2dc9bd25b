"""docs/lint.md: its rules are rules, and its finding is the one they make."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.gitops.repository import trainc
from trainc.budget import ROUND, RULES, RULES_OF_JOB
from trainc.lint.cel import MAX_ROUNDS
from trainc.lint.kubecel import work

PAGE = Path(__file__).parents[2] / "docs" / "lint.md"


def test_the_page_does_what_it_says(tmp_path: Path) -> None:
    pytest.importorskip("celpy", reason="cel-python is not installed")
    page = PAGE.read_text(encoding="utf-8")
    assert trainc(tmp_path, "init", ".").returncode == 0
    job = tmp_path / "jobs/mnist.yaml"
    job.write_text(job.read_text().replace("ghcr.io/acme/mnist:1.0.0", "example.com/mnist:1.0.0"))
    written = re.findall(r"```yaml\n# (\S+)\n(.*?)```", page, re.DOTALL)
    assert [name for name, _ in written] == ["trainc.yaml", "rules/acme.yaml"]
    for name, text in written:
        place = tmp_path / name
        place.parent.mkdir(exist_ok=True)
        before = place.read_text() if place.exists() else ""
        place.write_text(before + text)
    ((command, shown),) = re.findall(r"\$ trainc (.*)\n((?:.*\n)*?)```", page)
    done = trainc(tmp_path, *command.split(), "--env", "dev")
    assert (done.returncode, done.stderr) == (1, shown)
    words = " ".join(page.split())
    assert f"{MAX_ROUNDS:,} rounds of loops, or {work.MOST:,} steps" in words
    together = f"{RULES // ROUND:,} rounds, and {RULES_OF_JOB // ROUND} more for each job"
    assert together in words


def test_the_comment_of_the_page_takes_a_finding_away(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    (line,) = re.findall(r"```yaml\n(image: .*)\n```", page)
    assert trainc(tmp_path, "init", ".").returncode == 0
    job = tmp_path / "jobs/mnist.yaml"
    text = job.read_text()
    for image, want in ((line.partition("  #")[0], True), (line, False)):
        job.write_text(text.replace("image: ghcr.io/acme/mnist:1.0.0", image))
        assert ("TRC302" in trainc(tmp_path, "validate", "--env", "dev").stderr) is want
