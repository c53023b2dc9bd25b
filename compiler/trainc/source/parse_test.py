from dataclasses import dataclass
from typing import Any

import pytest

from trainc.source.parse import parse


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    text: str | bytes
    want: list[Any]


@dataclass(frozen=True)
class RefusedCase:
    __test__ = False
    name: str
    text: str | bytes
    message: str
    place: tuple[int, int]
    field: str = ""
    rest: list[Any] | None = None


def as_bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def roots(text: str | bytes) -> list[Any]:
    documents, problems = parse(as_bytes(text), "f.yaml")
    assert not problems, [str(problem) for problem in problems]
    return [document.root for document in documents]


@pytest.mark.parametrize(
    "case",
    [
        TestCase("nothing", "", []),
        TestCase("a line break", "\n", []),
        TestCase("a comment alone", "# nothing\n", []),
        TestCase("a marker alone", "---\n", []),
        TestCase("markers and comments", "---\n# a\n---\n# b\n...\n", []),
        TestCase("several documents", "a: 1\n---\n---\nb: 2\n", [{"a": 1}, {"b": 2}]),
        TestCase("a byte order mark", b"\xef\xbb\xbfa: 1\n", [{"a": 1}]),
        TestCase("UTF-16, little end first", "\ufeffa: é\n".encode("utf-16-le"), [{"a": "é"}]),
        TestCase("UTF-16, big end first", "\ufeffa: é\n".encode("utf-16-be"), [{"a": "é"}]),
        TestCase("CRLF", "a: 1\r\nb:\r\n- x\r\n", [{"a": 1, "b": ["x"]}]),
        TestCase("a tab after a colon", "a:\t1\n", [{"a": 1}]),
        TestCase("a tab in a value", "a: x\ty\n", [{"a": "x\ty"}]),
        TestCase("tabs in JSON", '{\n\t"a":\t1\n}\n', [{"a": 1}]),
        TestCase("no line break at the end", "a: |\n  x", [{"a": "x\n"}]),
        TestCase("JSON", '{"a":[1,2.5,true,null,"x"]}', [{"a": [1, 2.5, True, None, "x"]}]),
        TestCase("JSON's surrogate pair", r'{"a": "\ud83d\ude00"}', [{"a": "\U0001f600"}]),
        TestCase("JSON that only looks so", r'{"a": "\\ud83d\\ude00"}', [{"a": r"\ud83d\ude00"}]),
        TestCase(
            "colons in flow style", "a: [http://h:80, b:c]\n", [{"a": ["http://h:80", "b:c"]}]
        ),
        TestCase(
            "colons in flow style, in the second document",
            "a: &x 1\nb: *x\n---\n[h:1, '\ue000']\n",
            [{"a": 1, "b": 1}, ["h:1", "\ue000"]],
        ),
        TestCase(
            "colons and quotes", "{\"a\":1, 'b':c:d, e: f}\n", [{"a": 1, "b": "c:d", "e": "f"}]
        ),
        TestCase(
            "keys are strings",
            "on: 1\nn: 2\n1: 3\n1.50: 4\n",
            [{"true": 1, "false": 2, "1": 3, "1.5": 4}],
        ),
        TestCase("keys that are no scalars of ours", "2024-01-15: a\n", [{"2024-01-15": "a"}]),
        TestCase("quoted keys stay", "'on': 1\n\"1\": 2\n", [{"on": 1, "1": 2}]),
        TestCase("tags", "a: !!str 1\nb: !!int '2'\nc: ! 3\n", [{"a": "1", "b": 2, "c": "3"}]),
        TestCase("tags that say what is so", "a: !!map {}\nb: !!seq []\n", [{"a": {}, "b": []}]),
        TestCase("a tagged key", "!!int '0x10': a\n", [{"16": "a"}]),
        TestCase("a long number", f"a: {'9' * 6000}\n", [{"a": "9" * 6000}]),
        TestCase("beyond int64", "a: 9223372036854775808\n", [{"a": 9223372036854775808.0}]),
        TestCase("whole floats are integers", "a: 1e3\nb: 1.0\n", [{"a": 1000, "b": 1}]),
        TestCase("an alias", "a: &x {b: [1]}\nc: *x\n", [{"a": {"b": [1]}, "c": {"b": [1]}}]),
        TestCase("an alias of a scalar", "a: &x yes\nb: *x\n", [{"a": True, "b": True}]),
        TestCase("an alias for a key", "&k a: 1\nb:\n  *k : 2\n", [{"a": 1, "b": {"a": 2}}]),
        TestCase("an anchor again", "a: &x 1\nb: &x 2\nc: *x\n", [{"a": 1, "b": 2, "c": 2}]),
        TestCase(
            "anchors end with their document",
            "a: &x 1\n---\na: &x 2\nb: *x\n",
            [{"a": 1}, {"a": 2, "b": 2}],
        ),
        TestCase(
            "a merge",
            "a: &x {b: 1}\nc:\n  <<: *x\n  d: 2\n",
            [{"a": {"b": 1}, "c": {"d": 2, "b": 1}}],
        ),
        TestCase(
            "a merge, then its override",
            "a: &x {b: 1}\nc:\n  <<: *x\n  b: 2\n",
            [{"a": {"b": 1}, "c": {"b": 2}}],
        ),
        TestCase(
            "merges, the first is the strongest",
            "c: {<<: [{b: 1}, {b: 2, d: 3}]}\n",
            [{"c": {"b": 1, "d": 3}}],
        ),
        TestCase("a merge in a merge", "c: {<<: {<<: {a: 1}}}\n", [{"c": {"a": 1}}]),
        TestCase("a quoted merge is a key", "c: {'<<': {b: 1}}\n", [{"c": {"<<": {"b": 1}}}]),
        TestCase("a value that looks like a merge", "c: <<\n", [{"c": "<<"}]),
        TestCase("a NUL, escaped", 'a: "\\0"\n', [{"a": "\0"}]),
        TestCase("a key without a value", "{a, b: 1}\n", [{"a": None, "b": 1}]),
        TestCase("as deep as may be", "[" * 200 + "]" * 200, [eval("[" * 200 + "]" * 200)]),
    ],
    ids=lambda case: case.name,
)
def test_parse_reads(case: TestCase) -> None:
    assert roots(case.text) == case.want


