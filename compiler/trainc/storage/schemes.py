"""The schemes of object stores: their other names, and the forms of Azure's URIs.

In: a scheme, or what stands between ``://`` and the path. Out: the scheme that the programs serve,
and what the other name said besides. The names are those of Hadoop's and of the clouds' own tools.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from trainc.names import SCHEME_ALIASES

_PUBLIC: Final = "core.windows.net"  # Azure's own cloud: no endpoint has to be set for it
_SERVICES: Final = frozenset({"blob", "dfs"})
# What people write for a scheme that is spelled nothing like it.
_MISNOMERS: Final = {
    "adl": "abfss",
    "azblob": "az",
    "google": "gs",
    "hub": "hf",
    "minio": "s3",
    "oss": "s3",
    "r2": "s3",
    "wandb": "https",
}


@dataclass(frozen=True)
class AzurePlace:
    """What the host of an Azure URI names.

    Attributes:
        container: The container (a file system, in words of Data Lake).
        account: The storage account; empty where the URI does not name it.
        suffix: The cloud's domain, ``core.windows.net`` for instance; empty with no account.
    """

    container: str
    account: str = ""
    suffix: str = ""

    @property
    def endpoint(self) -> str:
        """The account's Blob URL where it is not in Azure's own cloud, else empty."""
        if not self.account or self.suffix == _PUBLIC:
            return ""
        return f"https://{self.account}.blob.{self.suffix}"


def canonical(scheme: str) -> str:
    """The scheme behind its other names: ``s3a`` is ``s3``; others are returned as they are."""
    scheme = scheme.lower()
    return SCHEME_ALIASES.get(scheme, scheme)


def azure_place(host: str) -> AzurePlace:
    """The container, and the account where the host is ``CONTAINER@ACCOUNT[.SERVICE.SUFFIX]``.

    Raises:
        ValueError: ``CONTAINER@`` without an account.
    """
    container, at, server = host.partition("@")
    if not at:
        return AzurePlace(container)
    account, _, domain = server.partition(".")
    if not account:
        raise ValueError(f"{host!r} names no account after @: CONTAINER@ACCOUNT")
    service, _, suffix = domain.partition(".")
    if domain and service not in _SERVICES:
        suffix = domain
    return AzurePlace(container, account, suffix or _PUBLIC)


def suggestion(scheme: str, schemes: Iterable[str]) -> str:
    """The scheme that was probably meant; empty where nothing comes close."""
    schemes = list(schemes)
    meant = _MISNOMERS.get(scheme.lower(), "")
    close = [meant] if meant in schemes else difflib.get_close_matches(scheme, schemes, 1, 0.6)
    return close[0] if close else ""
