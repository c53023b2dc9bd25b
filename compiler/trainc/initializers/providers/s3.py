"""``s3://BUCKET/PREFIX``: Amazon S3, and whatever speaks its protocol.

In: the reference's settings (``ENDPOINT``, ``ACCESS_KEY_ID``, ``SECRET_ACCESS_KEY``, ``REGION``,
``ROLE_ARN``) and a few more. Out: a remote. Many small objects come by ``libcurl``, all over one
thread; ranges of large ones are read into one buffer over and over, which takes less work.
"""

from __future__ import annotations

import base64
import http.client
import logging
import math
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import replace
from email.message import Message
from typing import Final

from trainc.initializers.aws import open_bucket
from trainc.initializers.config import Config
from trainc.initializers.curl import Answer, Answers, Asked, Circumstances
from trainc.initializers.digest import Digest
from trainc.initializers.failure import (
    ConfigurationError,
    FetchError,
    IntegrityError,
    TransientError,
)
from trainc.initializers.objectstore import digest_of_etag, listed, relative
from trainc.initializers.provider import Arrivals, Chunk, Listing, Provider, RemoteFile
from trainc.initializers.s3api import Bucket, OtherRegionError, refused
from trainc.initializers.s3page import Entry

# Checksums of an object, the cheapest to compute first.
_CHECKSUMS: Final = ("crc64nvme", "crc32c", "crc32", "sha256", "sha1")
# Bytes: stays in the CPU's cache between socket, checksum and file; a small one costs switches.
_BUFFER: Final = 1024 * 1024
# Numbers of thousands of digits are none that Python converts.
_RANGE: Final = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")
_LENGTH: Final = re.compile(r"[0-9]{1,18}")
_COUNT: Final = re.compile(r"[0-9]{1,6}")  # of the parts of an object, 10,000 at most
# A checksum in base64, and of how many parts it is.
_TOLD: Final = re.compile(
    r"(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2,3}={1,2})?(?:-[1-9][0-9]{0,5})?"
)

_logger = logging.getLogger(__name__)


def remote(config: Config) -> S3Remote:
    """What the URI names."""
    return S3Remote(config)


