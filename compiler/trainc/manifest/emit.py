"""Objects to YAML text that every reader understands alike, keys in Kubernetes order.

In: plain dicts, lists and scalars, as JSON has them. Out: block style, two blanks a level, lists at
the indentation of their key. The jobs of one build share most of their runtime's subtrees by
identity, so an ``Emitter`` keeps the text of a subtree it meets again.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from trainc.manifest.fields import MAP, UNKNOWN, fields, root_type
from trainc.manifest.scalar import atom, inline, literal, quoted

# Beyond 1,024 characters a key is no "simple key" (YAML 1.1, section 9.2): readers refuse it.
_SIMPLE_KEY: Final = 1000
# Subtrees remembered by one emitter; beyond this the ones met once are forgotten.
_REMEMBERED: Final = 32_768
_REMEMBERED_TEXT: Final = 16 * 1024 * 1024  # characters


class _Text(NamedTuple):
    """The text of a subtree met twice; holds the subtree, so that its id stays taken."""

    node: object
    type_name: str
    pad: str
    text: str


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
        self._seen: dict[int, Any] = {}
        self._kept = 0  # characters of text in _seen

    def emit(self, manifest: Mapping[str, Any]) -> str:
        """One object as YAML, as the function ``emit`` prints it."""
        if not manifest:
            return "{}\n"
        if len(self._seen) > _REMEMBERED or self._kept > _REMEMBERED_TEXT:
            self._forget()
        out: list[str] = []
        self._mapping(manifest, root_type(str(manifest.get("kind", ""))), "", out)
        out.append("\n")
        return "".join(out)[1:]

    def _subtree(self, node: Any, type_name: str, pad: str, out: list[str]) -> None:
        """Prints a collection that is not empty, from memory where it was met before."""
        known = self._seen.get(id(node))
        if known is None:
            self._seen[id(node)] = node
            fresh = self._mapping if node.__class__ is dict else self._items
            fresh(node, type_name, pad, out)
        elif known.__class__ is _Text and known.pad == pad and known.type_name == type_name:
            out.append(known.text)
        else:
            lines: list[str] = []
            fresh = self._mapping if node.__class__ is dict else self._items
            fresh(node, type_name, pad, lines)
            text = "".join(lines)
            self._seen[id(node)] = _Text(node, type_name, pad, text)
            self._kept += len(text)
            out.append(text)

    def _mapping(self, node: Mapping[str, Any], type_name: str, pad: str, out: list[str]) -> None:
        """Appends the lines of a map; each begins with its line break."""
        for key, head, under in _shape(type_name, pad, tuple(node)):
            value = node[key]
            kind = value.__class__
            if kind is str:
                out.append(head + (inline[value] or literal(value, pad)))
            elif value and (kind is dict or kind is list):
                out.append(head)
                self._subtree(value, under, pad + "  " if kind is dict else pad, out)
            else:
                out.append(head + atom(value))

    def _items(self, node: list[Any], type_name: str, pad: str, out: list[str]) -> None:
        """Appends the lines of a list; an item that is a collection begins behind its dash."""
        dash = f"\n{pad}-"
        for value in node:
            kind = value.__class__
            if kind is str:
                out.append(dash + (inline[value] or literal(value, pad)))
            elif value and (kind is dict or kind is list):
                first = len(out)
                self._subtree(value, type_name, pad + "  ", out)
                out[first] = f"{dash} {out[first][len(dash) + 1 :]}"
            else:
                out.append(dash + atom(value))

    def _forget(self) -> None:
        """Lets go of the subtrees met once, and of all when the text alone is too much."""
        kept = {key: known for key, known in self._seen.items() if known.__class__ is _Text}
        full = self._kept > _REMEMBERED_TEXT or len(kept) > _REMEMBERED // 2
        self._seen = {} if full else kept
        self._kept = 0 if full else self._kept


@lru_cache(maxsize=8192)
def _shape(type_name: str, pad: str, keys: tuple[str, ...]) -> list[tuple[str, str, str]]:
    """The keys of a map in order, each with the text up to its value and the type under it."""
    return [(key, _head(key, pad), under) for key, under in ordered(type_name, keys)]


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
