"""Where S3 is and how it is asked, read as every tool of Amazon's reads it.

In: our own variables (``ENDPOINT``, ``REGION``, ...), then Amazon's (``AWS_ENDPOINT_URL_S3``, ...),
then the profile of ``~/.aws/config`` and ``~/.aws/credentials``. Out: ``AwsSettings``. The order
and the names are those of the AWS SDKs and Tools Reference Guide ("Service-specific endpoints",
"General configuration"). ``botocore``, which takes a third of a second to import, reads the files
and is imported only where there are any.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

# Our own variables, beside those of ``credentials.KeySettings``.
VARIABLES: Final = ("ANONYMOUS", "ENDPOINT", "PATH_STYLE", "REGION", "REQUESTER_PAYS")
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})
_STYLES: Final = frozenset({"", "auto", "path", "virtual"})
# The variable that names a file -> where it is otherwise.
_FILES: Final = {
    "AWS_CONFIG_FILE": "~/.aws/config",
    "AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials",
}
# Partitions by the beginning of their regions' names, from botocore's partitions.json.
_DOMAINS: Final = {
    "cn-": "amazonaws.com.cn",
    "eu-isoe-": "cloud.adc-e.uk",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
}


class AwsSettingError(ValueError):
    """A variable or a profile that cannot be used; the text names it and says what to write."""


@dataclass(frozen=True)
class AwsSettings:
    """How S3 is reached.

    Attributes:
        endpoint: URL of the server without a slash at its end; empty is Amazon's own.
        endpoint_from: The variable or the profile that says so; empty with ``endpoint``.
        region: Empty where nothing says it: ask the server.
        addressing_style: ``path``, ``virtual`` or empty (where the bucket stands is not said).
        requester_pays: Whether the reader pays, and has to say so in each request.
        fips: Whether Amazon's FIPS endpoints are used.
        dualstack: Whether Amazon's endpoints for IPv4 and IPv6 are used.
    """

    endpoint: str = ""
    endpoint_from: str = ""
    region: str = ""
    addressing_style: str = ""
    requester_pays: bool = False
    fips: bool = False
    dualstack: bool = False

    @property
    def bucket_in_path(self) -> bool:
        """Whether the bucket is in the URL's path and not in its host.

        A server of one's own seldom has a name for each bucket; Amazon's has.
        """
        if self.addressing_style in ("path", "virtual"):
            return self.addressing_style == "path"
        return bool(self.endpoint) and not is_amazon(self.endpoint)

    def server(self, region: str) -> str:
        """The URL of S3 without a bucket, in ``region`` where it is Amazon's own."""
        if self.endpoint:
            return self.endpoint
        host = "s3-fips" if self.fips else "s3"
        if self.dualstack:
            host = f"{host}.dualstack"
        return f"https://{host}.{region}.{domain(region)}"


def domain(region: str) -> str:
    """The domain of a region's partition (``partitions.json`` of botocore)."""
    return next((d for start, d in _DOMAINS.items() if region.startswith(start)), "amazonaws.com")


def is_amazon(endpoint: str) -> bool:
    """Whether a URL is one of Amazon's own: keys of another server must not be sent there."""
    host = (urlsplit(endpoint).hostname or "").rstrip(".")
    return any(host.endswith(f".{each}") for each in ("amazonaws.com", *_DOMAINS.values()))


def aws_settings(environ: Mapping[str, str] = os.environ) -> AwsSettings:
    """What the environment and the profile say of S3.

    Args:
        environ: Where variables are looked up. Files are those that the process's own environment
            names (``AWS_CONFIG_FILE``, ``AWS_PROFILE``), since ``botocore`` reads them.

    Raises:
        AwsSettingError: A value that cannot be used, or a profile that is not there.
    """
    profile = _profile(environ)
    endpoint, source = _endpoint(environ, profile)
    return AwsSettings(
        endpoint=_url(source, endpoint),
        endpoint_from=source,
        region=_first(environ, "REGION", "AWS_REGION", "AWS_DEFAULT_REGION") or profile.region,
        addressing_style=_style(environ, profile),
        requester_pays=_requester_pays(environ),
        fips=_switch(environ, "AWS_USE_FIPS_ENDPOINT", profile.fips),
        dualstack=_switch(environ, "AWS_USE_DUALSTACK_ENDPOINT", profile.dualstack),
    )


@dataclass(frozen=True)
class _Profile:
    """What a profile says; everything is empty where there is none."""

    name: str = ""
    s3_endpoint: str = ""
    endpoint: str = ""
    region: str = ""
    style: str = ""
    ignore_endpoints: bool = False
    fips: bool = False
    dualstack: bool = False


