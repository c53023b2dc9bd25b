"""Entries of a YAML text that are taken out, put in or written anew, all else letter by letter.

In: a text and the outline of a document. Out: splices, each a span of the text and what stands
there afterwards. A comment in an entry that goes stays, on a line of its own.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from trainc.edit.outline import Entry, Node, UnreadableError, entry_at

Path = tuple[str | int, ...]
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


class Splice(NamedTuple):
    """A span of a text, and what takes its place."""

    start: int
    end: int
    text: str


def spliced(text: str, splices: Iterable[Splice]) -> str:
    """The text with all splices made; they must not overlap."""
    out, position = [], 0
    for splice in sorted(splices):
        out += [text[position : splice.start], splice.text]
        position = splice.end
    return "".join([*out, text[position:]])


class Splicer:
    """Makes splices of one text."""

    def __init__(self, text: str) -> None:
        """Takes the text into lines."""
        self.text = text
        self._starts = [match.start() for match in _LINE.finditer(text)]
        end = re.search(r"\r\n|\r|\n", text)
        self.line_end = end[0] if end else "\n"

    def entry(self, root: Node, path: Path) -> Entry:
        """The entry at a path.

        Raises:
            UnreadableError: It is not written there, but comes by an alias or a merge.
        """
        entry = entry_at(root, path)
        if entry is None or entry.explicit:
            raise UnreadableError(f"{path} is not written in place")
        return entry

    def is_flow(self, root: Node, path: Path) -> bool:
        """Whether an entry stands between braces or brackets."""
        return self._parent(root, path).kind == "flow"

    def column(self, offset: int) -> int:
        """The column of an offset, from 0."""
        return offset - self._line_start(offset)

    def span(self, entry: Entry) -> tuple[int, int]:
        """The lines of an entry in a block, with the deeper comments behind it.

        Raises:
            UnreadableError: It shares its first line with something else.
        """
        start = self._line_start(entry.start)
        if self.text[start : entry.start].strip(" "):
            raise UnreadableError("two entries begin on one line")
        number = bisect_right(self._starts, max(_end(entry), entry.start + 1) - 1)
        column, last = entry.start - start, number
        while number < len(self._starts):
            line = self._line(number)
            bare = line.lstrip(" ")
            if bare.strip() and not (bare.startswith("#") and len(line) - len(bare) > column):
                break
            number += 1
            last = number if bare.strip() else last
        end = self._starts[last] if last < len(self._starts) else len(self.text)
        return start, end

    def replace(
        self, root: Node, path: Path, block: Callable[[int], str], flow: Callable[[], str]
    ) -> Splice:
        """Another entry in the place of one.

        Args:
            root: The document.
            path: The entry's path.
            block: Lines of the new entry at a column, each with a line feed.
            flow: The new entry for a flow collection.
        """
        entry = self.entry(root, path)
        if self.is_flow(root, path):
            return Splice(entry.start, _end(entry), flow())
        start, end = self.span(entry)
        return Splice(start, end, self._ended(block(entry.start - start), start, end))

    def remove(
        self,
        root: Node,
        path: Path,
        keys: Collection[str],
        comments: Callable[[str], Iterable[str]],
    ) -> list[Splice]:
        """A map without some of its entries.

        Args:
            root: The document.
            path: The map's path.
            keys: The keys that go.
            comments: The comments in the lines of an entry.
        """
        parent = self.entry(root, path) if path else None
        node = parent.value if parent else root
        gone = [n for n, entry in enumerate(node.entries) if entry.key in keys]
        if len(gone) < len(keys):
            raise UnreadableError("not written in place")
        if node.kind == "flow":
            return _cuts(node.entries, gone)
        out = []
        for index in gone:
            start, end = self.span(node.entries[index])
            blanks = " " * (node.entries[index].start - start)
            kept = [f"{blanks}{line}\n" for line in comments(self.text[start:end])]
            out.append(Splice(start, end, self._ended("".join(kept), start, end)))
        if len(gone) == len(node.entries):
            if parent is None or node.has_properties:
                raise UnreadableError("nothing would be left")
            out.append(Splice(parent.colon, parent.colon, " {}"))
        return out

    def add(self, root: Node, path: Path, key: str, value: str) -> Splice:
        """A further entry, a key and a scalar, at the end of a map.

        Args:
            root: The document.
            path: The map's path.
            key: The key; in quotes where the text is JSON.
            value: The value as it is written.
        """
        entry = self.entry(root, path)
        node = entry.value
        if node.kind == "flow":
            comma = ", " if node.entries else ""
            at = _end(node.entries[-1]) if node.entries else node.end - 1
            return Splice(at, at, f"{comma}{key}: {value}")
        if node.kind != "map":
            raise UnreadableError("no map")
        start, _ = self.span(node.entries[0])
        _, end = self.span(node.entries[-1])
        line = f"{' ' * (node.entries[0].start - start)}{key}: {value}\n"
        if end and self.text[end - 1] not in "\r\n":
            line = f"\n{line.rstrip()}"
        return Splice(end, end, line.replace("\n", self.line_end))

    def _ended(self, lines: str, start: int, end: int) -> str:
        """Lines with the ends that the file has; the last one has none where it had none."""
        if self.text[start:end][-1:] not in ("\r", "\n"):
            lines = lines.removesuffix("\n")
        return lines.replace("\n", self.line_end)

    def _parent(self, root: Node, path: Path) -> Node:
        return self.entry(root, path[:-1]).value if len(path) > 1 else root

    def _line_start(self, offset: int) -> int:
        return self._starts[bisect_right(self._starts, offset) - 1]

    def _line(self, number: int) -> str:
        match = _LINE.match(self.text, self._starts[number])
        return match[0] if match else ""


def _end(entry: Entry) -> int:
    return max(entry.value.end, entry.colon)


def _cuts(entries: Sequence[Entry], gone: Sequence[int]) -> list[Splice]:
    """Entries between braces go with the comma behind them, the last ones with that before."""
    last = len(entries)
    while last - 1 in gone:
        last -= 1
    cuts = [Splice(entries[n].start, entries[n + 1].start, "") for n in gone if n < last]
    if last < len(entries):
        start = _end(entries[last - 1]) if last else entries[0].start
        cuts.append(Splice(start, _end(entries[-1]), ""))
    return cuts
