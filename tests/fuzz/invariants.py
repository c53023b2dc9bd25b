"""What holds for every file the loader reads, however broken or hostile."""

from typing import Any

from trainc.errors import Problem
from trainc.source.alias import MAX_DEPTH
from trainc.source.document import Document, unpack
from trainc.source.files import File
from trainc.source.parse import parse
from trainc.source.source import duplicates, from_bytes

FILE = File("f.yaml", "f.yaml", named=True)
MOST_PROBLEMS = 150
INT64 = 1 << 63


def check(data: bytes) -> None:
    """Loads the bytes and raises AssertionError where something does not hold."""
    lines = data.count(b"\n") + data.count(b"\r") + 2
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        lines = len(data)
    documents, problems = parse(data, "f.yaml")
    check_problems(problems, lines)
    for document in documents:
        check_document(document, lines)
    again, _ = parse(data, "f.yaml")
    assert repr([one.root for one in again]) == repr([one.root for one in documents])
    found: list[Problem] = []
    check_problems([*duplicates(from_bytes(data, FILE, found), "default"), *found], lines)


def check_problems(problems: list[Problem], lines: int) -> None:
    """Every problem has words and a place; there are not too many."""
    assert len([one for one in problems if one.severity == "error"]) <= MOST_PROBLEMS + lines
    for problem in problems:
        assert problem.message
        assert problem.mark is not None
        assert 1 <= problem.mark.line <= lines, problem
        assert problem.mark.column >= 1, problem
        str(problem).encode()


def check_document(document: Document, lines: int) -> None:
    """Plain types alone, no container twice, and a place for every entry."""
    seen: set[int] = set()
    waiting: list[tuple[Any, int]] = [(document.root, 0)]
    while waiting:
        node, depth = waiting.pop()
        if isinstance(node, dict | list):
            assert id(node) not in seen, "a container stands in two places"
            seen.add(id(node))
            assert depth <= MAX_DEPTH
            places = document.marks[id(node)]
            assert len(places) == len(node), "an entry has no place"
            for place in places:
                mark = unpack("f", place)
                assert 1 <= mark.line <= lines
                assert mark.column >= 1
            inner = node.values() if isinstance(node, dict) else node
            waiting += [(item, depth + 1) for item in inner]
            check_plain(list(node) if isinstance(node, dict) else [], keys=True)
        check_plain([node])
    assert seen == set(document.marks), "a place without an entry"


def check_plain(values: list[Any], keys: bool = False) -> None:
    """The exact types JSON has, and values that fit it."""
    for value in values:
        assert type(value) in ((str,) if keys else (dict, list, str, int, float, bool, type(None)))
        if type(value) is int:
            assert -INT64 <= value < INT64
        elif type(value) is float:
            assert value - value == 0
        elif type(value) is str:
            value.encode()
