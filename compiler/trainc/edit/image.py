"""Images, set where they are written; the rest of the file stays letter by letter.

In: a file and which image goes where. Out: its text with these images, and what was changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from trainc import codes
from trainc.edit.outline import Entry, Node, Outline, UnreadableError, entry_at, outlines
from trainc.edit.slot import Path, Slot, slots
from trainc.edit.text import Text
from trainc.edit.verify import refused, verify
from trainc.errors import Problem, TraincError
from trainc.source import scalar

EVERY = "*"
# The grammar of references that registries and container runtimes share.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?"
_STEP = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,}"
_IMAGE = re.compile(rf"(?:{_HOST}/)?{_STEP}(?:/{_STEP})*(?::{_TAG})?(?:@{_DIGEST})?")
_FORM = "write HOST:PORT/NAME:TAG@DIGEST, the name in lower case; all but the name may be left out"
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/@-]*(:[A-Za-z0-9][A-Za-z0-9._/@-]*)*")
_BLANKS = "  "


class Change(NamedTuple):
    """An image that is set."""

    slot: Slot
    image: str


def chosen(found: Sequence[Slot], wanted: Mapping[str, str]) -> list[Change]:
    """Which of the slots get which image.

    A name is that of a container, ``JOB/CONTAINER``, or a job with one container; ``*`` is every
    image that is written. Where an image is written already it is set there; where none is, it is
    added.

    Raises:
        TraincError: A name fits nothing, or not one container; an image is none.
    """
    problems: list[Problem] = []
    images: dict[int, str] = {}
    for name, image in wanted.items():
        if not _IMAGE.fullmatch(image):
            problems.append(Problem(f"{name}={image}: this is no image", codes.EDIT, hint=_FORM))
            continue
        fitting = _fitting(found, name)
        if isinstance(fitting, Problem):
            problems.append(fitting)
            continue
        for index in fitting:
            if images.setdefault(index, image) != image:
                message = f"{found[index].name} would get both {images[index]} and {image}"
                problems.append(Problem(message, codes.EDIT, found[index].mark))
    if problems:
        raise TraincError(problems)
    return [Change(found[index], image) for index, image in sorted(images.items())]


def _fitting(found: Sequence[Slot], name: str) -> list[int] | Problem:
    every = [index for index, slot in enumerate(found) if slot.image is not None]
    if name == EVERY:
        return every or _nothing(found, name)
    by_name = [index for index, slot in enumerate(found) if name in (slot.container, slot.name)]
    by_job = [index for index, slot in enumerate(found) if slot.job == name and not slot.is_init]
    fitting = by_name or by_job
    if not by_name and len({found[index].name for index in by_job}) > 1:
        several = ", ".join(sorted({found[index].name for index in by_job}))
        return Problem(f"{name} has several containers", codes.EDIT, hint=f"say which: {several}")
    return [index for index in fitting if index in every] or fitting or _nothing(found, name)


def _nothing(found: Sequence[Slot], name: str) -> Problem:
    known = sorted({slot.name for slot in found})
    names = sorted({word for slot in found for word in (slot.name, slot.container, slot.job)})
    near = get_close_matches(name, names, 1)
    there = f"there are: {', '.join(known)}" if known else "there is no TrainJob or runtime"
    hint = f"did you mean {near[0]}? {there}" if near else there
    return Problem(f"no container or job is called {name!r}", codes.EDIT, hint=hint)


def with_images(text: Text, changes: Iterable[Change]) -> str:
    """The text with images set; the changes are those of this file.

    Raises:
        TraincError: An image comes by an alias or a merge that others use too.
    """
    roots = [json.loads(json.dumps(document.root)) for document in text.documents]
    try:
        parts = outlines(text.text)
    except UnreadableError as error:
        raise refused(text) from error
    edits: list[tuple[int, int, str]] = []
    for slot, image in changes:
        number = text.documents.index(slot.document)
        _put(roots[number], slot.path, image)
        edit = _edit(text.text, parts[slot.document.index], slot, image)
        if edit is None:
            raise refused(text)
        edits.append(edit)
    kept, position = [], 0
    for start, end, put in sorted(edits):
        kept += [text.text[position:start], put]
        position = end
    new = "".join([*kept, text.text[position:]])
    verify(text, new, roots)
    return new


def slots_of(text: Text) -> list[Slot]:
    """The slots of a file."""
    return list(slots(text.documents))


def _put(root: Any, path: Path, image: str) -> None:
    for step in path:
        if isinstance(step, str) and root.get(step) is None:
            root[step] = {}
        root = root[step]
    root["image"] = image


def _edit(text: str, outline: Outline, slot: Slot, image: str) -> tuple[int, int, str] | None:
    """Which letters give way to which; None where the image is not written there."""
    entry = entry_at(outline.root, (*slot.path, "image"))
    if entry is not None:
        return _replacing(entry.value, image)
    holder = entry_at(outline.root, slot.path)
    if holder is not None:
        return _adding(text, holder, image)
    beside = entry_at(outline.root, (*slot.path[:-1], "runtimeRef"))
    above = entry_at(outline.root, slot.path[:-1])
    if slot.path[-1] != "trainer" or beside is None or above is None or above.value.kind != "map":
        return None
    pad = " " * _column(text, beside.start)
    return _below(text, beside, f"{pad}trainer:", f"{pad}{_BLANKS}image: {_scalar(image)}")


def _replacing(node: Node, image: str) -> tuple[int, int, str] | None:
    if node.kind == "empty":
        return node.start, node.end, f" {_scalar(image)}"
    if node.kind not in ("scalar", "alias") or node.style in ("|", ">"):
        return None
    quote = node.style
    return node.start, node.end, f"{quote}{image}{quote}" if _is_plain(image) else _quoted(image)


def _adding(text: str, holder: Entry, image: str) -> tuple[int, int, str] | None:
    """Adds the key to a map that has none: behind the name, else at its begin."""
    node = holder.value
    if node.style == "{":
        comma = ", " if node.entries else ""
        return node.start + 1, node.start + 1, f"image: {_quoted(image)}{comma}"
    if node.kind == "empty":
        pad = " " * (_column(text, holder.start) + len(_BLANKS))
        return _below(text, holder, f"{pad}image: {_scalar(image)}")
    if node.kind != "map":
        return None
    pad = " " * _column(text, node.start)
    name = next((entry for entry in node.entries if entry.key == "name"), None)
    if name is not None:
        return _below(text, name, f"{pad}image: {_scalar(image)}")
    return node.start, node.start, f"image: {_scalar(image)}{_break(text)}{pad}"


def _below(text: str, entry: Entry, *lines: str) -> tuple[int, int, str] | None:
    """Adds lines below an entry, and below the comment behind it."""
    found = re.compile(r"[^\r\n]*").match(text, max(entry.value.end, entry.colon))
    end = found.end() if found else len(text)
    return end, end, "".join(_break(text) + line for line in lines)


def _column(text: str, offset: int) -> int:
    return offset - max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) - 1


def _break(text: str) -> str:
    found = re.search(r"\r\n|\r|\n", text)
    return found[0] if found else "\n"


def _scalar(image: str) -> str:
    return image if _is_plain(image) else _quoted(image)


def _is_plain(image: str) -> bool:
    return bool(_PLAIN.fullmatch(image)) and isinstance(scalar.resolve(image), str)


def _quoted(image: str) -> str:
    return json.dumps(image, ensure_ascii=False)
