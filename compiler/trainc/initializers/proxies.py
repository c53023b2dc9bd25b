"""The environment's proxies, read alike for every library: networks in ``NO_PROXY`` too.

In: a host, or a URL. Out: whether it is asked straight, and what messages say where it is not.
Python's own reading of ``NO_PROXY`` knows names alone; Go's tools, curl and requests take networks.
"""

from __future__ import annotations

import ipaddress
import re
import urllib.request
from typing import Final
from urllib.parse import urlsplit

_PORT: Final = re.compile(r"(?<![:\da-f]):\d*$|(?<=[\]\d]):\d*$")


def is_direct(netloc: str) -> bool:
    """Whether a server (``host`` or ``host:port``) is asked without a proxy."""
    netloc = netloc.rpartition("@")[2]
    return bool(urllib.request.proxy_bypass(netloc)) or in_excepted_network(netloc)


def in_excepted_network(netloc: str) -> bool:
    """Whether the host is an address in one of the networks of ``NO_PROXY``."""
    host = _PORT.sub("", netloc.rpartition("@")[2]).strip("[]")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    excepted = urllib.request.getproxies().get("no", "")
    return any(_holds(entry.strip(), address) for entry in excepted.split(",") if "/" in entry)


def _holds(entry: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return address in ipaddress.ip_network(entry, strict=False)
    except ValueError:  # a path, or a typo: other tools pass over it too
        return False


def by_proxy(url: str) -> str:
    """The end of a server's name in messages: by which proxy it is asked, empty for none."""
    try:
        parts = urlsplit(url)
        if is_direct(parts.netloc):
            return ""
        proxies = urllib.request.getproxies()
        proxy = proxies.get(parts.scheme) or proxies.get("all") or ""
    except ValueError:
        return ""
    server = proxy.rpartition("://")[2].rpartition("@")[2].rstrip("/")
    return server and f", by the environment's proxy {server}"


class Proxies(urllib.request.ProxyHandler):
    """The environment's proxies for ``urllib``."""

    def proxy_open(self, req: urllib.request.Request, proxy: str, type: str) -> object | None:
        """Asks the proxy, except for what ``NO_PROXY`` has the network of."""
        if in_excepted_network(req.host):
            return None
        opened: object | None = super().proxy_open(req, proxy, type)
        return opened
