"""What the Secret of a data cache holds: a TLS pair for its names, its CA, and a token.

In: the cache's name and namespace, and the time. Out: the Secret's data. Compiler and controller
must mint the same.
"""

from __future__ import annotations

from datetime import datetime

from trainc.kube.keys import tls_pair, token
from trainc.names import (
    CA_KEY,
    CACHE_CERT_KEY,
    CACHE_PRIVATE_KEY,
    CACHE_SERVICE_SUFFIX,
    CACHE_SUFFIX,
    CACHE_TOKEN_KEY,
)


def cache_auth(name: str, namespace: str, now: datetime) -> dict[str, str]:
    """Fresh certificate, key, CA and token of the cache whose objects are called after ``name``."""
    pair = tls_pair(cache_hosts(name, namespace), now)
    return {
        CA_KEY: pair.ca,
        CACHE_CERT_KEY: pair.certificate,
        CACHE_PRIVATE_KEY: pair.key,
        CACHE_TOKEN_KEY: token(),
    }


def cache_hosts(name: str, namespace: str) -> list[str]:
    """The cache's head by its Service, and each of its pods by the group's subdomain."""
    ends = ("", f".{namespace}", f".{namespace}.svc")
    hosts = (name + CACHE_SERVICE_SUFFIX, f"*.{name}{CACHE_SUFFIX}")
    return [f"{host}{end}" for host in hosts for end in ends]
