from __future__ import annotations

from dataclasses import dataclass

import pytest

from trainc.initializers.progress import Progress
from trainc.initializers.sink import Content


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    chunks: list[tuple[int, bytes]]
    want: bytes


@pytest.mark.parametrize(
    "case",
    [
        TestCase("nothing", [], b""),
        TestCase("in order", [(0, b"ab"), (2, b"cd")], b"abcd"),
        TestCase("begun anew", [(0, b"xyz"), (0, b"ab"), (2, b"c")], b"abc"),
        TestCase("begun anew, and shorter", [(0, b"xyz"), (0, b"a")], b"a"),
    ],
    ids=lambda case: case.name,
)
def test_content_is_what_came_last(case: TestCase) -> None:
    progress = Progress()
    progress.begin(100, 1, 0, 0)
    content = Content(progress)
    for position, chunk in case.chunks:
        content.take(position, memoryview(chunk))
    assert content.whole == case.want
    assert progress.snapshot().done_bytes == len(case.want)
