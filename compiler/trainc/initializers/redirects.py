"""Where a redirect of a web server may lead: nowhere that the first address could not have meant.

In: the URL that was asked for, and the one a server sends on to. Out: nothing, or the reason why it
is not followed. A server on the internet must not be able to make a pod ask its cluster's own
services, or the address that hands out the node's credentials.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final
from urllib.parse import urlsplit

from trainc.initializers.failure import ConfigurationError, PermissionDeniedError, TransientError
from trainc.initializers.proxies import by_proxy

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_SETTING: Final = "ALLOW_REDIRECTS_TO"
# Addresses and names of clouds' metadata services, beside all that are link-local: EC2's by IPv6,
# Alibaba's, Azure's wire server, Oracle's.
_METADATA: Final = frozenset({"fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"})
_METADATA_NAMES: Final = frozenset({"metadata", "metadata.google.internal", "instance-data"})
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_PUBLIC: Final = "public"
_PRIVATE: Final = "private"
_LOOPBACK: Final = "loopback"
_METADATA_KIND: Final = "link-local or metadata"


def check_redirect(first: str, to: str, allowed: Sequence[str]) -> None:
    """Makes sure that a redirect may be followed.

    Args:
        first: The URL that the settings name.
        to: The URL that a server sends on to.
        allowed: ``ALLOW_REDIRECTS_TO``: hosts, patterns of hosts, and networks.

    Raises:
        PermissionDeniedError: it leads where it must not.
        ConfigurationError: a scheme, or a host, that no request can be made of.
        TransientError: the host's name cannot be looked up now.
    """
    host, source = _host(to), _host(first)
    if host == source or _is_allowed(host, allowed):
        return
    kinds, own = _kinds(host), _kinds(source) or {_PUBLIC}
    hint = f"; {_SETTING}={host} would allow it"
    if host in _METADATA_NAMES or _METADATA_KIND in kinds:
        raise PermissionDeniedError(
            f"{first} redirects to {host}, a {_METADATA_KIND} address{hint}"
        )
    # Who asks this machine itself may be sent on into its own network, but not the reverse.
    good = own | ({_PRIVATE} if _LOOPBACK in own else set())
    if not kinds <= good:
        raise PermissionDeniedError(
            f"{first} redirects to {host}: a {'/'.join(sorted(kinds))} address, where the first is "
            f"{'/'.join(sorted(own))}{hint}"
        )


def _host(url: str) -> str:
    """The host of a URL of the web, in lower case and without a dot at its end."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("no URL of the web")
        return parts.hostname.rstrip(".")
    except ValueError as error:
        raise ConfigurationError(f"a redirect to {url!r}: {error}") from error


def _is_allowed(host: str, allowed: Sequence[str]) -> bool:
    """Whether the setting names the host, or a network that all its addresses are in."""
    if any(fnmatchcase(host, entry.lower()) for entry in allowed):
        return True
    networks = [network for entry in allowed if (network := _network(entry))]
    addresses = _addresses(host) if networks else []
    return bool(addresses) and all(
        any(address in network for network in networks) for address in addresses
    )


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _kinds(host: str) -> set[str]:
    """What a host's addresses are; nothing where it has none here: a proxy may know it."""
    return {_kind(address) for address in _addresses(host)}


def _addresses(host: str) -> list[Address]:
    """The addresses of a host; none where it has no name here."""
    try:
        found = socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as error:
        again = getattr(error, "errno", 0) == socket.EAI_AGAIN
        if again and not by_proxy(f"https://{host}"):  # the request itself may be luckier
            raise TransientError(f"a redirect to {host}: {error}") from error
        return []
    texts = {str(each[4][0]).partition("%")[0] for each in found}
    return [ipaddress.ip_address(text) for text in sorted(texts)]


def _kind(address: Address) -> str:
    """What an address is, looked at through the ways IPv6 has of writing one of IPv4."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        address = inner or address
    if address.is_link_local or str(address) in _METADATA:
        return _METADATA_KIND
    if address.is_loopback or address.is_unspecified:
        return _LOOPBACK
    return _PUBLIC if address.is_global else _PRIVATE
