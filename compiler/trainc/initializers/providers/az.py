"""``az://CONTAINER/PREFIX``: Azure Blob Storage.

In: ``ACCOUNT_NAME`` with ``ACCOUNT_KEY`` or ``SAS_TOKEN``, or what Azure's tools would find
(``AZURE_STORAGE_*``, ``AZURE_CLIENT_ID`` and so on, workload identity), ``ANONYMOUS``,
``ENDPOINT``. Out: a remote.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Final

from trainc.initializers.config import Config, server_url, settings
from trainc.initializers.failure import ConfigurationError
from trainc.initializers.objectstore import StoreRemote, client_options, no_retries, opening
from trainc.initializers.provider import Provider

# Azure's own names of the account; the library reads them.
_ACCOUNTS: Final = ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT")


@dataclass(frozen=True)
class Settings:
    """The environment of this scheme.

    Attributes:
        account_name: The storage account.
        account_key, sas_token: A key of the account, or a signature.
        endpoint: The account's URL, where it is not Azure's own.
        anonymous: Sign nothing.
    """

    account_name: str = ""
    account_key: str = ""
    sas_token: str = ""
    endpoint: str = ""
    anonymous: bool = False


def remote(config: Config) -> StoreRemote:
    """What the URI names."""
    from obstore.store import AzureStore

    container = config.uri.host
    given = settings(Settings, config.environ)
    _check(container, given)
    options = client_options(given.endpoint, config.read_timeout_seconds)
    with opening(f"az://{container}"):
        store = AzureStore(
            container, client_options=options, retry_config=no_retries(), **_keys(given)
        )
    return StoreRemote(lambda: store, config.uri.path, f"az://{container}", config.verify_etag)


def _check(container: str, given: Settings) -> None:
    server_url("ENDPOINT", given.endpoint)
    if not container:
        raise ConfigurationError("the URI names no container: az://CONTAINER/PREFIX")
    if not given.account_name and not any(os.environ.get(name) for name in _ACCOUNTS):
        raise ConfigurationError("ACCOUNT_NAME is not set: the storage account of az://")


def _keys(given: Settings) -> dict[str, Any]:
    keys: dict[str, Any] = {
        "account_name": given.account_name,
        "account_key": given.account_key,
        "sas_key": given.sas_token,
        "endpoint": given.endpoint,
        "skip_signature": given.anonymous,
    }
    return {name: value for name, value in keys.items() if value}


PROVIDER: Final = Provider(
    schemes=("az",),
    dataset=remote,
    model=remote,
    identity=("ENDPOINT", "ACCOUNT_NAME", *_ACCOUNTS),
    needs=("obstore",),
)
