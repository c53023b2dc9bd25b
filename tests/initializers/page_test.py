"""The page for users says what the program does: every scheme, variable, default and exit code."""

from __future__ import annotations

import importlib
import re
from dataclasses import fields
from pathlib import Path

import pytest

from trainc import names
from trainc.initializers.config import Config
from trainc.initializers.failure import FetchError
from trainc.initializers.provider import discover
from trainc.initializers.providers.cache import Settings as CacheSettings
from trainc.initializers.weights import CHECKPOINTS, EXPORTS, OLDER
from trainc.storage.aws import VARIABLES
from trainc.storage.credentials import KeySettings

PAGE = (Path(__file__).parents[2] / "docs/initializers.md").read_text()
ENVIRONMENT = PAGE.partition("## Environment")[2].partition("## How it ends")[0]
# The fields of Config that are a file's, not a variable's.
_OTHER = {"uri", "ancestor", "target", "patterns", "environ"}


def test_every_scheme_is_there() -> None:
    assert {scheme for scheme in discover() if f"`{scheme}://" not in PAGE} == set()


def test_every_variable_is_there_and_no_other() -> None:
    wanted = {each.name.upper() for each in fields(Config) if each.name not in _OTHER}
    wanted |= {"STORAGE_URI", "ALLOW_PATTERNS", "IGNORE_PATTERNS", "TRAINC_WORKSPACE", "LOG_LEVEL"}
    for scheme in ("az", "cache", "gs", "hf", "http"):
        module = importlib.import_module(f"trainc.initializers.providers.{scheme}")
        wanted |= {each.name.upper() for each in fields(module.Settings)}
    wanted |= {each.name.upper() for each in fields(KeySettings)} | set(VARIABLES)
    rows = [line for line in ENVIRONMENT.splitlines() if line.startswith("| `")]
    told = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row.split("|")[1])}
    assert told == wanted - {"HF_TOKEN"}
    assert "`HF_TOKEN`" in ENVIRONMENT


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("RETRY_MAX_SECONDS", Config.retry_max_seconds),
        ("READ_TIMEOUT_SECONDS", Config.read_timeout_seconds),
        ("CACHE_READY_TIMEOUT_SECONDS", CacheSettings.cache_ready_timeout_seconds),
    ],
)
def test_defaults_are_the_programs(name: str, default: float) -> None:
    (row,) = (line for line in ENVIRONMENT.splitlines() if f"`{name}`" in line)
    assert row.endswith(f", {default:.0f} |")


@pytest.mark.parametrize("rule", [OLDER, EXPORTS, CHECKPOINTS])
def test_the_rules_for_models_are_the_programs(rule: str) -> None:
    assert f"**{rule[0].upper()}{rule[1:]}**" in PAGE


def test_every_exit_code_is_there() -> None:
    codes = {value for name, value in vars(names).items() if name.startswith("EXIT_")}
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.M)} == {0, *codes}
    for kind in FetchError.__subclasses__():
        assert f"| {kind.code} | {kind.kind} |" in PAGE


def test_the_annotation_is_the_compilers() -> None:
    assert f'{names.FAIL_FAST_ANNOTATION}: "true"' in PAGE
    assert f"`{names.PVC_ROOT}/CLAIM`" in PAGE
