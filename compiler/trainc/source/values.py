"""Values for templates: what each one is, and who said so.

In come maps from the project file, overlays, files and flags, weakest first; out goes one tree and
for each path in it the place of the word that held.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from trainc import codes
from trainc.errors import Mark, Problem, TraincError
from trainc.source.document import Document
from trainc.source.files import File, read
from trainc.source.parse import parse
from trainc.source.reader import Reader

Path = tuple[str, ...]


class Values(NamedTuple):
    """Values and their origins.

    Attributes:
        tree: Maps of maps; lists are leaves.
        marks: The place of each key, by its path.
    """

    tree: Mapping[str, Any] = {}
    marks: Mapping[Path, Mark] = {}

    def mark(self, path: Path) -> Mark | None:
        """Returns who set a value, or the nearest map around it; None for what nobody set."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.marks:
                return self.marks[path[:length]]
        return None


def merged(layers: Iterable[Values]) -> Values:
    """Returns the layers as one, weakest first: maps merge, everything else is replaced."""
    tree: dict[str, Any] = {}
    marks: dict[Path, Mark] = {}
    for layer in layers:
        tree = _merge(tree, layer.tree)
        marks.update(layer.marks)
    return Values(tree, marks)


def of_document(document: Document, root: Any, base: tuple[str | int, ...] = ()) -> Values:
    """Returns a map of a document as values.

    Args:
        document: Where the map stands.
        root: The map; None for none.
        base: The path of the map in the document.

    Raises:
        TraincError: It is no map.
    """
    if root is None:
        return Values()
    if not isinstance(root, dict):
        hint = "write `name: value` lines"
        raise TraincError(
            [Problem("values must be a map", codes.VALUES, document.mark(base), hint=hint)]
        )
    marks: dict[Path, Mark] = {}
    _mark(document, root, (), marks)
    return Values(root, marks)


def of_file(path: str, name: str, reader: Reader | None = None) -> Values:
    """Returns the values of a file.

    Args:
        path: The file to read.
        name: How it is printed.
        reader: Opens it; None for one that looks for the repository.

    Raises:
        TraincError: It cannot be read, is no YAML, or holds something else than one map.
    """
    data = read(File(path, name, True), reader=reader)
    if isinstance(data, Problem):
        raise TraincError([data])
    documents, problems = parse(data, name)
    if problems:
        raise TraincError(problems)
    if len(documents) > 1:
        raise TraincError([Problem("values are one document", codes.VALUES, documents[1].mark(()))])
    return of_document(documents[0], documents[0].root) if documents else Values()


def of_flag(text: str, *, typed: bool) -> Values:
    r"""Returns what ``--set a.b=c`` says; ``\.`` is a dot inside a key.

    Args:
        text: The option's argument.
        typed: Whether the value is read as YAML (``--set``) or as it stands (``--set-string``).

    Raises:
        TraincError: There is no ``=``, a key is empty, or the value is no YAML.
    """
    text = os.fsencode(text).decode("utf-8", "surrogateescape")  # UTF-8 whatever the locale
    flag = "--set" if typed else "--set-string"
    mark = Mark(f"{flag} {text}")
    name, equals, written = text.partition("=")
    keys = [key.replace("\0", ".") for key in name.replace("\\.", "\0").split(".")]
    if not equals or not all(keys):
        hint = f"write {flag} name=value, or {flag} outer.inner=value"
        raise TraincError([Problem("no value is set by this", codes.VALUES, mark, hint=hint)])
    if any(key.endswith("]") and "[" in key for key in keys):
        hint = f"set the whole list: {flag} name='[a, b]'" if typed else "use --set name='[a, b]'"
        raise TraincError(
            [Problem("an item of a list cannot be set", codes.VALUES, mark, hint=hint)]
        )
    value = _typed(written, mark) if typed else written
    tree = {keys[-1]: value}
    for key in reversed(keys[:-1]):
        tree = {key: tree}
    return Values(tree, {tuple(keys): mark})


def _typed(written: str, mark: Mark) -> Any:
    documents, problems = parse(written.encode("utf-8", "surrogateescape"), str(mark))
    if problems or len(documents) > 1:
        why = problems[0].message if problems else "more than one document"
        hint = "quote it, or use --set-string"
        raise TraincError([Problem(f"the value is no YAML: {why}", codes.VALUES, mark, hint=hint)])
    return documents[0].root if documents else None


def _merge(weak: Mapping[str, Any], strong: Mapping[str, Any]) -> dict[str, Any]:
    out = dict(weak)
    for key, value in strong.items():
        old = out.get(key)
        both = isinstance(old, dict) and isinstance(value, dict)
        out[key] = _merge(old, value) if both and old is not None else value
    return out


def _mark(document: Document, node: dict[str, Any], path: Path, marks: dict[Path, Mark]) -> None:
    for key, value in node.items():
        found = document.mark_of(node, key)
        if found is not None:
            marks[(*path, key)] = found
        if isinstance(value, dict):
            _mark(document, value, (*path, key), marks)
