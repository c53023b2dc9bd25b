"""A file that is edited: its text, and the way back to the disk.

In: a path. Out: the text without its byte order mark, the documents the loader reads in it, and a
write that leaves the old file or the new one, never half of it; mode, links and mark stay.
"""

from __future__ import annotations

import codecs
import errno
import os
import sys
from dataclasses import dataclass

from trainc import codes
from trainc.errors import Mark, Problem, TraincError
from trainc.manifest.writing import write_whole
from trainc.source.dialect import has_other_breaks
from trainc.source.document import Document
from trainc.source.files import STDIN, File, read
from trainc.source.parse import parse

_BOM = codecs.BOM_UTF8
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
TEMPLATE_SUFFIX = ".j2"


@dataclass(frozen=True)
class Text:
    """The text of one file.

    Attributes:
        file: Where it comes from.
        text: Without the mark; line ends are as they are in the file.
        has_mark: Whether a byte order mark stands before it.
        documents: What the loader reads in it.
    """

    file: File
    text: str
    has_mark: bool
    documents: tuple[Document, ...]

    def as_bytes(self, text: str) -> bytes:
        """Another text as this file would hold it."""
        return (_BOM if self.has_mark else b"") + text.encode()


def opened(file: File) -> Text:
    """Reads a file that is to be edited.

    Raises:
        TraincError: It cannot be read, is no YAML, or is written in a way that cannot be edited.
    """
    if file.path.endswith(TEMPLATE_SUFFIX):
        hint = "edit it by hand: what it renders to has no place of its own"
        raise TraincError(
            [Problem("a template is not edited", codes.EDIT, Mark(file.name), hint=hint)]
        )
    data = read(file, sys.stdin.buffer if file.path == STDIN else None)
    if isinstance(data, Problem):
        raise TraincError([data])
    return of_bytes(data, file)


def of_bytes(data: bytes, file: File) -> Text:
    """The text of a file whose bytes are known.

    Raises:
        TraincError: As ``opened``.
    """
    if data[:2] in _UTF16:
        hint = "save it as UTF-8"
        raise TraincError(
            [Problem("UTF-16 is read, but not edited", codes.EDIT, Mark(file.name), hint=hint)]
        )
    documents, problems = parse(data, file.name)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise TraincError(errors)
    if has_other_breaks(data):
        message = "holds a line break that only YAML 1.1 knows (U+0085, U+2028, U+2029)"
        hint = r"write it as \N, \L or \P in double quotes"
        raise TraincError([Problem(message, codes.EDIT, Mark(file.name), hint=hint)])
    has_mark = data.startswith(_BOM)
    text = data[len(_BOM) if has_mark else 0 :].decode()
    return Text(file, text, has_mark, tuple(documents))


def written(old: Text, text: str) -> None:
    """Puts another text in the place of the old one, at once.

    Raises:
        TraincError: The folder or the file cannot be written, the disk is full.
    """
    if old.file.path == STDIN:
        if sys.stdout is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        sys.stdout.buffer.write(old.as_bytes(text))
        sys.stdout.buffer.flush()
        return
    place = os.path.realpath(old.file.path)
    try:
        if not os.access(place, os.W_OK):
            raise PermissionError(13, "the file is read-only")
        write_whole(place, old.as_bytes(text))
    except OSError as error:
        message = f"cannot write: {error.strerror or error}"
        raise TraincError([Problem(message, codes.EDIT, Mark(old.file.name))]) from error
