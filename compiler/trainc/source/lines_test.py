from dataclasses import dataclass

import pytest

from trainc.errors import Mark
from trainc.source.lines import MARKER, line_marks


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    pieces: tuple[tuple[str, int, str], ...]
    text: str | None
    want: tuple[tuple[str, int, int], ...]


CASES = [
    TestCase("one line a piece", (("t", 1, "a: 1\n"), ("t", 2, "b: 2\n")), None,
             (("t", 1, 1), ("t", 2, 1), ("t", 2, 1))),
    TestCase("the first piece of a line tells", (("t", 3, "a: "), ("t", 4, "1\n")), None,
             (("t", 3, 1), ("t", 4, 1))),
    TestCase("a blank is nobody's", (("t", 3, "  "), ("m", 4, "a: 1\n")), None,
             (("m", 4, 1), ("m", 4, 1))),
    TestCase("indented", (("t", 3, "  a: 1\n"),), None, (("t", 3, 3), ("t", 3, 1))),
    TestCase("many lines of one piece", (("m", 7, "a\nb\nc"),), None,
             (("m", 7, 1), ("m", 7, 1), ("m", 7, 1))),
    TestCase("a filter has moved the lines", (("t", 1, "a\n"), ("t", 2, "b\n"), ("t", 3, "c")),
             "  a\n  c", (("t", 1, 1), ("t", 3, 1))),
    TestCase("a filter has made lines", (("t", 5, "a"),), "a\nnew\n",
             (("t", 5, 1), ("t", 5, 1), ("t", 5, 1))),
    TestCase("nothing", (), "", (("t", 1, 1),)),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_line_knows_where_it_was_written(case: TestCase) -> None:
    marked = "".join(MARKER.format(file, line) + piece for file, line, piece in case.pieces)
    text = "".join(piece for _, _, piece in case.pieces) if case.text is None else case.text
    assert line_marks(text, marked, "t") == tuple(Mark(*place) for place in case.want)
