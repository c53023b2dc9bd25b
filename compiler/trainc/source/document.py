"""One YAML document: plain Python data, and for each entry the place where it was written.

In comes what the parser built; out go answers to "where does this field stand?". The data are
plain dicts and lists, because validators and emitters read those fastest; so the places live
beside them, keyed by the identity of the container they belong to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainc.errors import Mark

_COLUMN_BITS = 12
MAX_COLUMN = (1 << _COLUMN_BITS) - 1
"""The last column a packed place can tell; what stands further right is put here."""


def pack(line: int, column: int) -> int:
    """Returns line and column, both counted from 1, as one small integer."""
    return line << _COLUMN_BITS | min(column, MAX_COLUMN)


def unpack(file: str, place: int) -> Mark:
    """Returns the packed place as a mark in ``file``."""
    return Mark(file, place >> _COLUMN_BITS, place & MAX_COLUMN)


class Document:
    """One document of a file.

    Attributes:
        file: The file's name as it is printed: POSIX slashes, ``<stdin>`` for ``-``.
        index: Which document of its file this is, from 0.
        root: Plain dicts, lists, strings, numbers, booleans and None (exact types).
        marks: ``id(container)`` to the packed place of each key (mapping, in insertion order)
            or of each item (list). Whoever removes a key removes its place as well.
        place: The packed place of the root node.
        text: What was parsed, where that is not the file's own text (a rendered template).
    """

    __slots__ = ("file", "index", "marks", "place", "root", "text")

    def __init__(
        self,
        file: str,
        index: int,
        root: Any,
        marks: dict[int, list[int]],
        place: int,
        text: str | None = None,
    ) -> None:
        """Takes the parts as they are; nothing is copied."""
        self.file = file
        self.index = index
        self.root = root
        self.marks = marks
        self.place = place
        self.text = text

    def mark(self, path: Sequence[str | int]) -> Mark:
        """Returns the place of an entry: its key in a mapping, the item itself in a list.

        A path that does not exist answers with its nearest ancestor that does.
        """
        place, container = self.place, self.root
        for step in path:
            found = self._place_of(container, step)
            if found is None:
                break
            place, container = found, container[step]
        return self.placed(place)

    def mark_of(self, container: object, key: str | int) -> Mark | None:
        """Returns the place of one entry of a container, told by the container's identity.

        So it stays right after subtrees of this document were moved into other objects. None
        where the container is not of this document or the entry was added after parsing.
        """
        place = self._place_of(container, key)
        return None if place is None else self.placed(place)

    def placed(self, place: int) -> Mark:
        """Returns a packed place of this document as a mark."""
        return unpack(self.file, place)

    def part(self, root: Any, place: int) -> Document:
        """Returns a node of this document, such as an item of a List, as a document."""
        return Document(self.file, self.index, root, self.marks, place, self.text)

    @property
    def kind(self) -> str:
        """The object's ``kind``, empty where there is none."""
        node = self.root.get("kind") if self.root.__class__ is dict else ""
        return node if node.__class__ is str else ""  # asked five times of each document

    @property
    def api_version(self) -> str:
        """The object's ``apiVersion``, empty where there is none."""
        return self.text_at("apiVersion")

    @property
    def name(self) -> str:
        """The object's ``metadata.name``, empty where there is none."""
        return self.text_at("metadata", "name")

    @property
    def namespace(self) -> str:
        """The object's ``metadata.namespace``, empty where there is none."""
        return self.text_at("metadata", "namespace")

    @property
    def label(self) -> str:
        """``Kind/name``, as problems name their object."""
        return f"{self.kind}/{self.name}"

    def text_at(self, *path: str) -> str:
        """Returns the string at a path of keys, empty where there is none."""
        node = self.root
        for step in path:
            node = node.get(step) if node.__class__ is dict else None
        return node if node.__class__ is str else ""

    def __repr__(self) -> str:
        """The document as a person debugging would call it."""
        return f"<Document {self.file}#{self.index} {self.label}>"

    def _place_of(self, container: object, key: str | int) -> int | None:
        places = self.marks.get(id(container))
        if places is None:
            return None
        if isinstance(container, dict):
            index = next((i for i, known in enumerate(container) if known == key), len(places))
        else:
            index = key if isinstance(key, int) and key >= 0 else len(places)
        return places[index] if index < len(places) else None
