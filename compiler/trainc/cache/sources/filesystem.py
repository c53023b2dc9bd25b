"""Paths and URIs to Arrow file systems, with the credentials of the initializers' environment.

In: ``/a/b``, ``file:///a``, ``s3://``, ``gs://``, ``az://`` (or ``abfs://``). Out: a file system
and a path in it. The environment names are those of the S3 initializer (``ENDPOINT``, ``REGION``,
``ACCESS_KEY_ID``, ``SECRET_ACCESS_KEY``, ``ROLE_ARN``); where they are not set, Arrow's own chain
applies (``AWS_*``, instance roles, ...).
"""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow.fs as pafs

_S3 = {
    "ENDPOINT": ("endpoint_override", "s3.endpoint"),
    "REGION": ("region", "s3.region"),
    "ACCESS_KEY_ID": ("access_key", "s3.access-key-id"),
    "SECRET_ACCESS_KEY": ("secret_key", "s3.secret-access-key"),
    "ROLE_ARN": ("role_arn", "s3.role-arn"),
}


def resolve(uri: str, environ: Mapping[str, str] = os.environ) -> tuple[pafs.FileSystem, str]:
    """The file system of a path or URI and the path in it.

    Raises:
        ValueError: A scheme Arrow has no file system for.
    """
    parts = urlsplit(uri)
    path = f"{parts.netloc}{parts.path}"
    if parts.scheme in ("s3", "s3a", "s3n"):
        return _s3(path, environ), path
    if parts.scheme == "gs":
        return _gcs(environ), path
    if parts.scheme in ("az", "abfs", "abfss"):
        return _azure(parts.netloc, environ), _azure_path(parts.netloc, parts.path)
    if parts.scheme in ("", "file"):
        return pafs.LocalFileSystem(), str(Path(parts.path or uri).absolute())
    raise ValueError(f"{uri}: no file system for {parts.scheme}://; known: file, s3, gs, az")


def is_local(fs: pafs.FileSystem) -> bool:
    """Whether files can be mapped into memory."""
    return isinstance(fs, pafs.LocalFileSystem)


def iceberg_properties(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The names pyiceberg has for the same credentials."""
    return {name: environ[env] for env, (_, name) in _S3.items() if environ.get(env)}


def _s3(path: str, environ: Mapping[str, str]) -> pafs.FileSystem:
    options = {name: environ[env] for env, (name, _) in _S3.items() if environ.get(env)}
    endpoint = options.get("endpoint_override", "")
    if "://" in endpoint:
        options["scheme"], options["endpoint_override"] = endpoint.split("://", 1)
    if "region" not in options and not endpoint and not environ.get("AWS_REGION"):
        options["region"] = pafs.resolve_s3_region(path.split("/", 1)[0])
    return pafs.S3FileSystem(**options)


def _gcs(environ: Mapping[str, str]) -> pafs.FileSystem:
    # STORAGE_EMULATOR_HOST is the name Google's own clients read.
    host = environ.get("STORAGE_EMULATOR_HOST", "")
    if not host:
        return pafs.GcsFileSystem()
    scheme, _, address = host.rpartition("://")
    return pafs.GcsFileSystem(anonymous=True, scheme=scheme or "http", endpoint_override=address)


def _azure(netloc: str, environ: Mapping[str, str]) -> pafs.FileSystem:
    _, _, host = netloc.rpartition("@")
    account = host.split(".", 1)[0] if "@" in netloc else environ.get("AZURE_STORAGE_ACCOUNT_NAME")
    if not account:
        raise ValueError(
            f"az://{netloc}: set AZURE_STORAGE_ACCOUNT_NAME or write CONTAINER@ACCOUNT"
        )
    options = {
        "account_key": environ.get("AZURE_STORAGE_ACCOUNT_KEY"),
        "blob_storage_authority": environ.get("AZURE_STORAGE_BLOB_AUTHORITY"),
        "blob_storage_scheme": environ.get("AZURE_STORAGE_BLOB_SCHEME"),
    }
    return pafs.AzureFileSystem(account, **{k: v for k, v in options.items() if v})


def _azure_path(netloc: str, path: str) -> str:
    container, _, _ = netloc.partition("@")
    return f"{container}{path}"
