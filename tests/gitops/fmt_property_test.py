"""``fmt`` on every file there is, and on some that nobody wrote: the meaning stays."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from tests.corpus import CORPUS
from trainc.edit.formatting import formatted
from trainc.edit.text import Text, of_bytes
from trainc.errors import TraincError
from trainc.source.files import File

ROOT = Path(__file__).parents[2]
FOLDERS = {"examples": ROOT / "examples", "runtimes": ROOT / "runtimes", "conformance": CORPUS}


def read(data: bytes) -> Text:
    return of_bytes(data, File("a.yaml", "a.yaml", True))


def meaning(text: Text) -> list[str]:
    return [json.dumps(document.root, sort_keys=True) for document in text.documents]


def comments(text: str) -> Counter[str]:
    return Counter(f"#{part}" for line in text.splitlines() for part in line.split("#")[1:])


def assert_kept(data: bytes) -> None:
    """One round keeps meaning and letters, a second one changes nothing."""
    old = read(data)
    once = formatted(old)
    new = read(old.as_bytes(once))
    assert meaning(new) == meaning(old)
    assert comments(once) == comments(old.text)
    assert formatted(new) == once


@pytest.mark.parametrize("name", FOLDERS)
def test_every_file_there_is_keeps_its_meaning(name: str) -> None:
    files = sorted(FOLDERS[name].rglob("*.yaml"))
    assert files
    for path in files:
        data = path.read_bytes()
        try:
            read(data)
        except TraincError:  # some of the corpus is not meant to be read
            continue
        assert_kept(data)
        assert_kept(data.replace(b"\n", b"\r\n"))


# What a TrainJob or a runtime is made of, and keys that the API does not know.
WORDS = ("spec", "trainer", "env", "name", "image", "template", "metadata", "labels", "zeta", "a b")
SCALARS = ("x", "1", "true", "~", "''", '"a # b"', "'it''s'", "2026-01-01", "a:b", "-1", "é")
BLOCKS = ("|", "|-", "|+", ">", ">-", ">+", "|2")

trees: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(SCALARS),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3),
        st.dictionaries(st.sampled_from(WORDS), inner, min_size=1, max_size=4),
    ),
    max_leaves=12,
)


class Writer:
    """Writes a tree as somebody might: any width, any style, comments anywhere."""

    def __init__(self, data: st.DataObject) -> None:
        self._draw = data.draw
        self._count = 0

    def document(self, root: dict[str, Any]) -> str:
        keys = [("apiVersion", "trainer.kubeflow.org/v1alpha1"), ("kind", "TrainJob")]
        items = self._draw(st.permutations([*keys, *root.items()]))
        return "".join(line + "\n" for line in self._map(items, self._one(0, 2)))

    def _one(self, *choices: Any) -> Any:
        return self._draw(st.sampled_from(choices))

    def _aside(self, column: int) -> list[str]:
        """Comments and blank lines, at columns where people put them."""
        kind = self._one(*[0] * 5, 1, 2, 3)
        self._count += 1
        pad = " " * self._one(column, column, 0, column + 1, column + 3)
        return [[], [f"{pad}# c{self._count}"], [""], ["", f"{pad}# c{self._count}"]][kind]

    def _map(self, items: Sequence[tuple[str, Any]], column: int) -> list[str]:
        lines = []
        for key, value in items:
            lines += self._aside(column)
            lines += self._value(f"{' ' * column}{key}:", value, column, in_map=True)
        return [*lines, *self._aside(column)]

    def _list(self, items: Sequence[Any], column: int) -> list[str]:
        lines = []
        for value in items:
            lines += self._aside(column)
            lines += self._item(value, column)
        return lines

    def _item(self, value: Any, column: int) -> list[str]:
        gap = " " * self._one(1, 1, 3)
        if isinstance(value, str) or self._one(*[False] * 3, True):
            return self._value(f"{' ' * column}-", value, column, in_map=False)
        inner = column + 1 + len(gap)
        if isinstance(value, dict):
            lines = self._map(list(value.items()), inner)
        else:
            lines = self._list(value, inner)
        first = next(n for n, line in enumerate(lines) if line.strip()[:1] not in ("", "#"))
        lines[first] = f"{' ' * column}-{gap}{lines[first].strip()}"
        above = [line.strip() and " " * column + line.strip() for line in lines[:first]]
        return [*above, *lines[first:]]

    def _value(self, head: str, value: Any, column: int, *, in_map: bool) -> list[str]:
        behind = self._one("", "", "  # behind")
        if isinstance(value, str):
            return self._scalar(head, value, column)
        if self._one(*[False] * 4, True):
            return [f"{head} {self._flow(value)}{behind}"]
        column += self._one(1, 2, 2, 4)
        if isinstance(value, dict):
            return [f"{head}{behind}", *self._map(list(value.items()), column)]
        column = self._one(column, len(head) - len(head.lstrip())) if in_map else column
        return [f"{head}{behind}", *self._list(value, column)]

    def _scalar(self, head: str, value: str, column: int) -> list[str]:
        style = self._one(*[""] * 6, *BLOCKS, "folded")
        inner = " " * (column + 2)
        if style == "folded":
            return [f'{head} "one', f"{inner}two", "", f'{inner}three"']
        if not style:
            return [f"{head} {value}"]
        if style == "|2":
            return [f"{head} |2", f"{inner}  deep", "", f"{inner}less"]
        return [f"{head} {style}", f"{inner}one", "", f"{inner}  # two", f"{inner}three"]

    def _flow(self, value: Any) -> str:
        if isinstance(value, str):
            return value if value != "a:b" else '"a:b"'
        if isinstance(value, list):
            return f"[{', '.join(self._flow(item) for item in value)}]"
        return f"{{{', '.join(f'{key}: {self._flow(item)}' for key, item in value.items())}}}"


@given(st.dictionaries(st.sampled_from(WORDS), trees, min_size=1, max_size=4), st.data())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_nobody_wrote_keeps_its_meaning(root: dict[str, Any], data: st.DataObject) -> None:
    text = Writer(data).document(root)
    try:
        read(text.encode())
    except TraincError:  # a way to write it that is no YAML after all
        reject()
    assert_kept(text.encode())
