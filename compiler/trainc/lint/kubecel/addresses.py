"""Kubernetes' ``ip()``, ``cidr()`` and ``url()``."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Final
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

from celpy.celtypes import BoolType, IntType, ListType, MapType, StringType

from trainc.lint.kubecel.overload import Overloads, Refusal

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Interface | ipaddress.IPv6Interface


class IPType:
    """An address."""

    __slots__ = ("address",)
    __hash__ = None  # type: ignore[assignment]  # no key of a map

    def __init__(self, address: _Address) -> None:
        """Takes the address."""
        self.address = address

    def __eq__(self, other: object) -> Any:
        """Whether both are the same address."""
        return BoolType(isinstance(other, IPType) and self.address == other.address)


class CIDRType:
    """A network, with the address that it was written by."""

    __slots__ = ("interface",)
    __hash__ = None  # type: ignore[assignment]  # no key of a map

    def __init__(self, interface: _Network) -> None:
        """Takes address and prefix."""
        self.interface = interface

    def __eq__(self, other: object) -> Any:
        """Whether both have the same address and prefix."""
        return BoolType(isinstance(other, CIDRType) and self.interface == other.interface)


class URLType:
    """An absolute URL, or an absolute path."""

    __slots__ = ("parts", "text")
    __hash__ = None  # type: ignore[assignment]  # no key of a map

    def __init__(self, text: str, parts: SplitResult) -> None:
        """Takes the text and its parts."""
        self.text, self.parts = text, parts

    def __eq__(self, other: object) -> Any:
        """Whether both are written alike."""
        return BoolType(isinstance(other, URLType) and self.text == other.text)


def _ip(text: str) -> IPType:
    try:
        address = ipaddress.ip_address(str(text))
    except ValueError:
        raise Refusal(f"{str(text)!r} is no IP address") from None
    if isinstance(address, ipaddress.IPv6Address) and (address.ipv4_mapped or address.scope_id):
        raise Refusal(f"{str(text)!r} is mapped from IPv4, or has a zone")
    return IPType(address)


def _cidr(text: str) -> CIDRType:
    address, slash, prefix = str(text).partition("/")
    if not slash or not re.fullmatch(r"0|[1-9]\d{0,2}", prefix):
        raise Refusal(f"{str(text)!r} is no network")
    _ip(address)
    try:
        return CIDRType(ipaddress.ip_interface(str(text)))
    except ValueError:
        raise Refusal(f"{str(text)!r} is no network") from None


def _contains_ip(one: CIDRType, other: Any) -> BoolType:
    address = (other if isinstance(other, IPType) else _ip(other)).address
    network = one.interface.network
    return BoolType(address.version == network.version and address in network)


def _contains_cidr(one: CIDRType, other: Any) -> BoolType:
    network = (other if isinstance(other, CIDRType) else _cidr(other)).interface.network
    own = one.interface.network
    if isinstance(own, ipaddress.IPv4Network) and isinstance(network, ipaddress.IPv4Network):
        return BoolType(network.subnet_of(own))
    if isinstance(own, ipaddress.IPv6Network) and isinstance(network, ipaddress.IPv6Network):
        return BoolType(network.subnet_of(own))
    return BoolType(False)


def _masked(one: CIDRType) -> CIDRType:
    return CIDRType(ipaddress.ip_interface(str(one.interface.network)))


def _is_global(one: IPType) -> BoolType:
    """As Go has it: not unspecified, loopback, multicast, link-local or the broadcast address."""
    address = one.address
    local = address.is_unspecified or address.is_loopback or address.is_multicast
    broadcast = str(address) == "255.255.255.255"
    return BoolType(not (local or address.is_link_local or broadcast))


def _is_link_local_multicast(one: IPType) -> BoolType:
    network = "224.0.0.0/24" if one.address.version == 4 else "ff02::/16"
    local = one.address in ipaddress.ip_network(network)
    if one.address.version == 6:  # ff02, ff12, ff22: the flags do not matter
        local = one.address.packed[0] == 0xFF and one.address.packed[1] & 0x0F == 0x02
    return BoolType(local)


_HOST: Final = re.compile(r"[^\s\"#%/<>?@\[\\\]^`{|}]*|\[[0-9a-fA-F:.]+\]")
_ESCAPE: Final = re.compile(r"%(?![0-9a-fA-F]{2})")


def _url(text: str) -> URLType:
    """As Go's ``url.ParseRequestURI`` takes it: with a scheme, or a path from the root."""
    raw = str(text)
    refusal = Refusal(f"{raw!r} is no absolute URL")
    if not raw or any(ord(c) < 0x20 or ord(c) == 0x7F for c in raw):
        raise refusal
    scheme = re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", raw)
    rest = raw[scheme.end() :] if scheme else raw
    if raw.startswith(":") or (not rest.startswith("/") and not (scheme and rest)):
        raise refusal
    if not scheme and not raw.startswith("/"):
        raise refusal
    if scheme and not rest.startswith("/"):
        return URLType(raw, SplitResult(scheme[0][:-1].lower(), "", "", *_query(rest)))
    try:
        parts = urlsplit(raw if scheme else f"x:{raw}")
        host = parts.netloc.rpartition("@")[2]
        name, colon, port = _split_port(host)
    except ValueError:
        raise refusal from None
    if not _HOST.fullmatch(name) or (colon and not re.fullmatch(r"\d*", port)):
        raise refusal
    if _ESCAPE.search(parts.path) or (" " in parts.netloc):
        raise refusal
    return URLType(raw, parts if scheme else parts._replace(scheme=""))


