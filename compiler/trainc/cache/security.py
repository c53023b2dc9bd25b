"""TLS and a token: who may speak to the cache, and where it may listen.

In: paths of PEM files and of a token. Out: arguments of a Flight server, and Flight clients. The
token file is read at every call, so that a rotated Secret needs no restart.
"""

import hmac
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pyarrow import flight

from trainc import codes, names
from trainc.errors import Problem, TraincError

_BEARER: Final = "Bearer "
# Flight's own default is 4 MiB on neither side; a row may be larger than a batch should be.
_OPTIONS: Final = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


@dataclass(frozen=True)
class Security:
    """Paths of certificate, private key, CA and token; None for what is not used."""

    cert: Path | None = None
    key: Path | None = None
    ca: Path | None = None
    token: Path | None = None

    @property
    def scheme(self) -> str:
        """Scheme of the addresses that are handed out."""
        return "grpc+tls" if self.cert else "grpc"

    def check_listening(self, host: str, insecure: bool) -> None:
        """See that nothing listens without TLS and token where others can reach it.

        Raises:
            TraincError: ``host`` is not the loopback, one of the two is missing, and nobody asked
                for it.
        """
        if insecure or _is_loopback(host) or (self.cert and self.key and self.token):
            return
        message = f"will not listen on {host} without TLS and a token"
        hint = (
            f"set {names.CACHE_CERT_ENV}, {names.CACHE_PRIVATE_KEY_ENV} and "
            f"{names.CACHE_TOKEN_ENV}, or {names.CACHE_INSECURE_ENV}=true"
        )
        raise TraincError([Problem(message, codes.CACHE_SERVER, hint=hint)])

    def server_arguments(self) -> dict[str, Any]:
        """What a Flight server is constructed with.

        Raises:
            OSError: A file is not readable.
        """
        arguments: dict[str, Any] = {}
        if self.cert and self.key:
            arguments["tls_certificates"] = [(self.cert.read_bytes(), self.key.read_bytes())]
        if self.token:
            arguments["middleware"] = {"token": _TokenFactory(self.token)}
        return arguments

    def connect(self, address: str) -> flight.FlightClient:
        """A client of ``grpc://`` or ``grpc+tls://``; connects at its first call."""
        root = {"tls_root_certs": self.ca.read_bytes()} if self.ca else {}
        return flight.FlightClient(address, generic_options=_OPTIONS, **root)

    def call(self, timeout: float | None = None) -> flight.FlightCallOptions:
        """Options of one call: the token, and seconds until it is given up."""
        headers = []
        if self.token:
            headers.append((b"authorization", f"{_BEARER}{read_token(self.token)}".encode()))
        return flight.FlightCallOptions(timeout=timeout, headers=headers)


def read_token(path: Path) -> str:
    """The token in a file, without the line's end.

    Raises:
        OSError: The file is not readable.
    """
    return path.read_text().strip()


class _TokenFactory(flight.ServerMiddlewareFactory):
    """Refuses a call that does not bring the token."""

    def __init__(self, path: Path) -> None:
        """Compares with the token in a file."""
        super().__init__()
        self._path = path

    def start_call(self, info: Any, headers: dict[str, list[str]]) -> None:
        """Let a call in.

        Raises:
            flight.FlightUnauthenticatedError: No token, or another.
        """
        given = headers.get("authorization", [""])[0].removeprefix(_BEARER)
        if not hmac.compare_digest(given.encode(), read_token(self._path).encode()):
            raise flight.FlightUnauthenticatedError("this cache asks for its token")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
