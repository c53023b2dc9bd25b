"""Where the entries of a YAML text stand, and what they are: what an editor needs to know.

In: a text that the loader accepts. Out: for each document a tree of nodes with their offsets in
the text. ``ruamel.yaml`` scans it; its round trip is not used here, because it writes flow
collections, quotes and the comments between keys anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from trainc.source.dialect import hide_colons
from trainc.source.libyaml import READING

Kind = Literal["map", "list", "flow", "scalar", "alias", "empty"]


@dataclass
class Node:
    """A value.

    Attributes:
        kind: ``map`` and ``list`` are in block style; ``flow`` is either, in brackets or braces.
        start: Offset of its first letter, behind anchor and tag.
        end: Offset behind its last letter.
        text: Of a scalar: what it says.
        style: Of a scalar: ``'``, ``"``, ``|``, ``>`` or empty; of flow ``{`` or ``[``.
        entries: Of a collection.
        anchors: Names of the anchors set in it, and on it.
        aliases: Names of the anchors used in it.
        behind_properties: Offset behind its anchor and tag, 0 where it has none.
    """

    kind: Kind
    start: int
    end: int
    style: str = ""
    text: str = ""
    entries: list[Entry] = field(default_factory=list)
    anchors: list[str] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)
    behind_properties: int = 0

    @property
    def has_properties(self) -> bool:
        """Whether an anchor or a tag stands before it."""
        return self.behind_properties > 0


@dataclass
class Entry:
    """A key with its value, or an item of a list.

    Attributes:
        key: The key's text, None for an item, and for a key that is not plain to read.
        start: Offset of the key, the dash or the question mark.
        value: What it holds.
        explicit: Whether it is written with a question mark.
        colon: Offset behind the colon, or behind the dash.
    """

    key: str | None
    start: int
    value: Node
    explicit: bool
    colon: int


@dataclass
class Outline:
    """A document.

    Attributes:
        begin: Offset behind its ``---``, or of its first line.
        end: Offset of what follows it: ``---``, ``...`` or the end of the text.
        root: What it holds.
    """

    begin: int
    end: int
    root: Node


class UnreadableError(ValueError):
    """The scanner does not read what the loader does, or it is nested too deep."""


def outlines(text: str) -> list[Outline]:
    """The documents of a text, empty ones too; the text has passed the loader.

    Raises:
        UnreadableError: It cannot be outlined.
    """
    try:
        return list(_Reader(text).documents())
    except RecursionError as error:
        raise UnreadableError("nested too deep") from error


def entry_at(node: Node, path: tuple[str | int, ...]) -> Entry | None:
    """The entry at a path; None where it is not written there, but comes by alias or merge."""
    *steps, last = path
    for step in steps:
        entry = _entry_of(node, step)
        if entry is None:
            return None
        node = entry.value
    return _entry_of(node, last)


def _entry_of(node: Node, step: str | int) -> Entry | None:
    if isinstance(step, int):
        return node.entries[step] if node.kind == "list" or node.style == "[" else None
    found = [entry for entry in node.entries if entry.key == step]
    return found[0] if len(found) == 1 else None


class _Reader:
    """Reads tokens into outlines."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._position = 0

    def documents(self) -> Iterator[Outline]:
        """Yields the documents, in order."""
        self._take()  # the start of the stream
        last = 0
        while self._name() != "StreamEnd":
            begin = last
            while self._name() in ("Directive", "DocumentEnd"):
                begin = self._take().end_mark.index
            if self._name() == "StreamEnd":
                return
            if self._name() == "DocumentStart":
                begin = self._take().end_mark.index
            root = self._node()
            last = self._tokens[self._position].start_mark.index
            yield Outline(begin, last, root)

    def _node(self) -> Node:
        """The node that begins at the next token; an empty one where none does."""
        anchors, behind = [], self._tokens[self._position - 1].end_mark.index
        properties = 0
        while self._name() in ("Anchor", "Tag"):
            token = self._take()
            anchors += [token.value] if type(token).__name__ == "AnchorToken" else []
            behind = properties = token.end_mark.index
        node = self._bare(behind)
        node.anchors += anchors
        node.behind_properties = properties
        return node

    def _bare(self, behind: int) -> Node:
        name = self._name()
        if name == "Scalar":
            token = self._take()
            style = "" if token.plain else token.style or ""
            span = token.start_mark.index, token.end_mark.index
            return Node("scalar", *span, style, token.value)
        if name == "Alias":
            token = self._take()
            span = token.start_mark.index, token.end_mark.index
            return Node("alias", *span, aliases=[token.value])
        if name in ("FlowMappingStart", "FlowSequenceStart"):
            return self._flow()
        if name == "BlockMappingStart":
            self._take()
            return self._map()
        if name in ("BlockSequenceStart", "BlockEntry"):
            return self._list(closed=name == "BlockSequenceStart")
        return Node("empty", behind, behind)

    def _flow(self) -> Node:
        first = self._take()
        is_map = type(first).__name__ == "FlowMappingStartToken"
        entries = []
        while self._name() not in ("FlowMappingEnd", "FlowSequenceEnd"):
            if self._name() == "FlowEntry":
                self._take()
            elif is_map or self._name() in ("Key", "Value"):
                entries.append(self._entry())
            else:
                entries.append(self._item())
        end = self._take().end_mark.index
        node = _around("flow", first.start_mark.index, end, entries)
        node.style = "{" if is_map else "["
        return node

    def _item(self) -> Entry:
        start = self._tokens[self._position].start_mark.index
        return Entry(None, start, self._node(), False, start)

    def _map(self) -> Node:
        entries = []
        while self._name() != "BlockEnd":
            entries.append(self._entry())
        self._take()
        return _block("map", entries)

    def _entry(self) -> Entry:
        start = self._tokens[self._position]
        explicit, key = start.end_mark.index > start.start_mark.index, None
        if self._name() == "Key":
            self._take()
            key = self._node()
        elif self._name() != "Value":  # a key alone, between braces
            key = self._node()
        colon = self._tokens[self._position - 1].end_mark.index
        value = Node("empty", colon, colon)
        if self._name() == "Value":
            colon = self._take().end_mark.index
            value = self._node()
        entry = Entry(None, start.start_mark.index, value, explicit or key is None, colon)
        if key is not None:
            value.anchors += key.anchors
            value.aliases += key.aliases
            plain = key.kind == "scalar" and not key.has_properties
            entry.key = key.text if plain else None
        return entry

    def _list(self, closed: bool) -> Node:
        if closed:
            self._take()
        entries = []
        while self._name() == "BlockEntry":
            dash = self._take()
            value = self._node_of_item()
            span = dash.start_mark.index, dash.end_mark.index
            entries.append(Entry(None, span[0], value, False, span[1]))
        if closed:
            self._take()
        return _block("list", entries)

    def _node_of_item(self) -> Node:
        """An item's node: a dash behind a dash is the next item, not a list in this one."""
        if self._name() == "BlockEntry":
            behind = self._tokens[self._position - 1].end_mark.index
            return Node("empty", behind, behind)
        return self._node()

    def _name(self) -> str:
        return type(self._tokens[self._position]).__name__.removesuffix("Token")

    def _take(self) -> Any:
        token = self._tokens[self._position]
        self._position += 1
        return token


def _block(kind: Kind, entries: list[Entry]) -> Node:
    """A block collection around its entries."""
    end = max(entries[-1].value.end, entries[-1].colon)
    return _around(kind, entries[0].start, end, entries)


def _around(kind: Kind, start: int, end: int, entries: list[Entry]) -> Node:
    anchors = [name for entry in entries for name in entry.value.anchors]
    aliases = [name for entry in entries for name in entry.value.aliases]
    return Node(kind, start, end, entries=entries, anchors=anchors, aliases=aliases)


def _tokens(text: str) -> list[Any]:
    """The tokens of a text; letters stand in for what kubectl reads and the scanner does not."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    # The scanner wants an end of the last line, on which block scalars depend.
    ended = text if text.endswith("\n") else f"{text}\n"
    with READING:
        try:
            return list(YAML(typ="safe").scan(ended))
        except YAMLError:
            hidden = hide_colons(ended.encode())[0].decode()
        try:
            return list(YAML(typ="safe").scan(hidden))
        except YAMLError as error:
            raise UnreadableError(str(error)) from error