def _query(rest: str) -> tuple[str, str]:
    return "", rest.partition("#")[2]


def _split_port(host: str) -> tuple[str, str, str]:
    if host.startswith("["):
        name, bracket, rest = host.partition("]")
        return f"{name}{bracket}", rest[:1], rest[1:]
    return host.partition(":")


def is_url(text: str) -> bool:
    """Whether a text is an absolute URL, or an absolute path."""
    return bool(_is(_url, text))


def _is(read: Any, text: str) -> BoolType:
    try:
        read(text)
    except Refusal:
        return BoolType(False)
    return BoolType(True)


def _host(one: URLType) -> str:
    return one.parts.netloc.rpartition("@")[2]


def _escaped_path(one: URLType) -> StringType:
    """The path with what no URL holds as it is in percents."""
    path = one.parts.path
    kept = "!$&'()*+,;=:@/[]~-._%"
    text = "".join(
        c if (c.isascii() and c.isalnum()) or c in kept
        else "".join(f"%{byte:02X}" for byte in c.encode())
        for c in path
    )  # fmt: skip
    return StringType(text)


def _get_query(one: URLType) -> MapType:
    out: dict[str, list[StringType]] = {}
    for pair in one.parts.query.split("&"):
        if not pair or ";" in pair:
            continue
        key, _, value = pair.partition("=")
        if _ESCAPE.search(pair):
            continue
        out.setdefault(_plain(key), []).append(StringType(_plain(value)))
    return MapType({StringType(key): ListType(values) for key, values in out.items()})


def _plain(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ")).decode("utf-8", "replace")


def _text(one: Any) -> StringType:
    return StringType(str(one.address if isinstance(one, IPType) else one.interface))


METHODS: Final[dict[str, Overloads]] = {
    "family": {(IPType,): lambda one: IntType(one.address.version)},
    "isUnspecified": {(IPType,): lambda one: BoolType(one.address.is_unspecified)},
    "isLoopback": {(IPType,): lambda one: BoolType(one.address.is_loopback)},
    "isLinkLocalUnicast": {(IPType,): lambda one: BoolType(one.address.is_link_local)},
    "isLinkLocalMulticast": {(IPType,): _is_link_local_multicast},
    "isGlobalUnicast": {(IPType,): _is_global},
    "ip": {(CIDRType,): lambda one: IPType(one.interface.ip)},
    "prefixLength": {(CIDRType,): lambda one: IntType(one.interface.network.prefixlen)},
    "masked": {(CIDRType,): _masked},
    "containsIP": {(CIDRType, IPType): _contains_ip, (CIDRType, StringType): _contains_ip},
    "containsCIDR": {(CIDRType, CIDRType): _contains_cidr, (CIDRType, StringType): _contains_cidr},
    "getScheme": {(URLType,): lambda one: StringType(one.parts.scheme)},
    "getHost": {(URLType,): lambda one: StringType(_host(one))},
    "getHostname": {
        (URLType,): lambda one: StringType(_split_port(_host(one))[0].strip("[]")),
    },
    "getPort": {(URLType,): lambda one: StringType(_split_port(_host(one))[2])},
    "getEscapedPath": {(URLType,): _escaped_path},
    "getQuery": {(URLType,): _get_query},
}
FUNCTIONS: Final[dict[str, Overloads]] = {
    "ip": {(StringType,): _ip, (CIDRType,): lambda one: IPType(one.interface.ip)},
    "isIP": {(StringType,): lambda text: _is(_ip, text)},
    "cidr": {(StringType,): _cidr},
    "isCIDR": {(StringType,): lambda text: _is(_cidr, text)},
    "url": {(StringType,): _url},
    "isURL": {(StringType,): lambda text: _is(_url, text)},
    "string": {(IPType,): _text, (CIDRType,): _text},
}
NAMESPACED: Final[dict[str, Overloads]] = {
    "ip.isCanonical": {(StringType,): lambda text: BoolType(str(_ip(text).address) == text)},
}
