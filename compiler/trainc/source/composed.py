"""Documents made from more than one text: a rendered template, a file with overlays on it.

In come the parts, out goes a document whose every entry still names the file, line and column a
person can edit. A place carries the number of its origin in the bits above those of its line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from trainc.errors import Mark
from trainc.source.document import Document, unpack

_ORIGIN_BITS: Final = 44
_PLACE: Final = (1 << _ORIGIN_BITS) - 1


class RenderedMark(Mark):
    """A place in a template.

    Attributes:
        rendered: The line of text that it became.
    """

    rendered: str = ""


class Origin:
    """A text that a document was made from.

    Attributes:
        file: Its printed name.
    """

    __slots__ = ("_lines", "_text", "_written", "file")

    def __init__(
        self, file: str, lines: Callable[[], Sequence[Mark]] | None = None, text: str = ""
    ) -> None:
        """Takes the text of a rendered template, and what says where its lines were written.

        Args:
            file: The printed name.
            lines: Asked when a place is wanted, which most builds never do; None where the text is
                the file's own.
            text: What the template was rendered to.
        """
        self.file = file
        self._lines, self._text = lines, text
        self._written: tuple[Sequence[Mark], list[str]] | None = None

    def mark(self, place: int) -> Mark:
        """Returns a packed place of this text as a mark a person can go to."""
        mark = unpack(self.file, place)
        if self._lines is None:
            return mark
        if self._written is None:
            self._written = self._lines(), self._text.split("\n")
        lines, rendered = self._written
        number = min(max(mark.line, 1), len(lines)) - 1
        written = RenderedMark(*lines[number])
        written.rendered = rendered[number]
        return written


class ComposedDocument(Document):
    """A document with several origins; the first is the file it is called after."""

    __slots__ = ("origins",)

    def __init__(
        self,
        origins: Sequence[Origin],
        index: int,
        root: Any,
        marks: dict[int, list[int]],
        place: int,
        text: str | None = None,
    ) -> None:
        """Takes the parts as they are; places carry the number of their origin."""
        super().__init__(origins[0].file, index, root, marks, place, text)
        self.origins = tuple(origins)

    def placed(self, place: int) -> Mark:
        """Returns a packed place as a mark in the origin it belongs to."""
        return self.origins[place >> _ORIGIN_BITS].mark(place & _PLACE)

    def part(self, root: Any, place: int) -> Document:
        """Returns a node of this document as a document."""
        return ComposedDocument(self.origins, self.index, root, self.marks, place, self.text)


def origins(document: Document) -> tuple[Origin, ...]:
    """Returns what a document was made from."""
    if isinstance(document, ComposedDocument):
        return document.origins
    return (Origin(document.file),)


def numbered(place: int, number: int) -> int:
    """Returns a packed place as one of the origin of that number."""
    return number << _ORIGIN_BITS | place & _PLACE


def copied(value: Any, marks: dict[int, list[int]], into: dict[int, list[int]], number: int) -> Any:
    """Returns a copy of a tree whose places stand in ``into``, as those of origin ``number``.

    A patch that reaches several objects is copied for each: defaults are put in place.
    """
    if isinstance(value, dict):
        copy: Any = {key: copied(item, marks, into, number) for key, item in value.items()}
    elif isinstance(value, list):
        copy = [copied(item, marks, into, number) for item in value]
    else:
        return value
    places = marks.get(id(value))
    if places is not None:
        into[id(copy)] = [numbered(place, number) for place in places]
    return copy