class S3Remote:
    """A bucket and a prefix."""

    def __init__(self, config: Config) -> None:
        """Finds keys and region.

        Raises:
            FetchError: where there are none, or they are refused.
        """
        self._config = config
        self._bucket = self._opened()
        self._prefix = config.uri.path
        self._verify_etag = config.verify_etag
        self._buffers = threading.local()

    def listing(self) -> Listing:
        """The object of that name, and those in the folder of that name: never its siblings."""
        folder = self._prefix.rstrip("/")
        try:
            entries = list(self._entries(folder))
        except OtherRegionError as error:
            if error.region == self._bucket.region:
                raise
            _logger.warning("%s (it is read there now)", error)
            self._bucket = self._opened(error.region)
            entries = list(self._entries(folder))
        folders = _folders(each.key for each in entries)
        files = (self._file_of(each, folder) for each in entries if not _is_mark(each, folders))
        return Listing(list(files))

    def _opened(self, region: str = "") -> Bucket:
        """The bucket, in a region that a server named or in that of the settings."""
        config = self._config
        return open_bucket(config.uri.host, config.environ, config.read_timeout_seconds, region)

    def inspect(self, file: RemoteFile) -> RemoteFile:
        """The file with the cheapest checksum that the bucket has of it."""
        with listed(file.key):
            head = self._bucket.head(file.key)
        if file.version.startswith('"') and head.get("ETag") != file.version:
            raise TransientError(f"{file.key!r} was changed while it was fetched", again=False)
        digest = _checksum(head) or self._etag(head)
        if digest is not None and "-" in digest.value:
            digest = self._with_parts(file, digest)
        return replace(file, digest=digest)

    def read(self, file: RemoteFile, start: int, end: int | None) -> Iterator[Chunk]:
        """The bytes of one range, as they come in."""
        size = file.size or 0
        stop = size if end is None else end
        if stop <= start:
            return  # there is no empty range
        asked = {"Range": f"bytes={start}-{stop - 1}", **_of_version(file)}
        with listed(file.key), self._bucket.opened("GET", file.key, headers=asked) as answer:
            self._check(file, answer, start, stop)
            yield from self._chunks(answer)

    def read_many(self, files: Iterator[RemoteFile], connections: Callable[[], int]) -> Arrivals:
        """The whole of each file, as it comes in."""
        bucket = self._bucket
        given = Circumstances(bucket.url, bucket.timeout, bucket.ca_bundle)
        for each in Answers(files, self._asked, self._called, given, connections):
            yield each and (each[0], self._content(*each))

    def _asked(self, file: RemoteFile) -> Asked:
        url, headers = self._bucket.request("GET", file.key, headers=_of_version(file))
        return Asked(url, headers, file.size or 0)

    def _called(self, file: RemoteFile) -> str:
        return self._bucket.called(file.key)

    def _content(self, file: RemoteFile, answer: Answer | FetchError) -> bytearray | FetchError:
        """The bytes, or why they are not there."""
        if isinstance(answer, FetchError):
            return answer
        try:
            with listed(file.key):
                if answer.status >= http.HTTPStatus.MULTIPLE_CHOICES:
                    name = self._called(file)
                    raise refused(name, answer.status, answer.body, answer.wish)
                count = len(answer.body)
                if answer.status != http.HTTPStatus.OK or count != file.size:
                    text = f"answers {answer.status} with {count} bytes"
                    raise IntegrityError(f"{file.key!r} was listed with {file.size} and {text}")
        except FetchError as error:
            return error
        return answer.body

    def _entries(self, folder: str) -> Iterator[Entry]:
        if folder and not self._prefix.endswith("/"):
            yield from (each for each in self._bucket.entries(folder, 1) if each.key == folder)
        yield from self._bucket.entries(f"{folder}/" if folder else "")

    def _file_of(self, entry: Entry, folder: str) -> RemoteFile:
        """The file of a listed object."""
        etag = entry.etag.strip('"')  # files that others put behind a server have none
        digest = digest_of_etag(etag) if self._verify_etag else None
        path = relative(entry.key, folder)
        return RemoteFile(
            path, entry.key, entry.size, entry.etag if etag else entry.modified, digest
        )

    def _check(
        self, file: RemoteFile, answer: http.client.HTTPResponse, start: int, stop: int
    ) -> None:
        """Makes sure that an answer is the range that was asked for, of the object listed."""
        etag = answer.headers.get("ETag", file.version)  # not every server cares for If-Match
        if file.version.startswith('"') and etag != file.version:
            raise TransientError(f"{file.key!r} was changed while it was fetched", again=False)
        match = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if match is None:
            if answer.status == 200 and (start, stop) == (0, file.size):
                return
            raise IntegrityError(
                f"{file.key!r}: {answer.status}, no range, where one was asked for"
            )
        if int(match[1]) != start or int(match[3]) != file.size:
            raise IntegrityError(
                f"{file.key!r} was listed with {file.size} bytes and answers with {match[0]}"
            )

    def _chunks(self, answer: http.client.HTTPResponse) -> Iterator[Chunk]:
        buffer = getattr(self._buffers, "own", None)
        if buffer is None:
            buffer = self._buffers.own = memoryview(bytearray(_BUFFER))
        try:
            while count := answer.readinto(buffer):
                yield buffer[:count]
        except (OSError, http.client.HTTPException) as error:
            name = f"s3://{self._bucket.name}"
            raise TransientError(f"{name}: {error or type(error).__name__}") from error

    def _etag(self, head: Message) -> Digest | None:
        """The digest that the etag is: none where the object is encrypted with a key of KMS."""
        encrypted = head.get("x-amz-server-side-encryption", "").startswith("aws:kms")
        own_key = head.get("x-amz-server-side-encryption-customer-algorithm")
        if encrypted or own_key or not self._verify_etag:
            return None
        etag = head.get("ETag", "").strip('"')
        whole, dash, count = etag.partition("-")
        if dash and _COUNT.fullmatch(count) and digest_of_etag(whole):
            return Digest("md5", etag)
        return digest_of_etag(etag)

    def _with_parts(self, file: RemoteFile, digest: Digest) -> Digest | None:
        """A digest of parts, with their size; None where the server does not tell it."""
        count = int(digest.value.rpartition("-")[2])
        try:
            length = self._bucket.head(file.key, part=1).get("Content-Length", "")
        except ConfigurationError:
            return None
        # Parts of unequal sizes are allowed; nobody uploads so, and nothing tells of them.
        if (
            not _LENGTH.fullmatch(length)
            or math.ceil((file.size or 0) / max(1, int(length))) != count
        ):
            return None
        return replace(digest, part_size=int(length))


def _folders(keys: Iterable[str]) -> set[str]:
    """The keys' folders, at every level, without the slash."""
    folders: set[str] = set()
    for key in keys:
        folder = key.rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    return folders


def _is_mark(entry: Entry, folders: Set[str]) -> bool:
    """Whether an object only says that there is a folder: it is empty, and others are below it.

    Consoles write its key with a slash, ``s3fs``, TensorFlow and Hadoop's wasb without one.
    """
    return entry.size == 0 and (entry.key.endswith("/") or entry.key in folders)


def _of_version(file: RemoteFile) -> dict[str, str]:
    """The header that asks for the version that was listed."""
    return {"If-Match": file.version} if file.version.startswith('"') else {}


def _checksum(head: Message) -> Digest | None:
    """The cheapest checksum in an answer; of the whole object or of its parts."""
    for algorithm in _CHECKSUMS:
        text = head.get(f"x-amz-checksum-{algorithm}")
        if text and _is_told(head, algorithm, text) and _TOLD.fullmatch(text):
            value, dash, count = text.partition("-")
            return Digest(algorithm, f"{base64.b64decode(value).hex()}{dash}{count}")
    return None


def _is_told(head: Message, algorithm: str, text: str) -> bool:
    """Whether an answer says what a checksum is of.

    Of an object of parts, as its etag shows, some servers have the checksum of the parts' and do
    not say so; Amazon's own says it twice, and a CRC64NVME is always of the whole.
    """
    if "-" in text or "-" not in head.get("ETag", "") or algorithm == "crc64nvme":
        return True
    return head.get("x-amz-checksum-type", "").upper() == "FULL_OBJECT"


PROVIDER: Final = Provider(
    schemes=("s3", "s3a", "s3n"),
    dataset=remote,
    model=remote,
    identity=("ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
    needs=("awscrt", "botocore", "isal", "pycurl"),
)
