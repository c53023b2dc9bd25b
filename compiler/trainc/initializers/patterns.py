"""Which of a remote's files are wanted.

In: the listing and the patterns. Out: the files to fetch. A pattern is matched against the path in
the target (as the Hub's client does) and against the remote's whole key (as the reference does for
S3): either may be meant, and both are used. ``*`` matches slashes too.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from trainc.initializers.config import Config
from trainc.initializers.progress import amount
from trainc.initializers.provider import RemoteFile
from trainc.initializers.weights import left_out

_ALLOWED: Final = "ALLOW_PATTERNS"
_IGNORED: Final = "IGNORE_PATTERNS"
_FEW: Final = 3
# The reference's HuggingFaceModelInitializer.ignore_patterns, whose SDK forgets two of the stars.
_DECLARED: Final = frozenset({".msgpack", ".h5", ".bin", ".pt", ".pth"})

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Selection:
    """The patterns in force; ``weights`` leaves out copies of weights (``weights.left_out``)."""

    allow: tuple[str, ...]
    ignore: tuple[str, ...]
    weights: bool = False


def selection(config: Config) -> Selection:
    """What the settings ask for; copies of weights are fetched where ``IGNORE_PATTERNS`` is set.

    Kubeflow's SDK sets it in every job, to the list that the reference declares as its default.
    Nobody chose that, and of a model with older weights alone it would leave nothing to train.
    """
    allow, ignore = config.patterns.allow or (), config.patterns.ignore
    if {pattern.removeprefix("*") for pattern in ignore or ()} == _DECLARED:
        ignore = None if config.ancestor == "model" else ignore
    return Selection(allow, ignore or (), config.ancestor == "model" and ignore is None)


def select(files: Sequence[RemoteFile], wanted: Selection) -> list[RemoteFile]:
    """The files that are wanted, in the order of the listing; logs what is left out, and why."""
    rules = {file.path: rule for file in files if (rule := _rule(file, wanted))}
    if wanted.weights:
        rules |= left_out([file for file in files if file.path not in rules])
    _report(files, rules, wanted)
    return [file for file in files if file.path not in rules]


def _report(files: Sequence[RemoteFile], rules: Mapping[str, str], wanted: Selection) -> None:
    """One line on what is left out: an end with 0 reads as if everything were there."""
    if not rules:
        return
    by_rule: dict[str, list[RemoteFile]] = {}
    for file in files:
        if file.path in rules:
            by_rule.setdefault(rules[file.path], []).append(file)
    parts = [f"{_sum(each)} ({rule}: {_names(each)})" for rule, each in by_rule.items()]
    hint = "; IGNORE_PATTERNS= (empty) fetches all" if wanted.weights else ""
    _logger.info("left out %d of %d files: %s%s", len(rules), len(files), "; ".join(parts), hint)


def _sum(files: Sequence[RemoteFile]) -> str:
    return f"{len(files)} files, {amount(sum(file.size or 0 for file in files))}"


def _names(files: Sequence[RemoteFile]) -> str:
    """A few of their names."""
    few = ", ".join(file.path for file in files[:_FEW])
    return few if len(files) <= _FEW else f"{few}, ..."


def _rule(file: RemoteFile, wanted: Selection) -> str:
    """The setting that leaves a file out, empty where none does."""
    if wanted.allow and not _matches(file, wanted.allow):
        return _ALLOWED
    return _IGNORED if _matches(file, wanted.ignore) else ""


def _matches(file: RemoteFile, patterns: Sequence[str]) -> bool:
    return any(
        fnmatchcase(name, f"{pattern}*" if pattern.endswith("/") else pattern)
        for pattern in patterns
        for name in (file.path, file.key)
    )
