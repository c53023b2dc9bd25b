"""The loader against kubectl's own readers: ``tests/data/yaml.json.gz`` holds what they made.

Made by ``tests/oracle/yaml``. Where the loader and kubectl differ, the difference is named here.
"""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from trainc.errors import Problem
from trainc.source.document import Document
from trainc.source.parse import parse

TABLE = json.loads(
    gzip.decompress((Path(__file__).parents[1] / "data" / "yaml.json.gz").read_bytes())
)
INT64 = 1 << 63

# The loader refuses what kubectl reads, because kubectl would silently lose something.
STRICTER = (
    "unknown tag",  # kubectl drops it
    "duplicate key",  # of 1 and "1", or two <<, kubectl keeps one
    "did not find expected <document start>",  # kubectl drops all that follows
    "found unexpected ':'",  # {a:, b} and the like: kubectl takes the colon for text
    "!!binary must hold",  # kubectl puts U+FFFD for what is no text
    "a mapping key must be a scalar",  # kubectl reads the first half of []a: 1, drops the rest
)
# kubectl refuses what the loader reads: YAML of later versions, and a byte order mark in a file.
LAXER = (
    "invalid Yaml document separator",  # --- {a: 1}
    "did not find expected <document start>",  # %TAG, %YAML 1.1
    "found incompatible YAML document",  # %YAML 1.2
    "found unknown escape character",  # "\/"
    "invalid character '-' looking for beginning of object key string",  # the same, in {}
    "invalid character '}' after object key",
    "document contains excessive aliasing",  # merges of merges: kubectl does them one by one
    "cannot unmarshal number 1e400",  # in JSON; in YAML it is a string to kubectl too
    "incomplete UTF-16 character",
)
BYTE_ORDER_MARK = "\u00ef\u00bb\u00bf"
NEXT_LINE = "\u00c2\u0085"  # ends a line in YAML 1.1 and not in JSON


def as_decoded(value: Any) -> Any:
    """The table's JSON as the API server decodes it: what does not fit int64 is a float."""
    if isinstance(value, dict):
        return {key: as_decoded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_decoded(item) for item in value]
    if type(value) is int and not -INT64 <= value < INT64:
        return float(value)
    return value


def typed(value: Any) -> Any:
    """A value with the types written out, since 1 == 1.0 == True."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    return type(value).__name__, value


def read(text: bytes) -> tuple[list[Document], list[Problem]]:
    return parse(text, "f.yaml")


def test_the_table_is_large() -> None:
    assert len(TABLE["scalars"]) > 3000
    assert len(TABLE["documents"]) > 5000


@pytest.mark.parametrize("part", range(8))
def test_plain_scalars_mean_what_they_mean_to_kubectl(part: int) -> None:
    for text, value, _ in TABLE["scalars"][part::8]:
        documents, problems = read(f"v: {text}\n".encode())
        got = None if problems else [documents[0].root["v"]]
        assert typed(got) == typed(as_decoded(value)), text


@pytest.mark.parametrize("part", range(8))
def test_plain_keys_become_what_they_become_with_kubectl(part: int) -> None:
    for text, _, key in TABLE["scalars"][part::8]:
        documents, problems = read(f"{text}: v\n".encode())
        root = documents[0].root if documents else None
        got = next(iter(root)) if isinstance(root, dict) and not problems else None
        assert got == key, text


@pytest.mark.parametrize("part", range(8))
def test_documents_mean_what_they_mean_to_kubectl(part: int) -> None:
    for text, objects, error, strict in TABLE["documents"][part::8]:
        documents, problems = read(text.encode("latin-1"))
        if BYTE_ORDER_MARK in text[1:] or (NEXT_LINE in text and text.lstrip().startswith("{")):
            continue
        if problems:
            messages = [problem.message for problem in problems]
            assert error or not strict or all(m.startswith(STRICTER) for m in messages), text
        elif error:
            assert any(reason in error for reason in LAXER), (text, error)
        else:
            got = [document.root for document in documents]
            assert typed(got) == typed(as_decoded(objects)), text


def test_the_exceptions_are_few() -> None:
    """What the test above leaves out, or excuses, is a small share."""
    left_out = [row for row in TABLE["documents"] if BYTE_ORDER_MARK in row[0][1:]]
    assert len(left_out) < len(TABLE["documents"]) * 0.06
