"""One page of a listing of S3, as it is read.

In: the body of an answer. Out: its entries and where the next page begins; or a failure: a page
that is none, or that breaks off, must not be taken for all there is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus
from xml.etree import ElementTree

from trainc.initializers.failure import ConfigurationError, IntegrityError, TransientError

_ROOT: Final = "ListBucketResult"


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
        self._root = ElementTree.fromstring(body)
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

    def following(self, before: str) -> str:
        """The token of the next page, empty where this is the last; ``before`` is this one's.

        Raises:
            IntegrityError: where there is more, and no way to get at it.
        """
        if text_of(self._root, "IsTruncated").strip().lower() != "true":
            return ""
        token = text_of(self._root, "NextContinuationToken")
        if not token or token == before:
            raise IntegrityError(
                f"{self._name}: the listing breaks off: there is more, and the server does not say "
                "how to ask for it (ListObjectsV2)"
            )
        return token

    def _entry(self, found: ElementTree.Element, escaped: bool) -> Entry:
        # One walk over the children: to look for each by name takes several times as long.
        told = {_local(child): child.text or "" for child in found}
        key, size = told.get("Key", ""), told.get("Size", "").strip()
        if not key or not (size.isascii() and size.isdigit()):
            raise IntegrityError(f"{self._name} lists {key!r} with {size!r} bytes")
        return Entry(
            key=unquote_plus(key) if escaped else key,
            size=int(size),
            etag=told.get("ETag", ""),
            modified=told.get("LastModified", ""),
        )


def text_of(element: ElementTree.Element, name: str) -> str:
    """The text of a child, whatever its namespace; empty where there is none."""
    return element.findtext(f"{{*}}{name}") or ""


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
