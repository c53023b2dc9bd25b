"""A bucket of S3, opened: its address, region and keys, found as every AWS tool finds them.

In: the settings of the environment. Out: a ``Bucket`` for requests. Where no keys are given
``botocore`` finds them (a pod's identity, profiles, instance roles) and assumes roles; it is not
read in otherwise.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from trainc.initializers.config import boolean
from trainc.initializers.failure import (
    ConfigurationError,
    FetchError,
    PermissionDeniedError,
    TransientError,
)
from trainc.initializers.s3api import Bucket, new_opener
from trainc.initializers.sigv4 import Keys
from trainc.storage.aws import AwsSettingError, AwsSettings, aws_settings, is_amazon
from trainc.storage.credentials import KeySettings, find_credentials, key_settings

_REGION: Final = "us-east-1"  # where a server does not say; S3-compatible ones rarely care
_PORTS: Final = {"http": 80, "https": 443}
_REFUSED: Final = "non 200 response 4"  # of an agent, as botocore tells it
_CA_BUNDLE: Final = "AWS_CA_BUNDLE"  # as all of Amazon's tools call it

_logger = logging.getLogger(__name__)

Supplier = Callable[[], Keys]


def open_bucket(name: str, environ: Mapping[str, str], timeout: float, region: str = "") -> Bucket:
    """The bucket.

    Args:
        name: The bucket's.
        environ: The settings of S3, see ``trainc.storage.aws``.
        timeout: Seconds of silence after which a connection is dead.
        region: Where the bucket is; empty: what the settings say, else the server.

    Raises:
        FetchError: where there are no keys, or the settings contradict each other.
    """
    if not name:
        raise ConfigurationError("the URI names no bucket: s3://BUCKET/PREFIX")
    with _translated_settings():
        where = aws_settings(environ)
        keys = key_settings(environ)
    if where.endpoint_from not in ("", "ENDPOINT"):
        _logger.info("S3 is at %s (%s)", where.endpoint, where.endpoint_from)
    anonymous = boolean("ANONYMOUS", environ.get("ANONYMOUS") or "false")
    supplier = None if anonymous else _supplier(keys, where)
    region = region or where.region
    bundle = environ.get(_CA_BUNDLE) or os.environ.get(_CA_BUNDLE, "")
    bucket = Bucket(
        name=name,
        url=_url(name, where, region or _REGION),
        region=region or _REGION,
        keys=supplier or (lambda: None),
        timeout=timeout,
        ca_bundle=bundle,
        opener=new_opener(bundle),
        requester_pays=where.requester_pays,
    )
    if not region:
        region = _told_region(bucket)
        bucket = replace(bucket, region=region, url=_url(name, where, region))
    return bucket


def _url(name: str, where: AwsSettings, region: str) -> str:
    """The bucket's URL; dots in a name would not fit Amazon's certificate."""
    parts = urlsplit(where.server(region))
    server = _server(parts)
    if where.bucket_in_path or ("." in name and (not where.endpoint or is_amazon(where.endpoint))):
        return f"{parts._replace(netloc=server).geturl()}/{name}"
    return parts._replace(netloc=f"{name}.{server}").geturl()


def _server(parts: SplitResult) -> str:
    """Host and port; the scheme's own port is left out: no client says it, so nobody signs it."""
    host = re.sub(r":\d*$", "", parts.netloc)
    return host if parts.port in (None, _PORTS[parts.scheme]) else f"{host}:{parts.port}"


def _told_region(bucket: Bucket) -> str:
    """The bucket's region, as the server tells it, with whatever status."""
    try:
        with bucket.opened("HEAD", "") as answer:
            return answer.headers.get("x-amz-bucket-region") or _REGION
    except FetchError as error:
        if isinstance(error, TransientError) and getattr(error.__cause__, "code", 0) != 501:
            raise  # a guess now might be wrong, and would be told as a wrong setting
        headers = getattr(error.__cause__, "headers", None)
        return (headers.get("x-amz-bucket-region") if headers else None) or _REGION


def _supplier(keys: KeySettings, where: AwsSettings) -> Supplier:
    """Gives the keys for now: those that are given, or those ``botocore`` finds."""
    if keys.are_fixed:
        fixed = _keys(keys.access_key_id, keys.secret_access_key, keys.session_token)
        return lambda: fixed
    with _translated(), _translated_settings():
        own = find_credentials(keys, where)
    if own is None:
        raise PermissionDeniedError(
            "no credentials: set ACCESS_KEY_ID and SECRET_ACCESS_KEY, give the pod an identity, "
            "or say ANONYMOUS=true"
        )
    return _refreshing(own)


@contextmanager
def _translated_settings() -> Iterator[None]:
    """Turns a setting that cannot be used into a failure."""
    try:
        yield
    except AwsSettingError as error:
        raise ConfigurationError(str(error)) from error


def _refreshing(credentials: Any) -> Supplier:
    """The credentials, as they are asked for again and again."""

    def supply() -> Keys:
        with _translated():
            frozen = credentials.get_frozen_credentials()
        return _keys(frozen.access_key, frozen.secret_key, frozen.token or "")

    return supply


def _keys(access_key_id: str, secret_access_key: str, session_token: str) -> Keys:
    """The keys, where a header can carry them.

    Raises:
        ConfigurationError: if none can; does not quote them.
    """
    for sent in (access_key_id, session_token):
        if not (sent.isascii() and sent.isprintable()):
            raise ConfigurationError(
                "credentials: no header can carry the access key, or its session token: "
                "are they the ones you were given?"
            )
    return Keys(access_key_id, secret_access_key, session_token)


@contextmanager
def _translated() -> Iterator[None]:
    """Turns exceptions of ``botocore`` into failures, by kind."""
    from botocore import exceptions as raised

    try:
        yield
    except (raised.ConnectionError, raised.HTTPClientError) as error:
        raise TransientError(f"credentials: {error}") from error
    except raised.ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        kind = TransientError if status >= 500 else PermissionDeniedError
        raise kind(f"credentials: {error}") from error
    except (
        raised.ProfileNotFound,
        raised.ConfigParseError,
        raised.ParamValidationError,
    ) as error:
        raise ConfigurationError(f"credentials: {error}") from error
    except raised.CredentialRetrievalError as error:
        # The pod's own agent of credentials: it may not be up yet, or it may say no.
        agent = error.kwargs.get("provider") == "container-role"
        kind = TransientError if agent and _REFUSED not in str(error) else PermissionDeniedError
        raise kind(f"credentials: {error}") from error
    except raised.BotoCoreError as error:
        raise PermissionDeniedError(f"credentials: {error}") from error
