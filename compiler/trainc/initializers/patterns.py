"""Which of a remote's files are wanted.

In: the listing and the patterns. Out: the files to fetch. A pattern is matched against the path in
the target (as the Hub's client does) and against the remote's whole key (as the reference does for
S3): either may be meant, and both are used. ``*`` matches slashes too.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from trainc.initializers.config import MODEL_IGNORE_PATTERNS, Config
from trainc.initializers.provider import Provider, RemoteFile

# Formats that training reads without running code from the file.
_WEIGHTS: Final = ("*.safetensors", "*.gguf")
# Taken where a model has none of them, the first that is there.
_OLDER_WEIGHTS: Final = (("*.bin",), ("*.pt", "*.pth"), ("*.h5",), ("*.msgpack",))

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Selection:
    """The patterns in force; ``weights`` asks for older weights where no newer ones are there."""

    allow: tuple[str, ...]
    ignore: tuple[str, ...]
    weights: bool = False


def selection(config: Config, provider: Provider) -> Selection:
    """What the settings ask for; what they leave open is the default for the ancestor."""
    model = config.ancestor == "model"
    allow, ignore = config.patterns.allow, config.patterns.ignore
    return Selection(
        allow=(provider.model_allow_patterns if model else ()) if allow is None else allow,
        ignore=(MODEL_IGNORE_PATTERNS if model else ()) if ignore is None else ignore,
        weights=model and allow is None and ignore is None,
    )


def select(files: Sequence[RemoteFile], wanted: Selection) -> list[RemoteFile]:
    """The files that are wanted, in the order of the listing."""
    chosen = [file for file in files if _wanted(file, wanted)]
    if not wanted.weights or any(_matches(file, _WEIGHTS) for file in chosen):
        return chosen
    for older in _OLDER_WEIGHTS:
        if any(_matches(file, older) for file in files):
            _logger.info("no weights of %s: fetching %s", ", ".join(_WEIGHTS), ", ".join(older))
            return [file for file in files if file in chosen or _matches(file, older)]
    return chosen


def _wanted(file: RemoteFile, wanted: Selection) -> bool:
    if wanted.allow and not _matches(file, wanted.allow):
        return False
    return not _matches(file, wanted.ignore)


def _matches(file: RemoteFile, patterns: Sequence[str]) -> bool:
    return any(
        fnmatchcase(name, f"{pattern}*" if pattern.endswith("/") else pattern)
        for pattern in patterns
        for name in (file.path, file.key)
    )
