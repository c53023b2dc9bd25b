"""The forms of names: a text in, what is wrong with it out, empty where nothing is.

The forms are those of k8s.io/apimachinery/pkg/util/validation. Verdicts are remembered: the same
few names come back in every job of a build.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# Asked of the names of every job; the patterns below wait until they are needed.
_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LABEL_1035: Final = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN: Final = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_SEARCH: Final = r"_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*"
_QUALIFIED: Final = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_CONFIG_KEY: Final = r"[-._a-zA-Z0-9]+"
_PORT_NAME: Final = r"(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*"
_ENV: Final = r"[ -<>-~]+"
_URL_PATH: Final = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"
_HEADER: Final = r"[-A-Za-z0-9]+"
_SYSCTL: Final = r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"

_REMEMBERED: Final = 8192


@lru_cache(_REMEMBERED)
def dns_label(text: str) -> str:
    """RFC 1123 label: names of containers and volumes."""
    if not text:
        return "must be set"
    if len(text) > 63:
        return f"must be at most 63 characters long, has {len(text)}"
    if not _LABEL.fullmatch(text):
        return 'must be a-z, 0-9 and "-", and begin and end with a letter or digit'
    return ""


@lru_cache(_REMEMBERED)
def dns_1035_label(text: str) -> str:
    """RFC 1035 label: names that become a Service's or a host's."""
    if len(text) > 63:
        return f"must be at most 63 characters long, has {len(text)}"
    if not _LABEL_1035.fullmatch(text):
        return 'must be a-z, 0-9 and "-", begin with a letter and end with a letter or digit'
    return ""


@lru_cache(_REMEMBERED)
def dns_subdomain(text: str) -> str:
    """RFC 1123 subdomain: names of most objects."""
    if not text:
        return "must be set"
    if len(text) > 253:
        return f"must be at most 253 characters long, has {len(text)}"
    if not re.fullmatch(_SUBDOMAIN, text):
        return (
            'must be a-z, 0-9 and "-" in parts with dots between, each from letter or digit to such'
        )
    return ""


@lru_cache(_REMEMBERED)
def search_domain(text: str) -> str:
    """A DNS search path: a subdomain, underscores and a last dot allowed, or the dot alone."""
    bare = text.removesuffix(".")
    if text == ".":
        return ""
    if len(bare) > 253 or not re.fullmatch(_SEARCH, bare):
        return "must be a domain name of at most 253 characters"
    return ""


@lru_cache(_REMEMBERED)
def qualified_name(text: str) -> str:
    """Keys of labels and annotations, names of conditions, gates and resources."""
    prefix, slash, name = text.rpartition("/")
    if slash and (not prefix or dns_subdomain(prefix)):
        return 'must have a domain name before the "/" (such as example.com/name)'
    if not name:
        return "must be set"
    if len(name) > 63:
        return f"must be at most 63 characters long after the prefix, has {len(name)}"
    if not re.fullmatch(_QUALIFIED, name):
        return 'must be letters, digits, "-", "_" and ".", and begin and end with a letter or digit'
    return ""


@lru_cache(_REMEMBERED)
def label_value(text: str) -> str:
    """Values of labels; may be empty."""
    if not text:
        return ""
    if len(text) > 63:
        return f"must be at most 63 characters long, has {len(text)}"
    if not re.fullmatch(_QUALIFIED, text):
        return 'must be letters, digits, "-", "_" and ".", and begin and end with a letter or digit'
    return ""


@lru_cache(_REMEMBERED)
def env_name(text: str) -> str:
    """Names of environment variables: printable ASCII without "="."""
    if not text:
        return "must be set"
    return "" if re.fullmatch(_ENV, text) else 'must be printable ASCII without "="'


@lru_cache(_REMEMBERED)
def config_key(text: str) -> str:
    """Keys of ConfigMaps and Secrets."""
    if not text:
        return "must be set"
    if len(text) > 253 or text in (".", "..") or text.startswith(".."):
        return 'must be at most 253 characters, not "." and not begun with ".."'
    return "" if re.fullmatch(_CONFIG_KEY, text) else 'must be letters, digits, "-", "_" and "."'


@lru_cache(_REMEMBERED)
def port_name(text: str) -> str:
    """Names of ports (IANA_SVC_NAME)."""
    if len(text) > 15:
        return f"must be at most 15 characters long, has {len(text)}"
    if not re.fullmatch(_PORT_NAME, text):
        return 'must be a-z, 0-9 and single "-" between them, with at least one letter'
    return ""


@lru_cache(_REMEMBERED)
def domain_path(text: str) -> str:
    """A domain, a slash and a path: the form of ``managedBy``."""
    host, _, path = text.partition("/")
    if not host or not path or dns_subdomain(host) or not re.fullmatch(_URL_PATH, path):
        return "must be a domain and a path (such as example.com/name)"
    return ""


def header_name(text: str) -> str:
    """Names of HTTP headers."""
    return "" if re.fullmatch(_HEADER, text) else 'must be letters, digits and "-"'


def sysctl_name(text: str) -> str:
    """Names of kernel parameters, parted by dots or slashes."""
    if not text:
        return "must be set"
    if len(text) > 253 or not re.fullmatch(_SYSCTL, text):
        return "must be the name of a kernel parameter (such as net.core.somaxconn)"
    return ""


def ip(text: str) -> str:
    """Addresses, in the generous form of the old fields: zeros may lead in IPv4."""
    from ipaddress import ip_address  # few Pods name one, and it costs every start 1 ms

    parts = text.split(".")
    if len(parts) == 4 and all(part.isascii() and part.isdigit() for part in parts):
        text = ".".join(str(int(part)) for part in parts) if max(map(len, parts)) < 9 else ""
    try:
        ip_address(text)
    except ValueError:
        return "must be an IP address"
    return "must be an IP address without a zone" if "%" in text else ""


def relative_path(text: str) -> str:
    """A path below a volume: relative, without ``..``."""
    if text.startswith("/"):
        return "must be a relative path"
    return no_backsteps(text)


def file_path(text: str) -> str:
    """A path of a file that is put into a volume; names begun with ``..`` are reserved."""
    if not text:
        return "must be set"
    return relative_path(text) or ('must not begin with ".."' if text.startswith("..") else "")


def no_backsteps(text: str) -> str:
    """A path without ``..`` as one of its parts."""
    return 'must not hold ".."' if ".." in text and ".." in text.split("/") else ""
