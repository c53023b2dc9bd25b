"""What was found of objects that many jobs of a build share, so that it is found once.

Parts of a runtime that no policy touched are the same objects in many jobs, so their identity is
the cheapest key there is. A key made of ids holds for as long as its object lives: so the object is
kept beside what was found of it.
"""

from collections.abc import Hashable
from typing import Any, TypeVar

V = TypeVar("V")


class Kept(dict[Hashable, tuple[Any, V]]):
    """Key -> the object whose ids are in it, and what was found; begins anew when it is full.

    Being a dict, it is asked without a call of Python's.
    """

    def __init__(self, most: int) -> None:
        """Keeps at most that many objects: a controller that compiles lives for months."""
        super().__init__()
        self._most = most

    def keep(self, key: Hashable, thing: object, found: V) -> V:
        """Keeps what was found of a thing under a key made of its ids; gives it back."""
        if len(self) >= self._most:
            self.clear()
        self[key] = (thing, found)
        return found
