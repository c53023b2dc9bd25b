"""Objects to YAML text that every reader understands alike, keys in Kubernetes order.

In: plain dicts, lists and scalars, as JSON has them. Out: block style, two blanks a level, lists at
the indentation of their key. The jobs of one build share most of their runtime's subtrees by
identity, so an ``Emitter`` keeps the text of a subtree it meets again.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from trainc.manifest.fields import MAP, UNKNOWN, fields, root_type
from trainc.manifest.scalar import atom, inline, literal, quoted

# Beyond 1,024 characters a key is no "simple key" (YAML 1.1, section 9.2): readers refuse it.
_SIMPLE_KEY: Final = 1000
# Subtrees remembered by one emitter; beyond this it begins anew.
_REMEMBERED: Final = 1 << 14
# Shapes one level remembers.
_SHAPES: Final = 1024
_REMEMBERED_TEXT: Final = 16 * 1024 * 1024  # characters


Shape = list[tuple[str, str, "_Level"]]


class _Level(dict[tuple[str, ...], Shape]):
    """How maps of one Go type print at one indentation: their keys -> their shape.

    A shape has the keys in order, each with the text up to its value and the level below. Being a
    dict, a level finds a shape it knows without a call; there are few, so it forgets none but
    those of maps whose keys are the user's.
    """

    def __init__(self, type_name: str, pad: str) -> None:
        super().__init__()
        self.type_name = type_name
        self.pad = pad
        self.outer = pad[:-2]
        self.dash = f"\n{pad[:-2]}-"  # of a list whose items stand here

    def __missing__(self, keys: tuple[str, ...]) -> Shape:
        """Works the shape out and keeps it."""
        if len(self) >= _SHAPES:
            self.clear()
        below = self.pad + "  "
        named = ordered(self.type_name, keys)
        self[keys] = shape = [(k, _head(k, self.pad), _level(under, below)) for k, under in named]
        return shape

    def below(self) -> "_Level":
        """The level of the items of a list that is itself an item here."""
        return _level(self.type_name, self.pad + "  ")


@cache
def _level(type_name: str, pad: str) -> _Level:
    return _Level(type_name, pad)


def emit(manifest: Mapping[str, Any]) -> str:
    """One object as YAML, a line break at its end, no ``---``.

    Raises:
        TypeError, ValueError: A value that JSON does not have, or a lone surrogate.
    """
    return Emitter().emit(manifest)


class Emitter:
    """Prints the objects of one build; none of them may change while it lives."""

    def __init__(self) -> None:
        """Starts with nothing remembered."""
        # Subtrees met once, and those met again with level and text, by their id; each holds the
        # subtree, so that its id stays taken.
        self._once: dict[int, Any] = {}
        self._again: dict[int, tuple[object, _Level, str]] = {}
        self._kept = 0  # characters of text in _again

    def emit(self, manifest: Mapping[str, Any]) -> str:
        """One object as YAML, as the function ``emit`` prints it."""
        if not manifest:
            return "{}\n"
        if len(self._once) > _REMEMBERED:
            self._once.clear()
        if len(self._again) > _REMEMBERED or self._kept > _REMEMBERED_TEXT:
            self._again.clear()
            self._kept = 0
        out: list[str] = []
        self._mapping(manifest, _level(root_type(str(manifest.get("kind", ""))), ""), out)
        out.append("\n")
        return "".join(out)[1:]

    def _mapping(self, node: Mapping[str, Any], level: _Level, out: list[str]) -> None:
        """Appends the lines of a map; each begins with its line break."""
        for key, head, below in level[tuple(node)]:
            value = node[key]
            kind = value.__class__
            if kind is str:
                out.append(head + (inline[value] or literal(value, level.pad)))
            elif value and (kind is dict or kind is list):
                out.append(head)
                self._subtree(value, below, out)
            else:
                out.append(head + atom(value))

    def _items(self, node: list[Any], level: _Level, out: list[str]) -> None:
        """Appends the lines of a list; an item that is a collection begins behind its dash."""
        dash = level.dash
        for value in node:
            kind = value.__class__
            if kind is str:
                out.append(dash + (inline[value] or literal(value, level.outer)))
            elif value and (kind is dict or kind is list):
                first = len(out)
                self._subtree(value, level if kind is dict else level.below(), out)
                out[first] = f"{dash} {out[first][len(dash) + 1 :]}"
            else:
                out.append(dash + atom(value))

    def _subtree(self, node: Any, level: _Level, out: list[str]) -> None:
        """Appends a collection that is not empty, from memory where it was met before."""
        key = id(node)
        known = self._again.get(key)
        if known is not None and known[1] is level:
            out.append(known[2])
            return
        lines = [] if key in self._once else out
        self._once[key] = node
        if node.__class__ is dict:
            self._mapping(node, level, lines)
        else:
            self._items(node, level, lines)
        if lines is not out:
            text = "".join(lines)
            self._again[key] = (node, level, text)
            self._kept += len(text)
            out.append(text)


def ordered(type_name: str, keys: tuple[str, ...]) -> list[tuple[str, str]]:
    """The keys in Kubernetes order, each with the type of what stands under it."""
    if type_name.startswith(MAP):
        return [(key, UNKNOWN) for key in sorted(keys)]
    declared = fields(type_name)
    known = [(key, under) for key, under in declared.items() if key in keys]
    return known + [(key, UNKNOWN) for key in sorted(keys) if key not in declared]


def _head(key: str, pad: str) -> str:
    text = inline[key][1:] or quoted(key)
    return f"\n{pad}{text}:" if len(text) <= _SIMPLE_KEY else f"\n{pad}? {text}\n{pad}:"
