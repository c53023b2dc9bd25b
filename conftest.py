"""How the tests run: the make target of each, signals, the cache of answers, and skipped tests.

A test with a marker of ``TARGETS``, or with a fixture of ``FIXTURES``, belongs to that make target:
every other run leaves it out and says so at the end. A skipped test fails the run, because nobody
reads past a green line; ``ALLOW_SKIPS=1`` accepts it.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Target:
    """A make target, the environment variable that it sets, and the time limit of its tests."""

    name: str
    variable: str
    seconds: int

    @property
    def selected(self) -> bool:
        return bool(os.environ.get(self.variable))


TARGETS = {
    "cluster": Target("make test-cluster", "TRAINC_TEST_CLUSTER", 900),
    "engines": Target("make test-engines", "TRAINC_TEST_ENGINES", 900),
    "programs": Target("make test-programs", "TRAINC_TEST_PROGRAMS", 600),
    "hostile": Target("make test-hostile", "TRAINC_TEST_HOSTILE", 1200),
    "images": Target("make test-images", "TRAINC_TEST_IMAGES", 1800),
    "full": Target("make test-initializers-full", "TRAINC_TEST_FULL", 1800),
    "cache_long": Target("make prove-cache", "TRAINC_CACHE_LONG", 1800),
    "torch": Target("make test-torch", "TRAINC_TEST_TORCH", 600),
}
# Fixtures that only a target provides.
FIXTURES = {
    "plane": "cluster",
    "engines": "engines",
    "versitygw": "programs",
    "gcs": "programs",
    "azurite": "programs",
    "kustomize": "programs",
    "goyaml": "programs",
}
_LEFT_OUT = "left_out"  # in a worker's output: tests by the target they were left to


def pytest_configure(config: pytest.Config) -> None:
    """Registers the markers; a test is interrupted even where the caller ignores signals."""
    for marker, target in TARGETS.items():
        config.addinivalue_line("markers", f"{marker}: belongs to `{target.name}`")
    config.stash[_COUNTS] = Counter()
    _hear_signals()


_COUNTS = pytest.StashKey[Counter[str]]()


def _hear_signals() -> None:
    """Undoes what nohup, cron and some CI runners do: what they ignore, all programs below ignore.

    Tests send these signals to themselves and to what they start, and wait for the effect.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGALRM})


@pytest.hookimpl(tryfirst=True)  # `-m` is to see the markers that are added
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the tests of targets that were not selected."""
    kept, left_out = [], []
    for item in items:
        markers = _targets(item)
        for marker in markers:
            item.add_marker(marker)
        others = [name for name in markers if not TARGETS[name].selected]
        if others:
            left_out.append(item)
            config.stash[_COUNTS][others[0]] += 1
            continue
        kept.append(item)
        if markers and item.get_closest_marker("timeout") is None:
            seconds = max(TARGETS[name].seconds for name in markers)
            item.add_marker(pytest.mark.timeout(seconds))
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


def _targets(item: pytest.Item) -> list[str]:
    """The targets that a test belongs to, by its markers and by its fixtures."""
    names = {mark.name for mark in item.iter_markers()}
    names |= {FIXTURES[f] for f in getattr(item, "fixturenames", ()) if f in FIXTURES}
    return [name for name in TARGETS if name in names]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist hands its counts over; a run with skipped tests fails."""
    config = session.config
    if (output := getattr(config, "workeroutput", None)) is not None:
        output[_LEFT_OUT] = dict(config.stash[_COUNTS])
        return
    if _skipped(config) and not _skips_allowed() and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Takes a worker's counts over; all workers collect the same tests."""
    output: dict[str, dict[str, int]] = getattr(node, "workeroutput", {})
    node.config.stash[_COUNTS] = Counter(output.get(_LEFT_OUT, {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Reports which targets run the tests that were left out, and how many tests were skipped."""
    config = terminalreporter.config
    if counts := config.stash[_COUNTS]:
        others = ", ".join(f"`{TARGETS[name].name}` {counts[name]}" for name in sorted(counts))
        terminalreporter.write_line(f"tests of other targets: {others}")
    if skipped := _skipped(config):
        verdict = "" if _skips_allowed() else ", which fails the run; ALLOW_SKIPS=1 accepts it"
        terminalreporter.write_line(f"{len(skipped)} skipped{verdict}:", red=not _skips_allowed())
        for reason, count in Counter(map(_reason, skipped)).most_common():
            terminalreporter.write_line(f"  {count}: {reason}")


def _skipped(config: pytest.Config) -> list[Any]:
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    reports: list[Any] = reporter.stats.get("skipped", []) if reporter else []
    return reports


def _reason(report: Any) -> str:
    """Why a test was skipped; the report's text is its file, line and reason."""
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    return str(text).removeprefix("Skipped: ")


def _skips_allowed() -> bool:
    return bool(os.environ.get("ALLOW_SKIPS"))


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of answers for this session: tests leave nothing in that of whoever runs them."""
    before = os.environ.get("TRAINC_CACHE_DIR")
    folder = tmp_path_factory.mktemp("cache")
    os.environ["TRAINC_CACHE_DIR"] = str(folder)
    yield folder
    if before is None:
        del os.environ["TRAINC_CACHE_DIR"]
    else:
        os.environ["TRAINC_CACHE_DIR"] = before
