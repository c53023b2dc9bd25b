"""The text of a file after its migration.

In: a text, its outline and the work to be done. Out: the new text. A job of an old operator is
written anew where it stands; of TrainJobs and runtimes only the entries that change are written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from trainc import names
from trainc.edit.migration import fields, overrides
from trainc.edit.migration.comments import comments_of
from trainc.edit.migration.objects import (
    comments_in,
    document_of,
    flow_of,
    loaded,
    texts_of,
)
from trainc.edit.migration.part import Path, keep_comment, new
from trainc.edit.migration.place import Place
from trainc.edit.migration.work import Options, Work, converted
from trainc.edit.outline import Node, Outline, UnreadableError
from trainc.edit.splice import Splice, Splicer, spliced

_STEP = 2  # the column of what stands under ``spec`` of a document in format


class Writer:
    """Writes one file anew."""

    def __init__(self, text: str, parts: Sequence[Outline], options: Options) -> None:
        """Takes the file's text and outline."""
        self._text, self._parts, self._options = text, parts, options
        self._splicer = Splicer(text)

    def text(self, works: Sequence[Work]) -> str:
        """The text after all works.

        Raises:
            UnreadableError: It is written in a way that cannot be edited.
            YAMLError: The round trip does not read what the loader does.
        """
        splices: list[Splice] = []
        lists: set[tuple[int, Path]] = set()
        for work in works:
            place = work.place
            if not work.objects:
                for change in work.changes:
                    splices += self._change(place, change)
            elif not place.path:
                splices.append(self._document(place))
            else:
                splices.append(self._item(place))
                lists.add((place.document.index, place.path[:-2]))
        for index, path in sorted(lists):
            splices += self._general_list(self._parts[index].root, path)
        return spliced(self._text, splices)

    def _convert(self, place: Place) -> Any:
        """What makes new objects of one, in round-trip data."""

        def convert(root: Any) -> list[Any]:
            for key in ("apiVersion", "kind"):
                root.setdefault(key, place.root[key])
            return converted(root, place.kind, self._options, [])

        return convert

    def _document(self, place: Place) -> Splice:
        """A whole document."""
        outline = self._parts[place.document.index]
        text = self._text
        start = max(
            text.rfind("\n", 0, outline.root.start), text.rfind("\r", 0, outline.root.start)
        )
        start = max(start + 1, outline.begin)
        lines = "---\n".join(texts_of(text[start : outline.end], self._convert(place)))
        lines = lines.replace("\n", self._splicer.line_end)
        separator = "" if start != outline.begin or not outline.begin else lines[-1:]
        return Splice(start, outline.end, f"{separator}{lines}")

    def _item(self, place: Place) -> Splice:
        """An item of a list."""
        root = self._parts[place.document.index].root
        entry = self._splicer.entry(root, place.path)
        convert = self._convert(place)
        if self._splicer.is_flow(root, place.path):
            node, _ = loaded(self._text[entry.value.start : entry.value.end])
            if comments_of(node):
                raise UnreadableError("comments between braces")
            text = ", ".join(flow_of(each) for each in convert(node))
            return Splice(entry.value.start, entry.value.end, text)
        start, end = self._splicer.span(entry)
        body = f"{self._text[start : entry.start]} {self._text[entry.start + 1 : end]}"
        column = entry.start - start
        items = "".join(_as_item(text, column) for text in texts_of(body, convert))
        return Splice(start, end, self._ended(items, end))

    def _general_list(self, root: Node, path: Path) -> list[Splice]:
        """A typed list becomes ``kind: List`` of ``v1``."""
        node = self._splicer.entry(root, path).value if path else root
        values = {each.key: each.value for each in node.entries}
        kind, version = values.get("kind"), values.get("apiVersion")
        if kind is None or kind.text == "List":
            return []
        out = [Splice(kind.start, kind.end, "List")]
        return [*out, Splice(version.start, version.end, "v1")] if version else out

    def _change(self, place: Place, change: fields.Change) -> list[Splice]:
        """Entries of a TrainJob or a runtime."""
        root = self._parts[place.document.index].root
        path: Path = (*place.path, *change.path)
        if change.key == overrides.NEW:
            return self._patches(root, path, change)
        if change.value is None:
            return self._splicer.remove(root, path, change.remove, comments_in)
        if change.remove:
            at = (*path, change.remove[0])
            old = self._splicer.entry(root, at).value
            return [Splice(old.start, old.end, str(change.value))]
        node = place.root
        for step in change.path:
            node = node.get(step) if isinstance(node, dict) else None  # type: ignore[assignment]
        quote = self._quote(root, place.path)
        key = f"{quote}{change.key}{quote}"
        if isinstance(node, dict):
            return [self._splicer.add(root, path, key, str(change.value))]
        outer = f"{quote}{path[-1]}{quote}"
        return [self._splicer.add(root, path[:-1], outer, f"{{{key}: {change.value}}}")]

    def _quote(self, root: Node, path: Path) -> str:
        """The quotes around keys, where all have them: JSON does."""
        node = self._splicer.entry(root, path).value if path else root
        return '"' if all(self._text[each.start] == '"' for each in node.entries) else ""

    def _patches(self, root: Node, path: Path, change: fields.Change) -> list[Splice]:
        """``runtimePatches`` in the place of the first old field; the others go."""
        spec = self._splicer.entry(root, path).value
        here = [str(each.key) for each in spec.entries if each.key in change.remove]
        if sorted(here) != sorted(change.remove):
            raise UnreadableError("not written in place")
        first, *rest = ((*path, key) for key in here)
        if self._splicer.is_flow(root, first):
            lines = {key: self._flow_entry(root, (*path, key)) for key in here}
        else:
            lines = {key: self._lines(root, (*path, key)) for key in here}

        def block(column: int) -> str:
            return self._block(lines, column)

        def flow() -> str:
            spec, _ = _fragment(lines)
            made = new(**{overrides.NEW: overrides.patches_of(spec, self._options.manager, [])})
            return (json.dumps(made) if self._quote(root, path) else flow_of(made))[1:-1]

        out = [self._splicer.replace(root, first, block, flow)]
        gone = [str(each[-1]) for each in rest]
        return [*out, *(self._splicer.remove(root, path, gone, lambda _: ()) if gone else [])]

    def _lines(self, root: Node, path: Path) -> str:
        start, end = self._splicer.span(self._splicer.entry(root, path))
        return self._text[start:end]

    def _flow_entry(self, root: Node, path: Path) -> str:
        entry = self._splicer.entry(root, path)
        return f"{{{self._text[entry.start : max(entry.value.end, entry.colon)]}}}"

    def _block(self, lines: dict[str, str], column: int) -> str:
        """Lines of ``runtimePatches`` at a column, with all comments of the old entries."""
        spec, feet = _fragment(lines)
        comments = comments_of(spec)
        made = new()
        made[overrides.NEW] = overrides.patches_of(spec, self._options.manager, [])
        for key in (key for key in lines if key in overrides.OVERRIDES):
            keep_comment(spec, key, made, overrides.NEW)
        document = new(apiVersion=names.API_VERSION, kind=names.TRAIN_JOB)
        document["spec"] = made
        text = document_of(document).partition("spec:\n")[2] + "".join(f"    {f}\n" for f in feet)
        there = {line.strip() for line in re.split(r"(?m)^|(?=\s#)", text)}
        lost = "".join(f"{' ' * _STEP}{each}\n" for each in comments if each not in there)
        return _shifted(lost + text, column - _STEP)

    def _ended(self, lines: str, end: int) -> str:
        if self._text[:end][-1:] not in ("\r", "\n"):
            lines = lines.removesuffix("\n")
        return lines.replace("\n", self._splicer.line_end)


