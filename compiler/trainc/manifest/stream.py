"""Objects as one text: a YAML stream or a JSON list.

In: objects in order. Out: chunks of text, so that ten thousand objects never stand in memory twice.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from trainc.manifest.emit import Emitter, ordered
from trainc.manifest.fields import root_type
from trainc.manifest.path import path
from trainc.plan.plan import Object


def yaml_stream(objects: Iterable[Object], comments: bool = True) -> Iterator[str]:
    """The objects as YAML documents, ``---`` between them, ``# from:`` above each."""
    emitter = Emitter()
    separator = ""
    for each in objects:
        yield separator + document(each, emitter, comments)
        separator = "---\n"


def texts(objects: Iterable[Object], comments: bool = True) -> dict[str, str]:
    """The objects as files: path relative to the output folder -> text."""
    emitter = Emitter()
    return {path(each): document(each, emitter, comments) for each in objects}


def document(each: Object, emitter: Emitter, comments: bool = True) -> str:
    """One object as YAML, with the files it came from above it."""
    text = emitter.emit(each.manifest)
    return f"# from: {printable(each.origin)}\n{text}" if comments and each.origin else text


def printable(text: str) -> str:
    """The text with everything escaped that would end the line or steer a terminal.

    A file name may hold anything but NUL; the comment must stay one line.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def json_list(objects: Iterable[Object]) -> Iterator[str]:
    """The objects as one JSON list, keys in the order YAML has them."""
    separator = "[\n"
    for each in objects:
        manifest = _ordered(each.manifest, root_type(str(each.manifest.get("kind", ""))))
        yield separator + json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False)
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def _ordered(node: Any, type_name: str) -> Any:
    """A copy of the tree, keys in Kubernetes order."""
    if isinstance(node, dict):
        pairs = ordered(type_name, tuple(node))
        return {key: _ordered(node[key], under) for key, under in pairs}
    if isinstance(node, list):
        return [_ordered(item, type_name) for item in node]
    return node
