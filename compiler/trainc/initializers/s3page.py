"""One page of a listing of S3, as it is read.

In: the body of an answer. Out: its entries and where the next page begins; or a failure: a page
that is none, or that breaks off, must not be taken for all there is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus
from xml.etree import ElementTree

from trainc.initializers.failure import ConfigurationError, IntegrityError, TransientError

_ROOT: Final = "ListBucketResult"
# More bytes than any object has; int() of thousands of digits is an error.
_SIZE: Final = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True)
class Entry:
    """An object, as a listing has it; ``etag`` keeps its quotes and may be empty."""

    key: str
    size: int
    etag: str
    modified: str


class Page:
    """A page of the keys that begin with ``prefix``; ``name`` is the bucket's, for messages."""

    def __init__(self, body: bytes, prefix: str, name: str) -> None:
        """Reads the body.

        Raises:
            ParseError: where it is no XML.
            FetchError: where it is something else.
        """
        try:
            self._root = parsed(body)
        except _DoctypeError as error:
            raise IntegrityError(
                f"{name} answers the listing with a document type (DOCTYPE), as no server of S3 "
                "does: is ENDPOINT right?"
            ) from error
        self._prefix = prefix
        self._name = name
        tag = _local(self._root)
        if tag == "Error":  # an answer that had begun when it happened
            said = f"{text_of(self._root, 'Code')}: {text_of(self._root, 'Message')}"
            raise TransientError(f"{name} answers the listing with 200 {said}")
        if tag != _ROOT:
            raise ConfigurationError(
                f"{name} answers the listing with a <{tag}>: is ENDPOINT a server of S3?"
            )

    def entries(self) -> Iterator[Entry]:
        """The objects, in the order of the page.

        Raises:
            IntegrityError: for one that was not asked for, or that is not told as it should be.
        """
        escaped = text_of(self._root, "EncodingType") == "url"
        for each in self._root.iterfind("{*}Contents"):
            entry = self._entry(each, escaped)
            if not entry.key.startswith(self._prefix):
                raise IntegrityError(
                    f"{self._name} lists {entry.key!r}: {self._prefix!r} was asked for"
                )
            yield entry

    def following(self, before: Set[str]) -> str:
        """The token of the next page, empty where this is the last; ``before`` are earlier ones.

        Raises:
            IntegrityError: where there is more, and no way to get at it.
        """
        if text_of(self._root, "IsTruncated").strip().lower() != "true":
            return ""
        token = text_of(self._root, "NextContinuationToken")
        if token and token in before:
            raise IntegrityError(
                f"{self._name}: the listing breaks off: it leads back to a page that was read"
            )
        if not token:
            raise IntegrityError(
                f"{self._name}: the listing breaks off: there is more, and the server does not say "
                "how to ask for it (ListObjectsV2)"
            )
        return token

    def _entry(self, found: ElementTree.Element, escaped: bool) -> Entry:
        # One walk over the children: to look for each by name takes several times as long.
        told = {_local(child): child.text or "" for child in found}
        key, size = told.get("Key", ""), told.get("Size", "").strip()
        if not key or not _SIZE.fullmatch(size):
            raise IntegrityError(f"{self._name} lists {key!r} with {size[:40]!r} bytes")
        return Entry(
            key=unquote_plus(key) if escaped else key,
            size=int(size),
            etag=told.get("ETag", ""),
            modified=told.get("LastModified", ""),
        )


class _NoDoctype(ElementTree.TreeBuilder):
    """Builds no tree of a document that declares a type: its entities may grow without end."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Refuses it."""
        raise _DoctypeError("a document type (DOCTYPE) is not allowed")


class _DoctypeError(ElementTree.ParseError):
    """The document declares a type."""


def parsed(body: bytes) -> ElementTree.Element:
    """The root of a document of S3.

    Raises:
        ParseError: where it is no XML, or declares a type.
    """
    return ElementTree.XML(body, ElementTree.XMLParser(target=_NoDoctype()))


def text_of(element: ElementTree.Element, name: str) -> str:
    """The text of a child, whatever its namespace; empty where there is none."""
    return element.findtext(f"{{*}}{name}") or ""


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