def _fragment(lines: dict[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Some entries of a spec as round-trip data, and the comments at their ends."""
    spec = new()
    feet: list[str] = []
    for key, text in lines.items():
        root, foot = loaded(text)
        spec[key] = root[key]
        keep_comment(root, key, spec, key)
        feet += [line for line in foot.split("\n") if line]
    return spec, feet


def _as_item(text: str, column: int) -> str:
    """A document's text as an item of a list; comments at its head stay above the dash."""
    lines = text.splitlines(keepends=True)
    head = next(n for n, line in enumerate(lines) if not line.startswith("#"))
    blanks = " " * column
    out = [f"{blanks}{line}" for line in lines[:head]]
    out.append(f"{blanks}- {lines[head]}")
    out += [line if not line.strip() else f"{blanks}  {line}" for line in lines[head + 1 :]]
    return "".join(out)


def _shifted(text: str, by: int) -> str:
    """Lines further to the right or left."""
    lines = text.splitlines(keepends=True)
    if by < 0:
        return "".join(line[-by:] if line.strip() else line for line in lines)
    return "".join(f"{' ' * by}{line}" if line.strip() else line for line in lines)


def json_text(text: str, documents: Sequence[Any]) -> str | None:
    """Documents as JSON, where the text is JSON; several are a list. None where it is not.

    Args:
        text: The whole text of the file.
        documents: What it should hold.
    """
    if text.lstrip()[:1] != "{":
        return None
    try:
        json.loads(text)
    except ValueError:
        return None
    root = documents[0] if len(documents) == 1 else list_of(documents)
    indent = re.search(r"\{\r?\n([ \t]+)", text)
    made = json.dumps(root, indent=indent[1] if indent else None, ensure_ascii=False)
    return made + ("\n" if text.endswith("\n") else "")


def list_of(documents: Sequence[Any]) -> dict[str, Any]:
    """Several objects in one."""
    return {"apiVersion": "v1", "kind": "List", "items": list(documents)}
