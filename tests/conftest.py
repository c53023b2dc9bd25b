"""Tests leave nothing in the cache of whoever runs them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of answers for this session."""
    before = os.environ.get("TRAINC_CACHE_DIR")
    folder = tmp_path_factory.mktemp("cache")
    os.environ["TRAINC_CACHE_DIR"] = str(folder)
    yield folder
    if before is None:
        del os.environ["TRAINC_CACHE_DIR"]
    else:
        os.environ["TRAINC_CACHE_DIR"] = before
