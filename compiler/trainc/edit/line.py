"""A line of a file, which may move."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """A line.

    Attributes:
        text: Its letters.
        end: What ends it: a line feed, with or after a carriage return, or that alone.
    """

    text: str
    end: str

    @property
    def column(self) -> int:
        """How many blanks it begins with."""
        return len(self.text) - len(self.text.lstrip(" "))

    @property
    def is_blank(self) -> bool:
        """Whether nothing is to be seen in it."""
        return not self.text.strip()

    @property
    def is_aside(self) -> bool:
        """Whether it holds no more than a comment."""
        return self.text.lstrip()[:1] in ("", "#")

    def at(self, column: int) -> Line:
        """The line, indented to a column."""
        return Line(" " * column + self.text.lstrip(" "), self.end)

    def shifted(self, by: int) -> Line:
        """The line, moved to the right, or to the left as far as it goes."""
        return self.at(max(self.column + by, 0)) if by and self.text else self
