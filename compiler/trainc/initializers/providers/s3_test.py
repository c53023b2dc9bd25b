from __future__ import annotations

from dataclasses import dataclass
from email.message import Message

import pytest

from trainc.initializers.digest import Digest
from trainc.initializers.providers.s3 import _checksum

PARTS = '"05576c1e78746cee8439ac613d40238e-3"'
WHOLE = '"05576c1e78746cee8439ac613d40238e"'


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    headers: dict[str, str]
    want: Digest | None


@pytest.mark.parametrize(
    "case",
    [
        TestCase("none", {"ETag": WHOLE}, None),
        TestCase(
            "of a whole object",
            {"ETag": WHOLE, "x-amz-checksum-crc32": "3iQHHw=="},
            Digest("crc32", "de24071f"),
        ),
        TestCase(
            "of parts",
            {"ETag": PARTS, "x-amz-checksum-crc32": "3iQHHw==-3"},
            Digest("crc32", "de24071f-3"),
        ),
        TestCase(
            "of the whole, of an object of parts",
            {
                "ETag": PARTS,
                "x-amz-checksum-crc32": "3iQHHw==",
                "x-amz-checksum-type": "FULL_OBJECT",
            },
            Digest("crc32", "de24071f"),
        ),
        TestCase(
            "of an object of parts, nobody says of what",
            {"ETag": PARTS, "x-amz-checksum-crc32": "3iQHHw=="},
            None,
        ),
        TestCase("no base64", {"x-amz-checksum-crc32": "3iQ\xb2Hw=="}, None),
        TestCase("of no number of parts", {"x-amz-checksum-crc32": "3iQHHw==-x"}, None),
        TestCase("of no parts", {"x-amz-checksum-crc32": "3iQHHw==-0"}, None),
        TestCase(
            "a checksum that is none, before one that is",
            {"x-amz-checksum-crc64nvme": "x", "x-amz-checksum-crc32": "3iQHHw=="},
            Digest("crc32", "de24071f"),
        ),
        TestCase(
            "the cheapest",
            {
                "ETag": PARTS,
                "x-amz-checksum-sha1": "3iQHHw==",
                "x-amz-checksum-crc64nvme": "rosUhgp5mIg=",
            },
            Digest("crc64nvme", "ae8b14860a799888"),
        ),
    ],
    ids=lambda case: case.name,
)
def test_the_checksum_of_an_answer(case: TestCase) -> None:
    head = Message()
    for name, value in case.headers.items():
        head[name] = value
    assert _checksum(head) == case.want
