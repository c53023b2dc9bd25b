"""A ResourceList as text: its items with their places, and the text of another one.

In: bytes. Out: items, and text in which those that nobody changed stand as they were written,
comments and all: their lines are copied, not printed anew.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Final

from trainc import codes
from trainc.errors import Mark, Problem, TraincError
from trainc.manifest.emit import emit
from trainc.source.document import Document
from trainc.source.files import STDIN_NAME
from trainc.source.parse import parse

KIND: Final = "ResourceList"
_ALIAS: Final = re.compile(r"(?:^|[\s\[{,])\*\w")
_GROUP: Final = "config.kubernetes.io/"
_HINT: Final = "kustomize and kpt send one; try it with: kustomize build --enable-alpha-plugins"


class Item:
    """One object of the list.

    Attributes:
        document: What it says, and where.
        lines: Its text as it was written, without the ``-`` and its indentation; None where it
            cannot be copied.
    """

    def __init__(self, document: Document, lines: list[str] | None) -> None:
        """Takes what was read."""
        self.document, self.lines = document, lines

    @cached_property
    def annotations(self) -> Mapping[str, str]:
        """Its annotations that are text."""
        metadata = self.document.root.get("metadata")
        notes = metadata.get("annotations") if isinstance(metadata, dict) else None
        pairs = notes.items() if isinstance(notes, dict) else ()
        return {key: value for key, value in pairs if isinstance(value, str)}


class ResourceList:
    """What a function was given.

    Attributes:
        text: All of it.
        items: The objects.
        config: ``functionConfig``, None where there is none.
    """

    def __init__(self, document: Document, text: str) -> None:
        """Takes a document that ``read`` has looked at."""
        self.text = text
        self._version: str = document.root["apiVersion"]
        self.items = list(_items(document, text.split("\n")))
        self._starts = [item.document.mark(()).line for item in self.items]
        config = document.root.get("functionConfig")
        self.config: Item | None = None
        if isinstance(config, dict):
            mark = document.mark(("functionConfig",))
            self._config_line = mark.line
            self.config = Item(document.part(config, document.marks[id(config)][0]), None)

    @classmethod
    def read(cls, data: bytes) -> ResourceList:
        """Reads a ResourceList.

        Raises:
            TraincError: The bytes are something else.
        """
        documents, problems = parse(data, STDIN_NAME)
        if problems:
            raise TraincError(problems)
        if len(documents) != 1 or documents[0].kind != KIND:
            message = (
                f"no {KIND}, but {len(documents)} documents" if documents else "nothing to read"
            )
            if len(documents) == 1:
                message = f"no {KIND}, but {documents[0].kind or 'something without a kind'}"
            raise TraincError([Problem(message, codes.FUNCTION, Mark(STDIN_NAME), hint=_HINT)])
        problems = list(_refusals(documents[0]))
        if problems:
            raise TraincError(problems)
        return cls(documents[0], data.decode("utf-8", "replace"))

    def item_at(self, mark: Mark | None) -> Item | None:
        """The item a place of the text is in."""
        if mark is None or mark.file != STDIN_NAME or not mark.line:
            return None
        if self.config and mark.line >= self._config_line and self._config_line > max(
            self._starts, default=0
        ):  # fmt: skip
            return self.config
        number = bisect_right(self._starts, mark.line) - 1
        return self.items[number] if number >= 0 else None

    def written(
        self, items: Iterable[Item | Mapping[str, Any]], results: list[dict[str, Any]]
    ) -> str:
        """The text of a ResourceList of the same version.

        Args:
            items: Items of this list, and objects to print.
            results: What was found.
        """
        parts = [f"apiVersion: {self._version}\nkind: {KIND}\n"]
        texts = [_text(item) for item in items]
        parts.append("items:\n" if texts else "items: []\n")
        parts += texts
        if results:
            parts.append(emit({"results": results}))
        return "".join(parts)


def _refusals(document: Document) -> Iterator[Problem]:
    if not document.api_version.startswith(_GROUP):
        hint = f"write {_GROUP}v1"
        yield Problem("unknown version", codes.FUNCTION, document.mark(("apiVersion",)), hint=hint)
    if not isinstance(document.root.get("functionConfig"), dict | None):
        mark = document.mark(("functionConfig",))
        yield Problem("must be an object", codes.FUNCTION, mark, field="functionConfig")
    items = document.root.get("items")
    if not isinstance(items, list | None):
        yield Problem("must be a list", codes.FUNCTION, document.mark(("items",)), field="items")
        return
    for index, item in enumerate(items or ()):
        if not isinstance(item, dict):
            yield Problem(
                "must be an object", codes.FUNCTION, document.mark(("items", index)), field="items"
            )


def _items(document: Document, lines: list[str]) -> Iterator[Item]:
    items = document.root.get("items") or []
    if not items:
        return
    places = document.marks.get(id(items), [])
    marks = [document.placed(place) for place in places]
    block = all(_begins(lines[mark.line - 1], mark.column) for mark in marks)
    block = block and not any(map(_ALIAS.search, lines))  # of what may go
    ends = [*(mark.line for mark in marks[1:]), len(lines) + 1]
    for item, place, mark, end in zip(items, places, marks, ends, strict=True):
        text = _lines(lines[mark.line - 1 : end - 1], mark.column) if block else None
        yield Item(document.part(item, place), text)


def _begins(line: str, column: int) -> bool:
    """Whether an item begins there, with nothing but its dash before it."""
    return line[: column - 1].strip() == "-"


def _lines(lines: list[str], column: int) -> list[str] | None:
    """An item's lines without indentation; None where one stands further left than the item."""
    indent = column - 1
    found = [lines[0][indent:]]
    for line in lines[1:]:
        if line[:indent].strip():
            if not line[0].isspace() and not line.startswith(("#", "-")):
                break  # the next field of the list
            if not line.lstrip().startswith("#"):
                return None
            line = " " * indent + line.lstrip()
        found.append(line[indent:])
    while found and not found[-1].strip():
        found.pop()
    return found


def _text(item: Item | Mapping[str, Any]) -> str:
    """One item of the list as text."""
    if isinstance(item, Item):
        lines = item.lines or emit(item.document.root).splitlines()
    else:
        lines = emit(item).splitlines()
    first, *rest = lines
    return "".join([f"- {first}\n", *(f"  {line}\n" if line else "\n" for line in rest)])
