"""Keys of S3: those that are set, or those that every tool of Amazon's would find.

In: ``ACCESS_KEY_ID`` and so on, ``ROLE_ARN``. Out: credentials of ``botocore``, which refresh
themselves: a profile (with its chain of roles: ``source_profile``, ``credential_source``), a web
identity, the agents of ECS and EKS, an instance's role. ``botocore`` is not imported where keys are
set and no role is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from trainc.storage.aws import AwsSettingError, AwsSettings, is_amazon

_REGION: Final = "us-east-1"
_SESSION_NAME: Final = "trainc-initializer"
_STS: Final = ("AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL")


@dataclass(frozen=True)
class KeySettings:
    """Keys and roles as our own variables say them.

    Attributes:
        access_key_id, secret_access_key, session_token: Keys; empty: what botocore finds.
        role_arn, external_id: A role to assume with them.
    """

    access_key_id: str = ""
    secret_access_key: str = ""
    session_token: str = ""
    role_arn: str = ""
    external_id: str = ""

    @property
    def are_fixed(self) -> bool:
        """Whether the keys are used as they are."""
        return bool(self.access_key_id) and not self.role_arn


def key_settings(environ: Mapping[str, str] = os.environ) -> KeySettings:
    """The keys that the environment sets under our own names.

    Raises:
        AwsSettingError: One half of a pair is missing.
    """
    names = KeySettings.__dataclass_fields__
    keys = KeySettings(**{name: environ.get(name.upper(), "").strip() for name in names})
    if bool(keys.access_key_id) != bool(keys.secret_access_key):
        raise AwsSettingError("ACCESS_KEY_ID and SECRET_ACCESS_KEY belong together")
    return keys


def find_credentials(keys: KeySettings, settings: AwsSettings) -> Any:
    """Credentials of ``botocore``; None where there are none.

    Their ``get_frozen_credentials()`` gives ``access_key``, ``secret_key`` and ``token`` for now.

    Raises:
        AwsSettingError: Keys of another server would be sent to Amazon to assume a role.
        BotoCoreError: Of ``botocore``, as the source of the keys fails.
    """
    import botocore.session
    from botocore.credentials import Credentials

    session = botocore.session.Session()
    if keys.access_key_id:
        own = Credentials(keys.access_key_id, keys.secret_access_key, keys.session_token or None)
    else:
        own = session.get_credentials()
    if own is None or not keys.role_arn:
        return own
    _check_role_server(keys, settings)
    return _assumed(session, own, keys, settings)


def _check_role_server(keys: KeySettings, settings: AwsSettings) -> None:
    """Refuses to hand the keys of a server of one's own to Amazon's token service."""
    foreign = settings.endpoint and not is_amazon(settings.endpoint)
    if keys.access_key_id and foreign and not any(os.environ.get(name) for name in _STS):
        raise AwsSettingError(
            f"ROLE_ARN: the keys of {settings.endpoint} would be sent to Amazon; set "
            "AWS_ENDPOINT_URL_STS to the server that hands out the role"
        )


def _assumed(session: Any, own: Any, keys: KeySettings, settings: AwsSettings) -> Any:
    """The role's credentials, which are fetched again before they expire."""
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

    def client(service: str, **options: Any) -> Any:
        region = settings.region or session.get_config_variable("region") or _REGION
        return session.create_client(service, region_name=region, **options)

    extra = {"RoleSessionName": _SESSION_NAME}
    if keys.external_id:
        extra["ExternalId"] = keys.external_id
    fetcher = AssumeRoleCredentialFetcher(client, own, keys.role_arn, extra_args=extra)
    return DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
