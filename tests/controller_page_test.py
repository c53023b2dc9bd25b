"""docs/controller.md, docs/images.md and the helper's example name what is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import trainc
from tests.corpus import ROOT
from trainc.cli.controller import controller
from trainc.cli.install import install
from trainc.controller import annotation
from trainc.controller.metrics import Metrics
from trainc.install.admission import admission

PAGE = (ROOT / "docs" / "controller.md").read_text()
PAGES = sorted((ROOT / "docs").glob("*.md"))


def test_every_metric_is_on_the_page_and_no_other() -> None:
    text = Metrics(lambda: ()).text().decode()
    told = set(re.findall(r"^# TYPE (trainc_\w+) ", text, re.MULTILINE))
    there = {name for name in told if not name.endswith("_created")}
    assert set(re.findall(r"`(trainc_\w+?)(?:\{[a-z,]+\})?`", PAGE)) == there


def test_every_event_is_on_the_page() -> None:
    folder = Path(trainc.__file__).parent / "controller"
    files = [file for file in folder.rglob("*.py") if not file.name.endswith("_test.py")]
    calls = (
        node
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Told"
    )
    reasons = {
        argument.value
        for call in calls
        if len(call.args) > 1 and isinstance(argument := call.args[1], ast.Constant)
    }
    assert {"Minted", "HeldAfterFinish"} <= reasons
    assert {str(reason) for reason in reasons} <= set(re.findall(r"`([A-Z]\w+)`", PAGE))


def test_everything_minted_is_on_the_page() -> None:
    for suffix in annotation._SUFFIXES.values():
        assert f"`NAME{suffix}`" in PAGE


def test_policies_on_the_page_are_there() -> None:
    there = {each["metadata"]["name"] for each in admission()}
    assert set(re.findall(r"policy `(trainc-\w+)`", PAGE)) <= there


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_options_on_the_page_are_options() -> None:
    said = CliRunner().invoke(install, ["--help"]).output
    said += CliRunner().invoke(controller, ["--help"]).output
    for line in PAGE.splitlines():
        if "trainc install" in line or "trainc controller" in line:
            for option in re.findall(r"(?<![\w-])--[a-z-]+", line):
                known = option in said or option in ("--server-side", "--help")
                assert known, line
