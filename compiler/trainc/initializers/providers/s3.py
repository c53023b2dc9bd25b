"""``s3://BUCKET/PREFIX``: Amazon S3, and whatever speaks its protocol.

In: the reference's settings (``ENDPOINT``, ``ACCESS_KEY_ID``, ``SECRET_ACCESS_KEY``, ``REGION``,
``ROLE_ARN``) and a few more. Out: a remote. ``botocore`` finds credentials, assumes roles, lists
(keys as they are) and asks for checksums; ``obstore`` moves the bytes.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from trainc.initializers.aws import Bucket, Settings, translated
from trainc.initializers.config import Config, settings
from trainc.initializers.digest import Digest
from trainc.initializers.failure import ConfigurationError, IntegrityError, TransientError
from trainc.initializers.objectstore import StoreRemote, digest_of_etag, relative
from trainc.initializers.provider import Listing, Provider, RemoteFile

# Checksums of an object, the cheapest to compute first.
_CHECKSUMS: Final = (
    ("ChecksumCRC64NVME", "crc64nvme"),
    ("ChecksumCRC32C", "crc32c"),
    ("ChecksumCRC32", "crc32"),
    ("ChecksumSHA256", "sha256"),
    ("ChecksumSHA1", "sha1"),
)


def remote(config: Config) -> S3Remote:
    """What the URI names."""
    return S3Remote(config, settings(Settings, config.environ))


class S3Remote(StoreRemote):
    """A bucket and a prefix."""

    def __init__(self, config: Config, given: Settings) -> None:
        """Finds credentials and region.

        Raises:
            FetchError: where there are none, or they are refused.
        """
        bucket = Bucket(config.uri.host, given, config.read_timeout_seconds)
        self._bucket = bucket.name
        self._client = bucket.client
        name = f"s3://{bucket.name}"
        super().__init__(bucket.store(), config.uri.path, name, config.verify_etag)

    def listing(self) -> Listing:
        """The object of that name, and those in the folder of that name: never its siblings."""
        folder = self._prefix.rstrip("/")
        found: list[dict[str, Any]] = []
        if folder and not self._prefix.endswith("/"):
            found += [each for each in self._page(folder, 1) if each["Key"] == folder]
        found += self._pages(f"{folder}/" if folder else "")
        files = [self._file_of(each, folder) for each in found]
        return Listing([file for file in files if file is not None])

    def inspect(self, file: RemoteFile) -> RemoteFile:
        """The file with the cheapest checksum that the bucket has of it."""
        head = self._head(file.key, ChecksumMode="ENABLED")
        if file.version.startswith('"') and head.get("ETag") != file.version:
            raise TransientError(f"{file.key!r} was changed while it was fetched", again=False)
        digest = _checksum(head) or self._etag(head)
        if digest is not None and "-" in digest.value:
            digest = self._with_parts(file, digest)
        return replace(file, digest=digest)

    def _file_of(self, entry: dict[str, Any], folder: str) -> RemoteFile | None:
        """The file of a listed object; None for the marker of a folder."""
        key, size = entry["Key"], entry["Size"]
        if key.endswith("/"):
            if size == 0:
                return None
            raise IntegrityError(
                f"{key!r} holds {size} bytes under the name of a folder: it cannot be a file"
            )
        etag = entry.get("ETag", "").strip('"')  # files that others put behind a server have none
        version = entry["ETag"] if etag else entry["LastModified"].isoformat()
        digest = digest_of_etag(etag) if self._verify_etag else None
        return RemoteFile(relative(key, folder), key, size, version, digest)

    def _pages(self, prefix: str) -> Iterator[dict[str, Any]]:
        with translated(self._name):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
                yield from page.get("Contents", ())

    def _page(self, prefix: str, count: int) -> list[dict[str, Any]]:
        with translated(self._name):
            page = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix, MaxKeys=count)
        return list(page.get("Contents", ()))

    def _head(self, key: str, **more: Any) -> dict[str, Any]:
        with translated(f"{self._name}: {key!r}"):
            head: dict[str, Any] = self._client.head_object(Bucket=self._bucket, Key=key, **more)
            return head

    def _etag(self, head: dict[str, Any]) -> Digest | None:
        """The digest that the etag is: none where the object is encrypted with a key of KMS."""
        encrypted = head.get("ServerSideEncryption", "").startswith("aws:kms")
        if encrypted or head.get("SSECustomerAlgorithm") or not self._verify_etag:
            return None
        etag = head.get("ETag", "").strip('"')
        whole, dash, count = etag.partition("-")
        if dash and count.isdigit() and digest_of_etag(whole):
            return Digest("md5", etag)
        return digest_of_etag(etag)

    def _with_parts(self, file: RemoteFile, digest: Digest) -> Digest | None:
        """A digest of parts, with their size; None where the server does not tell it."""
        count = int(digest.value.rpartition("-")[2])
        try:
            size = int(self._head(file.key, PartNumber=1)["ContentLength"])
        except ConfigurationError:
            return None
        # Parts of unequal sizes are allowed; nobody uploads so, and nothing tells of them.
        if size < 1 or math.ceil((file.size or 0) / size) != count:
            return None
        return replace(digest, part_size=size)


def _checksum(head: dict[str, Any]) -> Digest | None:
    """The cheapest checksum in an answer; of the whole object or of its parts."""
    for name, algorithm in _CHECKSUMS:
        if text := head.get(name):
            value, dash, count = text.partition("-")
            return Digest(algorithm, f"{base64.b64decode(value).hex()}{dash}{count}")
    return None


PROVIDER: Final = Provider(
    schemes=("s3",),
    dataset=remote,
    model=remote,
    identity=("ENDPOINT",),
    needs=("awscrt", "botocore", "isal", "obstore"),
)
