"""A bucket of S3, opened: its address, region and keys, found as every AWS tool finds them.

In: the settings of the environment. Out: a ``Bucket`` for requests. Where no keys are given
``botocore`` finds them (a pod's identity, profiles, instance roles) and assumes roles; it is not
read in otherwise.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
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

_REGION: Final = "us-east-1"  # where a server does not say; S3-compatible ones rarely care
_PORTS: Final = {"http": 80, "https": 443}
_REFUSED: Final = "non 200 response 4"  # of an agent, as botocore tells it
_CA_BUNDLE: Final = "AWS_CA_BUNDLE"  # as all of Amazon's tools call it


@dataclass(frozen=True)
class Settings:
    """The environment of this scheme.

    Attributes:
        endpoint: The server's URL; empty is Amazon's.
        access_key_id, secret_access_key, session_token: Keys; without them, what botocore finds.
        region: Empty is what the server says.
        role_arn, external_id: A role to assume.
        anonymous: Sign nothing.
        path_style: Bucket in the path (the default where there is an endpoint), not in the host.
    """

    endpoint: str = ""
    access_key_id: str = ""
    secret_access_key: str = ""
    session_token: str = ""
    region: str = ""
    role_arn: str = ""
    external_id: str = ""
    anonymous: bool = False
    path_style: str = ""

    @property
    def in_path(self) -> bool:
        """Whether the bucket is part of the path."""
        if not self.path_style:
            return bool(self.endpoint)
        return boolean("PATH_STYLE", self.path_style)


Supplier = Callable[[], Keys]


def open_bucket(name: str, given: Settings, timeout: float) -> Bucket:
    """The bucket.

    Raises:
        FetchError: where there are no keys, or the settings contradict each other.
    """
    if not name:
        raise ConfigurationError("the URI names no bucket: s3://BUCKET/PREFIX")
    supplier = None if given.anonymous else _supplier(given)
    region = given.region or os.environ.get("AWS_REGION", os.environ.get("AWS_DEFAULT_REGION", ""))
    bundle = os.environ.get(_CA_BUNDLE, "")
    bucket = Bucket(
        name=name,
        url=_url(name, given, region or _REGION),
        region=region or _REGION,
        keys=supplier or (lambda: None),
        timeout=timeout,
        ca_bundle=bundle,
        opener=new_opener(bundle),
    )
    if not region:
        region = _told_region(bucket)
        bucket = replace(bucket, region=region, url=_url(name, given, region))
    return bucket


def _url(name: str, given: Settings, region: str) -> str:
    """The bucket's URL; dots in a name would not fit Amazon's certificate."""
    if given.endpoint:
        parts = urlsplit(given.endpoint.rstrip("/"))
        server = _server(parts)
        if given.in_path:
            return f"{parts._replace(netloc=server).geturl()}/{name}"
        return parts._replace(netloc=f"{name}.{server}").geturl()
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    if given.in_path or "." in name:
        return f"https://s3.{region}.{domain}/{name}"
    return f"https://{name}.s3.{region}.{domain}"


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


def _supplier(given: Settings) -> Supplier:
    """Gives the keys for now: those that are given, or those ``botocore`` finds."""
    if bool(given.access_key_id) != bool(given.secret_access_key):
        raise ConfigurationError("ACCESS_KEY_ID and SECRET_ACCESS_KEY belong together")
    if given.access_key_id and not given.role_arn:
        fixed = _keys(given.access_key_id, given.secret_access_key, given.session_token)
        return lambda: fixed
    with _translated():
        return _refreshing(_credentials(given))


def _credentials(given: Settings) -> Any:
    """Those given, else those botocore finds; then those of the role."""
    import botocore.session
    from botocore.credentials import Credentials

    session = botocore.session.Session()
    if given.access_key_id:
        own = Credentials(given.access_key_id, given.secret_access_key, given.session_token or None)
    else:
        own = session.get_credentials()
    if own is None:
        raise PermissionDeniedError(
            "no credentials: set ACCESS_KEY_ID and SECRET_ACCESS_KEY, give the pod an identity, "
            "or say ANONYMOUS=true"
        )
    return _role(session, own, given) if given.role_arn else own


def _role(session: Any, own: Any, given: Settings) -> Any:
    """The role's credentials, fetched again before they end."""
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

    def client(service: str, **keys: Any) -> Any:
        region = given.region or session.get_config_variable("region") or _REGION
        return session.create_client(service, region_name=region, **keys)

    extra = {"RoleSessionName": "trainc-initializer"}
    if given.external_id:
        extra["ExternalId"] = given.external_id
    fetcher = AssumeRoleCredentialFetcher(client, own, given.role_arn, extra_args=extra)
    return DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")


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