def bomb(line: str, levels: int) -> str:
    lines = (line.format(this=f"a{n}", last=f"*a{n - 1}") for n in range(1, levels))
    return "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "\n".join(lines) + "\n"


LIST_BOMB = "{this}: &{this} [{last}, {last}, {last}, {last}, {last}, {last}, {last}, {last}]"


@pytest.mark.parametrize(
    "case",
    [
        RefusedCase(
            "a duplicate key",
            "a: 1\nb: 2\na: 3\n",
            "duplicate key 'a', first set at 1:1",
            (3, 1),
            "a",
            [{"a": 1, "b": 2}],
        ),
        RefusedCase(
            "a duplicate below",
            "s:\n- b: 1\n  b: {c: 1}\n",
            "duplicate key 'b', first set at 2:3",
            (3, 3),
            "s[0].b",
            [{"s": [{"b": 1}]}],
        ),
        RefusedCase(
            "a duplicate in other words",
            "1: a\n'1': b\n",
            "duplicate key '1'",
            (2, 1),
            "1",
            [{"1": "a"}],
        ),
        RefusedCase(
            "a duplicate merge",
            "<<: {a: 1}\n<<: {b: 1}\n",
            "duplicate key '<<', first set at 1:1",
            (2, 1),
            "<<",
            [{"a": 1}],
        ),
        RefusedCase(
            "a merge below what it overrides",
            "b: 1\n<<: {b: 2}\n",
            "duplicate key 'b', first set at 1:1",
            (2, 1),
            "b",
            [{"b": 1}],
        ),
        RefusedCase(
            "a merge of a scalar",
            "c:\n  <<: 1\n",
            "<< must name a mapping",
            (2, 3),
            "c",
            [{"c": {}}],
        ),
        RefusedCase(
            "a merge of a list of scalars", "<<: [1]\n", "<< must name a mapping", (1, 1), "", [{}]
        ),
        RefusedCase("an unknown tag", "a: !foo 1\n", "unknown tag !foo", (1, 4), "a", [{"a": "1"}]),
        RefusedCase(
            "an unknown tag of a mapping",
            "a: !!set {b}\n",
            "unknown tag !!set",
            (1, 4),
            "a",
            [{"a": {"b": None}}],
        ),
        RefusedCase(
            "an unknown tag of a key", "!foo a: 1\n", "unknown tag !foo", (1, 1), "a", [{"a": 1}]
        ),
        RefusedCase(
            "a tag that is wrong", "a: !!int x\n", "'x' is no !!int", (1, 4), "a", [{"a": "x"}]
        ),
        RefusedCase("a tag that is no UTF-8", "a: !<%ff> x\n", "", (1, 6), ""),
        RefusedCase(
            "binary that is no text",
            "a: !!binary /w==\n",
            "!!binary must hold base64",
            (1, 4),
            "a",
            [{"a": "/w=="}],
        ),
        RefusedCase(
            "infinity", "a:\n- .inf\n", "JSON has no number .inf", (2, 3), "a[0]", [{"a": [None]}]
        ),
        RefusedCase(
            "no number", "a: !!float .nan\n", "JSON has no number .nan", (1, 4), "a", [{"a": None}]
        ),
        RefusedCase("a null for a key", "~: 1\n", "~ cannot be a key", (1, 1), "~", [{}]),
        RefusedCase(
            "an unsigned key",
            "18446744073709551615: 1\n",
            "cannot be a key",
            (1, 1),
            "18446744073709551615",
            [{}],
        ),
        RefusedCase("a list for a key", "? [a]\n: 1\n", "a mapping key must be a scalar", (1, 3)),
        RefusedCase(
            "an alias of a list for a key",
            "a: &x []\n*x : 1\n",
            "a mapping key must be a scalar",
            (2, 1),
        ),
        RefusedCase("an unknown anchor", "a: *x\n", "unknown anchor 'x'", (1, 4)),
        RefusedCase(
            "an anchor of another document",
            "a: &x 1\n---\nb: *x\n",
            "unknown anchor 'x'",
            (3, 4),
            "",
            [{"a": 1}],
        ),
        RefusedCase("an alias in itself", "a: &x [*x]\n", "anchor 'x' contains itself", (1, 8)),
        RefusedCase(
            "an alias in itself, deeper",
            "&x a:\n  b: &y {c: {d: *y}}\n",
            "anchor 'y' contains itself",
            (2, 17),
        ),
        RefusedCase(
            "an alias bomb", bomb(LIST_BOMB, 9), "document contains excessive aliasing", (4, 35)
        ),
        RefusedCase(
            "a merge bomb",
            bomb("{this}: &{this} {{b: [{last}, {last}, {last}], <<: {{c: {last}}}}}", 20),
            "document contains excessive aliasing",
            (6, 19),
        ),
        RefusedCase(
            "a bomb of one long text",
            f"a: &a {'x' * 100_000}\nb: [{'*a, ' * 5_000}]\n",
            "excessive aliasing",
            (2, 13),
        ),
        RefusedCase(
            "an alias that gets too deep",
            f"a: &a {'[' * 150}{']' * 150}\nb: {'[' * 60}*a{']' * 60}\n",
            "nested deeper than 200 levels",
            (2, 64),
        ),
        RefusedCase("100,000 lists deep", "[" * 100_000, "nested deeper than 200 levels", (1, 201)),
        RefusedCase(
            "100,000 block lists deep", "- " * 100_000, "nested deeper than 200 levels", (1, 401)
        ),
        RefusedCase(
            "100,000 mappings deep", "{a: " * 100_000, "nested deeper than 200 levels", (1, 801)
        ),
        RefusedCase(
            "100,000 block mappings deep",
            "".join(" " * n + "a:\n" for n in range(1_000)),
            "nested deeper than 200 levels",
            (201, 201),
        ),
        RefusedCase("20,000 complex keys", "? " * 20_000, "a mapping key must be a scalar", (1, 3)),
        RefusedCase("invalid UTF-8", b"a: \xff\n", "invalid leading UTF-8 octet", (1, 4)),
        RefusedCase("half a letter", b"a: 1\nb: \xc3", "invalid trailing UTF-8 octet", (2, 5)),
        RefusedCase(
            "a surrogate in UTF-8", b"a: \xed\xa0\x80\n", "invalid Unicode character", (1, 4)
        ),
        RefusedCase(
            "half of UTF-16", b"\xff\xfea\x00:\x00 ", "incomplete UTF-16 character", (1, 7)
        ),
        RefusedCase("a NUL byte", "a: 1\nb: \0\n", "control characters are not allowed", (2, 4)),
        RefusedCase(
            "a control character", "a: \x1b[0m\n", "control characters are not allowed", (1, 4)
        ),
        RefusedCase(
            "half a surrogate pair",
            r'{"a": "\ud83d"}',
            "found invalid Unicode character escape",
            (1, 10),
        ),
        RefusedCase(
            "a surrogate pair in YAML",
            r'a: "\ud83d\ude00"',
            "found invalid Unicode character escape",
            (1, 7),
        ),
        RefusedCase(
            "a tab for indentation",
            "a:\n\tb: 1\n",
            "found character that cannot start any token",
            (2, 1),
        ),
        RefusedCase(
            "a tab after a value",
            "a: b\n\tc: d\n",
            "found a tab character that violates indentation",
            (2, 1),
        ),
        RefusedCase(
            "a quote that does not end", "a: 'b\n", "found unexpected end of stream", (2, 1)
        ),
        RefusedCase("two colons", "a: b: c\n", "mapping values are not allowed", (1, 5)),
        RefusedCase("a bad escape", 'a: "\\q"\n', "found unknown escape character", (1, 5)),
        RefusedCase(
            "two objects without a marker",
            '{"a": 1}\n{"b": 2}\n',
            "did not find expected <document start>",
            (2, 1),
            "",
            [{"a": 1}],
        ),
        RefusedCase("a colon by a quote", "[a':b]\n", "found unexpected ':'", (1, 4)),
        RefusedCase(
            "more directives than one can count",
            "%TAG ! x\n" * 200_000,
            "more than 100 directives",
            (1, 1),
        ),
    ],
    ids=lambda case: case.name,
)
def test_parse_refuses_with_a_place(case: RefusedCase) -> None:
    documents, problems = parse(as_bytes(case.text), "f.yaml")
    first = problems[0]
    assert case.message in first.message
    assert first.severity == "error"
    assert first.mark is not None
    assert (first.mark.file, *first.mark[1:]) == ("f.yaml", *case.place)
    assert first.field == case.field
    assert [document.root for document in documents] == (case.rest or [])


