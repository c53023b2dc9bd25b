"""A bucket of S3: credentials, region and clients, found as every AWS tool finds them.

In: the settings of the environment. Out: a client of ``botocore`` for what is said about objects, a
store of ``obstore`` for their bytes, both with the same credentials; and the meaning of errors.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from trainc.initializers.failure import (
    ConfigurationError,
    FetchError,
    NotFoundError,
    PermissionDeniedError,
    TransientError,
)
from trainc.initializers.objectstore import client_options, no_retries, opening

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from obstore.store import S3Store

_REGION: Final = "us-east-1"  # where a server does not say; S3-compatible ones rarely care
_CONNECT_TIMEOUT: Final = 10  # seconds
_DENIED: Final = frozenset(
    {
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
        "XAdminUserNotFound",  # versitygw, with 404
    }
)
_PASSING: Final = frozenset({"RequestTimeout", "SlowDown", "Throttling", "RequestTimeTooSkewed"})
_MISCONFIGURED: Final = frozenset({"InvalidBucketName", "AuthorizationHeaderMalformed"})


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
        return self.path_style.lower() in ("1", "true", "yes", "on")


class Bucket:
    """One bucket, opened once."""

    def __init__(self, name: str, given: Settings, read_timeout: float) -> None:
        """Finds credentials and region.

        Raises:
            FetchError: where there are none, or they are refused.
        """
        import botocore.session

        if not name:
            raise ConfigurationError("the URI names no bucket: s3://BUCKET/PREFIX")
        self.name = name
        self._given = given
        self._read_timeout = read_timeout
        with translated(f"s3://{name}"):
            session = botocore.session.Session()
            self._credentials = None if given.anonymous else _credentials(session, given)
            self._region = given.region or str(session.get_config_variable("region") or "")
            if not self._region:
                self._region = self._told_region(self._client(_REGION))
            self.client = self._client(self._region)

    def store(self) -> S3Store:
        """The bucket, for reading."""
        from obstore.store import S3Store

        given = self._given
        options = client_options(given.endpoint, self._read_timeout)
        if bundle := os.environ.get("AWS_CA_BUNDLE"):
            options["root_certificate"] = Path(bundle).read_bytes()
        keys: dict[str, Any] = {
            "region": self._region,
            "virtual_hosted_style_request": not given.in_path,
        }
        if given.endpoint:
            keys["endpoint"] = given.endpoint if given.in_path else self._host()
        if self._credentials is None:
            keys["skip_signature"] = True
        else:
            keys["credential_provider"] = _supplier(self._credentials)
        with opening(f"s3://{self.name}"):
            return S3Store(self.name, client_options=options, retry_config=no_retries(), **keys)

    def _client(self, region: str) -> Any:
        import botocore.session
        from botocore import UNSIGNED
        from botocore.config import Config

        session = botocore.session.Session()
        if self._credentials is not None:
            session.register_component("credential_provider", _resolver(self._credentials))
        options = Config(
            signature_version=UNSIGNED if self._credentials is None else "s3v4",
            s3={"addressing_style": "path" if self._given.in_path else "virtual"},
            connect_timeout=_CONNECT_TIMEOUT,
            read_timeout=self._read_timeout,
            retries={"total_max_attempts": 1},
            user_agent_extra="trainc",
        )
        return session.create_client(
            "s3", region_name=region, endpoint_url=self._given.endpoint or None, config=options
        )

    def _told_region(self, client: Any) -> str:
        """The bucket's region, as the server tells it, with whatever status."""
        from botocore.exceptions import ClientError

        try:
            answer = client.head_bucket(Bucket=self.name)
        except ClientError as error:
            answer = error.response
        headers = answer["ResponseMetadata"].get("HTTPHeaders", {})
        return str(headers.get("x-amz-bucket-region") or _REGION)

    def _host(self) -> str:
        """The endpoint with the bucket in its host."""
        parts = urlsplit(self._given.endpoint)
        return parts._replace(netloc=f"{self.name}.{parts.netloc}").geturl()


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turns exceptions of ``botocore`` into failures, by kind."""
    from botocore import exceptions as raised
    from botocore.parsers import ResponseParserError

    try:
        yield
    except raised.ClientError as error:
        raise _of_answer(error, name) from error
    except (
        raised.NoCredentialsError,
        raised.PartialCredentialsError,
        raised.CredentialRetrievalError,
        raised.NoAuthTokenError,
    ) as error:
        raise PermissionDeniedError(f"{name}: {error}") from error
    except raised.SSLError as error:
        raise ConfigurationError(f"{name}: {error}") from error
    except (raised.ConnectionError, raised.HTTPClientError, ResponseParserError) as error:
        raise TransientError(f"{name}: {error}") from error
    except (raised.BotoCoreError, ValueError) as error:
        raise ConfigurationError(f"{name}: {error}") from error


def _of_answer(error: ClientError, name: str) -> FetchError:
    """The kind of failure that a server's answer is."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    text = f"{name}: {error}"
    if status >= 500 or status in (408, 425, 429) or code in _PASSING:
        return TransientError(text, retry_after=_retry_after(error))
    if code in _MISCONFIGURED:
        return ConfigurationError(text)
    if status in (401, 403) or code in _DENIED:
        return PermissionDeniedError(text)
    return NotFoundError(text) if status == 404 else ConfigurationError(text)


def _retry_after(error: ClientError) -> float:
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    text = str(headers.get("retry-after", ""))
    return float(text) if text.isdigit() else 0.0


def _credentials(session: Any, given: Settings) -> Any:
    """Those given, else those botocore finds; then those of the role."""
    from botocore.credentials import Credentials

    if bool(given.access_key_id) != bool(given.secret_access_key):
        raise ConfigurationError("ACCESS_KEY_ID and SECRET_ACCESS_KEY belong together")
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


def _resolver(credentials: Any) -> Any:
    """Makes a session use these credentials and look for no others."""
    from botocore.credentials import CredentialProvider, CredentialResolver

    class Given(CredentialProvider):  # type: ignore[misc]
        METHOD = "trainc"

        def load(self) -> Any:
            return credentials

    return CredentialResolver([Given()])


def _supplier(credentials: Any) -> Callable[[], dict[str, Any]]:
    """The credentials, as ``obstore`` asks for them again and again."""

    def supply() -> dict[str, Any]:
        with translated("credentials"):
            frozen = credentials.get_frozen_credentials()
        expiry: datetime | None = getattr(credentials, "_expiry_time", None)
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": expiry.astimezone(UTC) if expiry else None,
        }

    return supply
