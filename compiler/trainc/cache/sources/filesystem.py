"""Paths and URIs to Arrow file systems, with the credentials of the initializers' environment.

In: ``/a/b``, ``file:///a``, ``s3://``, ``gs://``, ``az://`` and their other names. Out: a file
system and a path in it, taken letter by letter: ``#``, ``?`` and ``%`` are parts of names. The
settings are the initializers' (``trainc.storage``); where they name no keys, Arrow's own chain
applies (``AWS_*``, instance roles, ...).
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow.fs as pafs

from trainc.storage.aws import aws_settings
from trainc.storage.credentials import key_settings
from trainc.storage.schemes import azure_place, canonical, suggestion

_SCHEMES: Final = ("file", "s3", "gs", "az")


def resolve(uri: str, environ: Mapping[str, str] = os.environ) -> tuple[pafs.FileSystem, str]:
    """The file system of a path or URI and the path in it.

    Raises:
        ValueError: A scheme Arrow has no file system for.
    """
    name, found, path = uri.partition("://")
    if not found:
        return pafs.LocalFileSystem(), str(Path(uri).absolute())
    scheme = canonical(name)
    if scheme == "file":
        return pafs.LocalFileSystem(), str(Path(path).absolute())
    if scheme == "s3":
        return _s3(path, environ), path
    if scheme == "gs":
        return _gcs(environ), path
    if scheme == "az":
        host, _, rest = path.partition("/")
        return _azure(host, environ), f"{azure_place(host).container}/{rest}"
    near = suggestion(scheme, _SCHEMES)
    meant = f"; did you mean {near}://?" if near else ""
    known = ", ".join(f"{each}://" for each in _SCHEMES)
    raise ValueError(f"{uri}: no file system for {name}://; known: {known}{meant}")


def is_local(fs: pafs.FileSystem) -> bool:
    """Whether files can be mapped into memory."""
    return isinstance(fs, pafs.LocalFileSystem)


def iceberg_properties(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The names pyiceberg has for the same settings and credentials.

    Raises:
        ValueError: A setting that cannot be used.
    """
    settings, keys = aws_settings(environ), key_settings(environ)
    found = {
        "s3.endpoint": settings.endpoint,
        "s3.region": settings.region,
        "s3.access-key-id": keys.access_key_id,
        "s3.secret-access-key": keys.secret_access_key,
        "s3.session-token": keys.session_token,
        "s3.role-arn": keys.role_arn,
    }
    return {name: value for name, value in found.items() if value}


def _s3(path: str, environ: Mapping[str, str]) -> pafs.FileSystem:
    """S3 as AWS's own tools reach it: see ``trainc.storage.aws``.

    Raises:
        ValueError: A setting that cannot be used.
    """
    settings, keys = aws_settings(environ), key_settings(environ)
    if settings.requester_pays:
        raise ValueError(
            "AWS_REQUEST_PAYER: the data cache cannot pay; let an initializer fetch it"
        )
    options: dict[str, Any] = {
        "access_key": keys.access_key_id,
        "secret_key": keys.secret_access_key,
        "session_token": keys.session_token,
        "role_arn": keys.role_arn,
        "external_id": keys.external_id,
        "region": settings.region,
    }
    if settings.endpoint:
        scheme, _, address = settings.endpoint.partition("://")
        options |= {"scheme": scheme, "endpoint_override": address}
    elif not settings.region:
        options["region"] = pafs.resolve_s3_region(path.split("/", 1)[0])
    if settings.endpoint and not settings.bucket_in_path:
        options["force_virtual_addressing"] = True
    return pafs.S3FileSystem(**{name: value for name, value in options.items() if value})


def _gcs(environ: Mapping[str, str]) -> pafs.FileSystem:
    # STORAGE_EMULATOR_HOST is the name Google's own clients read.
    host = environ.get("STORAGE_EMULATOR_HOST", "")
    if not host:
        return pafs.GcsFileSystem()
    scheme, _, address = host.rpartition("://")
    return pafs.GcsFileSystem(anonymous=True, scheme=scheme or "http", endpoint_override=address)


def _azure(host: str, environ: Mapping[str, str]) -> pafs.FileSystem:
    place = azure_place(host)
    account = place.account or environ.get("AZURE_STORAGE_ACCOUNT_NAME")
    if not account:
        raise ValueError(f"az://{host}: set AZURE_STORAGE_ACCOUNT_NAME or write CONTAINER@ACCOUNT")
    options = {
        "account_key": environ.get("AZURE_STORAGE_ACCOUNT_KEY"),
        "blob_storage_authority": environ.get("AZURE_STORAGE_BLOB_AUTHORITY"),
        "blob_storage_scheme": environ.get("AZURE_STORAGE_BLOB_SCHEME"),
    }
    if place.endpoint:
        options.setdefault("blob_storage_authority", f".blob.{place.suffix}")
        options["dfs_storage_authority"] = f".dfs.{place.suffix}"
    return pafs.AzureFileSystem(account, **{k: v for k, v in options.items() if v})
