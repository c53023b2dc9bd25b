"""Which values each line of a template takes, through names, loops and the macros of all files.

In: the trees of templates as Jinja2 has parsed them. Out: for each line the paths of values. It is
read from the text and not from a run: of several calls of a macro each counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

Use = tuple[str, ...]
"""The path of a value: ``values.a.b`` is ``("a", "b")``."""
Key = tuple[str, int]
"""File and line."""

_MOST: Final = 8
"""Macros that pass a value on to one another, and values told of one line."""
_TRIED: Final = 500  # ways that are looked at for one line
_PARAMETER: Final = "\0"


class Flow:
    """The ways of values, gathered template by template."""

    def __init__(self) -> None:
        """Knows nothing yet."""
        self._parts: tuple[Flow, ...] = ()
        self._taken: dict[Key, list[Use]] = {}
        self._parameters: dict[str, list[str]] = {}
        self._given: dict[tuple[str, int | str], list[Use]] = {}
        self._uses: dict[Key, tuple[Use, ...]] | None = None

    @classmethod
    def joined(cls, flows: Iterable[Flow | None]) -> Flow:
        """The ways through several templates, in the order they are read."""
        whole = cls()
        whole._parts = tuple(flow for flow in flows if flow is not None)
        return whole

    def read(self, tree: Any, name: str) -> None:
        """Takes a template; ``name`` is how it is printed."""
        self._read(tree, name, {"values": ()}, {})

    def __contains__(self, key: Key) -> bool:
        """Whether a line takes a value."""
        return key in self.uses()

    def uses(self) -> Mapping[Key, tuple[Use, ...]]:
        """The values that each line takes; those of a parameter are what calls give it."""
        if self._uses is None:
            self._gather()
            found = {key: self._behind(taken) for key, taken in self._taken.items()}
            self._uses = {key: every for key, every in found.items() if every}
        return self._uses

    def _gather(self) -> None:
        """Takes over what the parts know."""
        for part in self._parts:
            self._taken.update(part._taken)
            self._parameters.update(part._parameters)
            for key, paths in part._given.items():
                self._given.setdefault(key, []).extend(paths)
        self._parts = ()

    def _behind(self, taken: Iterable[Use]) -> tuple[Use, ...]:
        """The values behind what a line takes, each once and not too many."""
        ways = (real for use in taken for real in self._resolved(use, _MOST))
        reals = (real for real in islice(ways, _TRIED) if real is not None)
        return tuple(islice(dict.fromkeys(reals), _MOST))

    def _read(self, node: Any, file: str, aliases: dict[str, Use], called: dict[str, str]) -> None:
        kind = type(node).__name__
        if kind in ("For", "Assign") and type(node.target).__name__ == "Name":
            path = _path(node.iter if kind == "For" else node.node, aliases)
            if path is not None:
                aliases[node.target.name] = path
        elif kind == "FromImport":
            called |= {name[1]: name[0] for name in node.names if not isinstance(name, str)}
        elif kind == "Macro":
            aliases = {**aliases, **self._macro(node, aliases)}
        elif kind == "Call":
            self._call(node, aliases, called)
        path = _path(node, aliases)
        if path:
            taken = self._taken.setdefault((file, node.lineno), [])
            if not any(use[: len(path)] == path for use in taken):
                taken.append(path)
        for child in node.iter_child_nodes():
            self._read(child, file, aliases, called)

    def _macro(self, node: Any, aliases: Mapping[str, Use]) -> dict[str, Use]:
        """Takes the parameters of a macro, and what their defaults are."""
        names = [argument.name for argument in node.args]
        self._parameters[node.name] = names
        for default, name in zip(reversed(node.defaults), reversed(names), strict=False):
            self._give(node.name, name, default, aliases)
        return {name: (f"{_PARAMETER}{node.name}.{name}",) for name in names}

    def _call(self, node: Any, aliases: Mapping[str, Use], called: Mapping[str, str]) -> None:
        """Takes what a call of a macro gives it."""
        target = type(node.node).__name__
        if target not in ("Name", "Getattr"):
            return
        name = node.node.name if target == "Name" else node.node.attr
        name = called.get(name, name)
        for index, argument in enumerate(node.args):
            self._give(name, index, argument, aliases)
        for keyword in node.kwargs:
            self._give(name, keyword.key, keyword.value, aliases)

    def _give(self, macro: str, slot: int | str, node: Any, aliases: Mapping[str, Use]) -> None:
        path = _path(node, aliases)
        if path:
            self._given.setdefault((macro, slot), []).append(path)

    def _resolved(self, use: Use, depth: int) -> Iterator[Use | None]:
        """The values behind a path that may begin at a parameter; None for a way without end."""
        if not use[0].startswith(_PARAMETER):
            yield use
            return
        if not depth:
            yield None
            return
        macro, _, name = use[0].removeprefix(_PARAMETER).rpartition(".")
        names = self._parameters.get(macro, [])
        slots = (name, names.index(name)) if name in names else (name,)
        for slot in slots:
            for path in self._given.get((macro, slot), ()):
                yield from self._resolved((*path, *use[1:]), depth - 1)


def _path(node: Any, aliases: Mapping[str, Use]) -> Use | None:
    """The value that an expression names, None where it is no plain name."""
    kind = type(node).__name__
    if kind == "Name":
        return aliases.get(node.name) if node.ctx == "load" else None
    if kind == "Filter" and node.node is not None:
        return _path(node.node, aliases)
    if kind == "Getattr":
        above, step = _path(node.node, aliases), node.attr
    elif kind == "Getitem" and type(node.arg).__name__ == "Const":
        above, step = _path(node.node, aliases), node.arg.value
    else:
        return None
    if above is None:
        return None
    return (*above, step) if isinstance(step, str) else above
