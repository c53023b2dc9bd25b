"""What is fetched of real repositories where nobody sets patterns: all but copies of weights."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from trainc.initializers.patterns import Selection, select
from trainc.initializers.provider import RemoteFile

DATA = Path(__file__).with_name("model_repositories.txt")
UNITS = {"": 1, "K": 1000, "M": 1_000_000}


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    fetched: list[RemoteFile]
    left_out: list[RemoteFile]


def cases() -> Iterator[TestCase]:
    """The lists of the data file."""
    blocks = re.findall(r"^\[(.+)\]\n(.+)\n-(.*)$", DATA.read_text(), re.MULTILINE)
    for name, fetched, left_out in blocks:
        yield TestCase(name, list(files(fetched)), list(files(left_out)))


def files(line: str) -> Iterator[RemoteFile]:
    """``path[:size]``, separated by blanks; what has no size is small."""
    for word in line.split():
        path, _, size = word.partition(":")
        count = int(size[:-1]) * UNITS[size[-1]] if size else 1000
        yield RemoteFile(path, path, count)


def test_there_are_sixty_of_them() -> None:
    found = list(cases())
    assert len(found) >= 60
    assert len(found) == len(re.findall(r"^\[", DATA.read_text(), re.MULTILINE))


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_what_is_fetched_by_default(case: TestCase) -> None:
    listed = sorted((*case.fetched, *case.left_out), key=lambda file: file.path)
    chosen = select(listed, Selection((), (), weights=True))
    assert {file.path for file in chosen} == {file.path for file in case.fetched}


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_patterns_that_are_empty_fetch_all(case: TestCase) -> None:
    listed = [*case.fetched, *case.left_out]
    assert select(listed, Selection((), ())) == listed