def test_a_broken_document_costs_only_itself() -> None:
    text = "a: [1\n---\nb: 2\n---\nc: 'x\n---\nd: 4\n"
    documents, problems = parse(text.encode(), "f.yaml")
    assert [(document.index, document.root) for document in documents] == [
        (1, {"b": 2}),
        (3, {"d": 4}),
    ]
    assert [problem.mark[1:] for problem in problems if problem.mark] == [(2, 1), (6, 1)]
    assert documents[1].mark(("d",)).line == 7


def test_a_file_that_is_no_yaml_ends_early() -> None:
    _, broken = parse(b"---\n]\n" * 10_000, "f.yaml")
    assert len(broken) == 20
    _, doubled = parse(b"a: 1\n" * 10_000, "f.yaml")
    assert len(doubled) == 101
    assert doubled[-1].message == "too many problems, not read on"


def test_what_a_parser_was_at_is_told_by_the_line_of_the_file() -> None:
    _, (first, second) = parse(b"a: [1\n---\n\nb:\n- [c:d, 'e\n", "f.yaml")
    assert first.message.endswith("(while parsing a flow sequence of line 1)")
    assert second.message.endswith("(while scanning a quoted scalar of line 5)")


def test_colons_in_a_document_after_a_broken_one() -> None:
    documents, (problem,) = parse(b"x: [a:b]\n---\n]\n---\nx: [c:d]\nz: 1\n", "f.yaml")
    assert [document.root for document in documents] == [{"x": ["a:b"]}, {"x": ["c:d"], "z": 1}]
    assert problem.mark is not None
    assert problem.mark.line == 3
    assert documents[1].mark(("z",)).line == 6


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_whatever_ends_them(end: str) -> None:
    text = "a: 1\nb: [\n---\nc: ]\n---\nd: 1\n".replace("\n", end)
    documents, problems = parse(text.encode(), "f.yaml")
    assert [problem.mark.line for problem in problems if problem.mark] == [3, 4][: len(problems)]
    if end != "\r":
        assert documents[0].mark(("d",))[1:] == (6, 1)


def test_bytes_that_are_no_text_cost_only_their_document() -> None:
    text = b"a: 1\n---\nb: [\n---\nc: \x01\n\n---\nd: 1\n---\ne: \xff\n---\nf: 1\n"
    documents, problems = parse(text, "f.yaml")
    assert [(one.index, one.root) for one in documents] == [
        (0, {"a": 1}),
        (3, {"d": 1}),
        (5, {"f": 1}),
    ]
    assert sorted(one.mark.line for one in problems if one.mark) == [4, 5, 10]
    assert [one.mark(()).line for one in documents] == [1, 8, 12]
