"""``az://CONTAINER/PREFIX``: Azure Blob Storage.

In: ``ACCOUNT_NAME`` with ``ACCOUNT_KEY`` or ``SAS_TOKEN``, or what Azure's tools would find
(``AZURE_STORAGE_*``, ``AZURE_CLIENT_ID`` and so on, workload identity), ``ANONYMOUS``,
``ENDPOINT``. Out: a remote.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any, Final

from trainc.initializers.config import Config, server_url, settings
from trainc.initializers.failure import ConfigurationError
from trainc.initializers.objectstore import StoreRemote, client_options, no_retries, opening
from trainc.initializers.provider import Provider
from trainc.storage.schemes import AzurePlace, azure_place

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

    given = settings(Settings, config.environ)
    server_url("ENDPOINT", given.endpoint)
    place = azure_place(config.uri.host)
    given = _of_place(given, place)
    container = place.container
    _check(container, given)
    options = client_options(given.endpoint, config.read_timeout_seconds)
    with opening(f"az://{container}"):
        store = AzureStore(
            container, client_options=options, retry_config=no_retries(), **_keys(given)
        )
    return StoreRemote(lambda: store, config.uri.path, f"az://{container}", config.verify_etag)


def _of_place(given: Settings, place: AzurePlace) -> Settings:
    """The settings with the account that the URI names, which must not be another one.

    Raises:
        ConfigurationError: The keys are of another account than the URI's.
    """
    if not place.account:
        return given
    if given.account_name not in ("", place.account):
        raise ConfigurationError(
            f"the URI names the account {place.account!r}, ACCOUNT_NAME {given.account_name!r}"
        )
    return replace(given, account_name=place.account, endpoint=given.endpoint or place.endpoint)


def _check(container: str, given: Settings) -> None:
    if not container:
        raise ConfigurationError("the URI names no container: az://CONTAINER/PREFIX")
    if not given.account_name and not any(os.environ.get(name) for name in _ACCOUNTS):
        raise ConfigurationError(
            "ACCOUNT_NAME is not set: the storage account (or write abfss://CONTAINER@ACCOUNT"
            ".dfs.core.windows.net/PATH)"
        )


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
    schemes=("az", "azure", "abfs", "abfss", "wasb", "wasbs"),
    dataset=remote,
    model=remote,
    identity=("ENDPOINT", "ACCOUNT_NAME", *_ACCOUNTS),
    needs=("obstore",),
)
