"""What no schema says of ``trainc.yaml``: places that must be there, and apart from one another.

In: the folder and the document, which has passed the schema. Out: problems, each with its place.
A misspelt folder must not be an empty one: a build without its environments is another build.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, Final

from trainc import codes
from trainc.errors import Problem, field_path
from trainc.source.document import Document
from trainc.source.reader import Boundary, Reader, RefusedError

_READ: Final = ("sources", "runtimes", "overlays")
_DEFAULTS: Final = {"runtimes": "runtimes", "overlays": "overlays"}
_TAGS: Final[Mapping[str, tuple[str, str]]] = {
    "block": ("{%", "%}"),
    "variable": ("{{", "}}"),
    "comment": ("{#", "#}"),
}
"""What Jinja2 has where nothing is written."""


def unsound(root: str, document: Document, reader: Reader) -> Iterator[Problem]:
    """What is wrong with a project's settings, in no order.

    Args:
        root: The folder of the project.
        document: Its ``trainc.yaml``.
        reader: Knows what may be opened.
    """
    written = document.root
    boundary = reader.boundary(root)
    for path, place in _places(written):
        strays = [*_stray(root, document, path, place, boundary)]
        yield from strays or _place(root, document, path, place)
    yield from _output(root, document, written.get("output"), boundary)
    yield from _tags(document, written.get("delimiters") or {})
    if written.get("features"):
        yield from _features(document, written["features"])


def _problem(document: Document, path: tuple[str | int, ...], message: str, hint: str) -> Problem:
    return Problem(message, codes.PROJECT, document.mark(path), field=field_path(path), hint=hint)


def _places(written: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The folders and files that are read, each with its path in the document."""
    for key in _READ:
        value = written.get(key) or []
        if isinstance(value, str):
            yield (key,), value
        else:
            yield from (((key, index), place) for index, place in enumerate(value))


def _stray(
    root: str,
    document: Document,
    path: tuple[str | int, ...],
    place: str,
    boundary: Boundary,
) -> Iterator[Problem]:
    """A place that leads where nothing is read."""
    try:
        boundary.check(os.path.realpath(os.path.join(root, place)))
    except RefusedError as error:
        hint = f"name a place of the {boundary.kind} that is not hidden"
        yield _problem(document, path, f"{place} {error.message}", hint)


def _place(
    root: str, document: Document, path: tuple[str | int, ...], place: str
) -> Iterator[Problem]:
    full = os.path.join(root, place)
    if not os.path.exists(full):
        if place == _DEFAULTS.get(str(path[0])):
            return  # says what holds anyway
        hint = "check the spelling; paths are relative to trainc.yaml"
        yield _problem(document, path, f"there is no {place}", hint)
    elif path[0] == "overlays" and not os.path.isdir(full):
        yield _problem(document, path, f"{place} is no folder", "name the folder of environments")
    elif path[0] == "overlays" and _holds(full, root):
        message = f"{place} holds the project itself"
        yield _problem(document, path, message, "keep the environments in a folder of their own")


def _output(
    root: str, document: Document, output: str | None, boundary: Boundary
) -> Iterator[Problem]:
    """An output that holds what is read would be read, or written over it."""
    if output is None:
        return
    full = os.path.join(root, output)
    held = [place for _, place in _places(document.root) if _holds(full, os.path.join(root, place))]
    if _holds(full, root) or held:
        message = f"{output} holds {held[0] if held else 'the project itself'}, which is read"
        hint = "give the rendered output a folder of its own"
        yield _problem(document, ("output",), message, hint)
    elif not boundary.holds(os.path.realpath(full)):
        message = f"{output} is no folder of the {boundary.kind}"
        yield _problem(document, ("output",), message, "name one; --out-dir takes any other")


def _holds(folder: str, place: str) -> bool:
    real, inner = os.path.realpath(folder), os.path.realpath(place)
    return inner == real or inner.startswith(real.rstrip(os.sep) + os.sep)


def _tags(document: Document, written: Mapping[str, Any]) -> Iterator[Problem]:
    tags = {kind: tuple(written.get(kind) or tag) for kind, tag in _TAGS.items()}
    for one, other in combinations(tags, 2):
        if tags[one][0] == tags[other][0]:
            path = ("delimiters", other if other in written else one)
            message = f"{one} and {other} begin alike: {tags[one][0]}"
            yield _problem(document, path, message, "give each kind of tag a begin of its own")
    for kind, (begin, end) in tags.items():
        if "\n" in begin + end or begin == end:
            message = "a tag begins and ends with two different texts on one line"
            yield _problem(document, ("delimiters", kind), message, 'such as ["[[", "]]"]')


def _features(document: Document, features: Mapping[str, Any]) -> Iterator[Problem]:
    # Here, because few projects switch any, and the room knows much.
    from trainc.info.status import FEATURE

    for name in features:
        if name != FEATURE:
            message = f'no feature is called "{name}"'
            yield _problem(document, ("features", name), message, f"features: {FEATURE}")
