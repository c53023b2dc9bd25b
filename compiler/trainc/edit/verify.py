"""The proof that an edit says what it should: the edited text, read back by the loader.

In: the documents before, the text after. Out: nothing, or an error: then nothing is written.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from trainc import codes
from trainc.edit.text import Text, of_bytes
from trainc.errors import Mark, Problem, TraincError


def meaning(root: Any) -> str:
    """A document's content as text: equal where the content is, for 1, 1.0 and true differ."""
    return json.dumps(root, sort_keys=True)


def verify_equal(old: Text, text: str) -> None:
    """Sees to it that a text means what the old one means, and has its letters and comments.

    Raises:
        TraincError: It does not.
    """
    verify(old, text, [document.root for document in old.documents])
    if _letters(old.text) != _letters(text):
        raise refused(old)


def verify(old: Text, text: str, wanted: Sequence[Any]) -> None:
    """Sees to it that a text holds exactly the documents wanted.

    Raises:
        TraincError: It does not.
    """
    try:
        documents = of_bytes(old.as_bytes(text), old.file).documents
    except TraincError as error:
        raise refused(old) from error
    found = [meaning(document.root) for document in documents]
    if found != [meaning(root) for root in wanted]:
        raise refused(old)


def _letters(text: str) -> Counter[str]:
    """How often each letter occurs; white space does not count."""
    return Counter("".join(text.split()))


def refused(old: Text) -> TraincError:
    """The error of a file that is left as it was."""
    message = "cannot be edited without changing more than was asked; left as it was"
    hint = "edit it by hand; look for anchors, tabs and unusual indentation"
    return TraincError([Problem(message, codes.EDIT, Mark(old.file.name), hint=hint)])
