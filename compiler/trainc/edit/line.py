"""A line of a file, which may move."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Line:
    """A line.

    Attributes:
        text: Its letters.
        end: What ends it: a line feed, with or after a carriage return, or that alone.
        keeps: Whether it is the last one of a block scalar to which blank lines behind it, if
            there were any, would belong (``|+``, ``>+``).
    """

    text: str
    end: str
    keeps: bool = False

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
        return self.saying(" " * column + self.text.lstrip(" "))

    def saying(self, text: str) -> Line:
        """The line with other letters."""
        return replace(self, text=text)

    def shifted(self, by: int) -> Line:
        """The line, moved to the right, or to the left as far as it goes."""
        return self.at(max(self.column + by, 0)) if by and self.text else self