def _profile(environ: Mapping[str, str]) -> _Profile:
    """The profile that applies, by ``botocore``."""
    if not _needs_profile(environ):
        return _Profile()
    import botocore.session

    with _readable():
        session = botocore.session.Session()
        scoped: Mapping[str, Any] = session.get_scoped_config()
        services = session.full_config.get("services", {})
    name = session.profile or "default"
    wanted = scoped.get("services")
    if wanted and wanted not in services:
        raise AwsSettingError(f"AWS profile {name!r}: there is no [services {wanted}]")
    s3 = _section(scoped.get("s3"))
    return _Profile(
        name=name,
        s3_endpoint=_section(_section(services.get(wanted)).get("s3")).get("endpoint_url", ""),
        endpoint=scoped.get("endpoint_url", ""),
        region=scoped.get("region", ""),
        style=s3.get("addressing_style", ""),
        ignore_endpoints=_boolean(scoped.get("ignore_configured_endpoint_urls", "")),
        fips=_boolean(scoped.get("use_fips_endpoint", "")),
        dualstack=_boolean(
            scoped.get("use_dualstack_endpoint", s3.get("use_dualstack_endpoint", ""))
        ),
    )


def _needs_profile(environ: Mapping[str, str]) -> bool:
    """Whether a profile could say anything that the variables leave open."""
    if environ.get("ENDPOINT") and environ.get("REGION") and environ.get("ACCESS_KEY_ID"):
        return False
    if os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE"):
        return True
    paths = (os.environ.get(name) or place for name, place in _FILES.items())
    return any(Path(path).expanduser().is_file() for path in paths)


@contextmanager
def _readable() -> Iterator[None]:
    from botocore.exceptions import BotoCoreError

    try:
        yield
    except (BotoCoreError, UnicodeError, OSError) as error:
        raise AwsSettingError(f"AWS profile: {error}") from error


def _endpoint(environ: Mapping[str, str], profile: _Profile) -> tuple[str, str]:
    """The endpoint, and what says so: the service's own first, variables before files."""
    if environ.get("ENDPOINT", "").strip():
        return environ["ENDPOINT"].strip(), "ENDPOINT"
    if _switch(environ, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", profile.ignore_endpoints):
        return "", ""
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"):
        if environ.get(name, "").strip():
            return environ[name].strip(), name
    for endpoint in (profile.s3_endpoint, profile.endpoint):
        if endpoint:
            return endpoint, f"endpoint_url of the AWS profile {profile.name!r}"
    return "", ""


def _url(source: str, text: str) -> str:
    """An endpoint's URL.

    Raises:
        AwsSettingError: No request could be sent there.
    """
    try:
        parts = urlsplit(text)
        named = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        usable = bool(named) and not {"?", "#", " "} & set(text) and text.isprintable()
    except ValueError:  # brackets, or a port that is no number
        usable = False
    if text and not usable:
        raise AwsSettingError(f"{source} {text!r} is not of the form http(s)://host[:port]")
    if "@" in urlsplit(text).netloc:
        raise AwsSettingError(f"{source} holds a user: keys belong in ACCESS_KEY_ID and so on")
    return text.rstrip("/")


def _style(environ: Mapping[str, str], profile: _Profile) -> str:
    """Where the bucket's name stands, as far as anything says it."""
    text = environ.get("PATH_STYLE", "").strip()
    if text:
        return "path" if _as_boolean("PATH_STYLE", text) else "virtual"
    if profile.style not in _STYLES:
        raise AwsSettingError(
            f"AWS profile {profile.name!r}: addressing_style {profile.style!r} is none of "
            "auto, path, virtual"
        )
    return profile.style.replace("auto", "")


def _requester_pays(environ: Mapping[str, str]) -> bool:
    """Whether the reader pays: our setting, or the variable of GDAL and object_store."""
    text = environ.get("REQUESTER_PAYS", "").strip()
    if text:
        return _as_boolean("REQUESTER_PAYS", text)
    text = environ.get("AWS_REQUEST_PAYER", "").strip()
    return text.lower() == "requester" or bool(text and _as_boolean("AWS_REQUEST_PAYER", text))


def _switch(environ: Mapping[str, str], name: str, otherwise: bool) -> bool:
    text = environ.get(name, "").strip()
    return _as_boolean(name, text) if text else otherwise


def _as_boolean(name: str, text: str) -> bool:
    if text.lower() in _TRUE or text.lower() in _FALSE:
        return text.lower() in _TRUE
    raise AwsSettingError(f"{name} must be true or false, got {text!r}")


def _boolean(text: str) -> bool:
    """A switch of a profile, as botocore reads it: what is not true is false."""
    return str(text).lower() in _TRUE


def _section(value: object) -> Mapping[str, Any]:
    """A nested section of a profile; a text in its place is none."""
    return value if isinstance(value, dict) else {}


def _first(environ: Mapping[str, str], *names: str) -> str:
    return next((environ[name].strip() for name in names if environ.get(name, "").strip()), "")
