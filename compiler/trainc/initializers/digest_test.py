from __future__ import annotations

import base64
import os
import random
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from trainc.initializers.digest import (
    RECORDED,
    Digest,
    GrowingDigest,
    digest_of,
    digest_of_file,
    new_hash,
)

pytest.importorskip("awscrt")
pytest.importorskip("isal")

MiB = 1024 * 1024
BODY = random.Random(1).randbytes(20 * MiB + 3)
# Of the nine digits: the check values of the catalogue of parametrised CRC algorithms.
NINE = b"123456789"
CHECKS = {"crc32": "cbf43926", "crc32c": "e3069283", "crc64nvme": "ae8b14860a799888"}
ALGORITHMS = (*CHECKS, "md5", "sha1", "sha256", "sha1-git")


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    opened = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    yield opened
    os.close(opened)


def straight(algorithm: str, data: bytes) -> bytes:
    computed = new_hash(algorithm, len(data))
    computed.update(data)
    return computed.digest()


@pytest.mark.parametrize(("algorithm", "value"), CHECKS.items())
def test_checksums_are_the_ones_that_are_meant(algorithm: str, value: str) -> None:
    assert straight(algorithm, NINE).hex() == value


def test_a_git_blob_is_named_as_git_does() -> None:
    # git hash-object of a file that holds "hello\n"
    want = "ce013625030ba8dba906f756967f9e9ca394464a"
    assert straight("sha1-git", b"hello\n").hex() == want


def test_crc32_is_zlibs() -> None:
    assert straight("crc32", BODY) == zlib.crc32(BODY).to_bytes(4, "big")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("size", [0, 1, 4096, 10_000])
@pytest.mark.parametrize("part_size", [0, 4096])
def test_memory_and_disk_have_the_same_digest(
    fd: int, algorithm: str, size: int, part_size: int
) -> None:
    os.pwrite(fd, BODY[:size], 0)
    wanted = Digest(algorithm, "", part_size)
    assert digest_of(bytearray(BODY[:size]), wanted) == digest_of_file(fd, size, wanted)


@pytest.mark.parametrize(
    "digest",
    [Digest("md5", "00ff"), Digest("md5", "00ff-3", 5 * MiB), RECORDED],
    ids=str,
)
def test_a_digest_is_read_as_it_was_written(digest: Digest) -> None:
    assert Digest.parse(str(digest)) == digest


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("size", [0, 1, 8 * MiB, len(BODY)])
def test_a_file_is_hashed_from_the_disk(fd: int, algorithm: str, size: int) -> None:
    os.write(fd, BODY[:size])
    computed = digest_of_file(fd, size, Digest(algorithm, ""))
    assert computed == Digest(algorithm, straight(algorithm, BODY[:size]).hex())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("seed", range(3))
def test_the_order_in_which_a_file_grows_does_not_matter(
    fd: int, algorithm: str, seed: int
) -> None:
    chance = random.Random(seed)
    cuts = sorted({0, len(BODY), *(chance.randrange(len(BODY)) for _ in range(30))})
    spans = list(zip(cuts, cuts[1:], strict=False))
    chance.shuffle(spans)
    growing = GrowingDigest(fd, len(BODY), Digest(algorithm, ""))

    def grow(span: tuple[int, int]) -> None:
        start, end = span
        os.pwrite(fd, BODY[start:end], start)
        if start % 3:
            growing.take(start, memoryview(BODY)[start:end])
        else:
            growing.held(start, end)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(grow, spans))
    assert growing.result().value == straight(algorithm, BODY).hex()


@pytest.mark.parametrize("algorithm", ["md5", "sha256", "crc32", "crc64nvme"])
@pytest.mark.parametrize("part", [5 * MiB, 9 * MiB, len(BODY), 2 * len(BODY)])
def test_a_digest_of_parts_is_the_digest_of_their_digests(
    fd: int, algorithm: str, part: int
) -> None:
    os.write(fd, BODY)
    parts = [BODY[at : at + part] for at in range(0, len(BODY), part)]
    whole = straight(algorithm, b"".join(straight(algorithm, each) for each in parts))
    computed = digest_of_file(fd, len(BODY), Digest(algorithm, "", part))
    assert computed == Digest(algorithm, f"{whole.hex()}-{len(parts)}", part)


def test_a_file_that_is_shorter_than_it_should_be_is_an_error(fd: int) -> None:
    os.write(fd, b"1")
    with pytest.raises(OSError, match="ends at 1, not at 10"):
        digest_of_file(fd, 10, RECORDED)


def test_a_changed_byte_changes_the_digest(fd: int) -> None:
    os.write(fd, BODY)
    right = digest_of_file(fd, len(BODY), Digest("crc64nvme", ""))
    os.pwrite(fd, bytes([BODY[MiB] ^ 1]), MiB)
    assert digest_of_file(fd, len(BODY), Digest("crc64nvme", "")) != right


def test_base64_of_the_service_is_our_value() -> None:
    assert base64.b64encode(straight("crc64nvme", NINE)).decode() == "rosUhgp5mIg="
