"""Kubernetes' named formats: ``format.dns1123Label().validate(text)``, ``format.named(name)``."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from typing import Any, Final, NamedTuple

from celpy.celtypes import ListType, StringType

from trainc.kube.validation.forms import (
    dns_1035_label,
    dns_label,
    dns_subdomain,
    label_value,
    qualified_name,
)
from trainc.lint.kubecel.addresses import is_url
from trainc.lint.kubecel.optional import NONE, Optional
from trainc.lint.kubecel.overload import Overloads

_UUID: Final = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.I)
_DATETIME: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})t(\d{2}:\d{2}:\d{2})(?:\.\d+)?(?:z|[+-]\d{2}:\d{2})", re.IGNORECASE
)


class Format(NamedTuple):
    """A format: says why a text is not of it, empty where it is."""

    name: str
    refusal: Callable[[str], str]


def _prefix(check: Callable[[str], str], text: str) -> str:
    """A name's beginning, which may end with a dash."""
    return check(f"{text[:-1]}a" if text.endswith("-") else text)


def _uuid(text: str) -> str:
    return "" if _UUID.fullmatch(text) else "does not match the UUID format"


def _byte(text: str) -> str:
    if not text:
        return "invalid base64"
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return "invalid base64"
    return ""


def _date(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        return "invalid date"
    return "" if len(text) == 10 else "invalid date"


def _datetime(text: str) -> str:
    found = _DATETIME.fullmatch(text)
    try:
        if found is not None:
            datetime.fromisoformat(f"{found[1]}T{found[2]}")
            return ""
    except ValueError:
        pass
    return "invalid datetime"


def _uri(text: str) -> str:
    return "" if is_url(text) else "is no absolute URL"


_FORMATS: Final = {
    name: Format(name, refusal)
    for name, refusal in (
        ("dns1123Label", dns_label),
        ("dns1123Subdomain", dns_subdomain),
        ("dns1035Label", dns_1035_label),
        ("qualifiedName", qualified_name),
        ("dns1123LabelPrefix", partial(_prefix, dns_label)),
        ("dns1123SubdomainPrefix", partial(_prefix, dns_subdomain)),
        ("dns1035LabelPrefix", partial(_prefix, dns_1035_label)),
        ("labelValue", label_value),
        ("uri", _uri),
        ("uuid", _uuid),
        ("byte", _byte),
        ("date", _date),
        ("datetime", _datetime),
    )
}


def _named(name: str) -> Optional:
    found = _FORMATS.get(str(name))
    return NONE if found is None else Optional(found)


def _validate(one: Format, text: str) -> Optional:
    refusal = one.refusal(str(text))
    return Optional(ListType([StringType(refusal)])) if refusal else NONE


def _constant(one: Format) -> Callable[[], Any]:
    return lambda: one


METHODS: Final[dict[str, Overloads]] = {"validate": {(Format, StringType): _validate}}
NAMESPACED: Final[dict[str, Overloads]] = {
    "format.named": {(StringType,): _named},
    **{f"format.{name}": {(): _constant(one)} for name, one in _FORMATS.items()},
}
