"""Nothing secret is ever printed, whoever prints: the program, a library, a traceback.

In: text on its way out. Out: the same with every known secret, and what looks like one, replaced.
The streams themselves are wrapped, so no logger has to be trusted, at no level.
"""

from __future__ import annotations

import base64
import io
import json
import re
import sys
import threading
from collections.abc import Iterable, Mapping
from typing import Final, TextIO
from urllib.parse import quote, quote_plus, unquote

_MASK: Final = "[redacted]"
_SHORTEST: Final = 4  # characters: less would blank ordinary text and hide nothing

_SWITCHES: Final = frozenset({"true", "false"})

# Environment variables that hold secrets, by their names: ours and the libraries' own.
_SECRET_NAME: Final = re.compile(
    r"(TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|ACCESS_KEY|ACCOUNT_KEY|API_KEY|"
    r"PRIVATE_KEY|SAS|_KEY|CONNECTION_STRING|COOKIE|BEARER|JWT|_AUTH$|_PASS$)"
)
# ... and those whose value only says where the secret is, or is a switch.
_PLACE_NAME: Final = re.compile(
    r"(_FILE|_PATH|_DIR|_URI|_URL|_TTL|_TYPE|KUBEFLOW_TRAINER_SERVER_.*)$|^TOKENIZERS_"
)

# What is secret by its name, wherever it stands: of a query, a field, a header, an element.
_NAME: Final = (
    r"[\w.-]*(?:token|secret|passw(?:or)?d|passphrase|signature|credential|cookie|"
    r"(?:api|private|account|access)[-_]?key(?!id))[\w.-]*|sig"
)
_USERINFO: Final = re.compile(
    r"(?i)(?:(?<=http://)|(?<=https://)|(?<=://)(?=[^/?#\s@:'\"]*:))[^/?#\s'\"<>]+(?=@)"
)
_PLACES: Final = (
    (_USERINFO, _MASK),
    (re.compile(rf"(?i)((?<![\w.-])(?:{_NAME})(?:=|%3D))[^&\s'\"<>]+"), rf"\1{_MASK}"),
    (
        re.compile(r"(?i)((?:[?&;]|%3F|%26)(?:key|auth|code|pwd|pass)(?:=|%3D))[^&\s'\"<>]+"),
        rf"\1{_MASK}",
    ),
    # {"name": "value"}, as JSON and as Python write it; (b"name", b"value"), as headers are logged.
    (
        re.compile(rf"(?i)(['\"](?:{_NAME})\\?['\"]\s*[:,]\s*b?\\?['\"])[^'\"\\]+"),
        rf"\1{_MASK}",
    ),
    (re.compile(rf"(?i)(<(?:{_NAME})>)[^<]+"), rf"\1{_MASK}"),
    (
        re.compile(
            r"(?i)(authorization['\"]?\s*[:=,]\s*(?:b?['\"])?(?:(?:bearer|basic|token)\s)?\s*)"
            r"(?!AWS4-)[^\s'\",}\)]+"
        ),
        rf"\1{_MASK}",
    ),
)


class Redactor:
    """Knows the secrets of this process."""

    def __init__(self) -> None:
        """Knows none yet."""
        self._lock = threading.Lock()
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def learn(self, secrets: Iterable[str]) -> None:
        """Masks these from now on, in every form they are likely to be written in."""
        with self._lock:
            for secret in secrets:
                for part in {secret, *secret.splitlines()}:
                    self._forms.update(_forms(part.strip()))
            # The longest first: one secret may be the beginning of another.
            forms = sorted(self._forms, key=lambda form: (-len(form), form))
            self._pattern = re.compile("|".join(map(re.escape, forms))) if forms else None

    def learn_environment(self, environ: Mapping[str, str]) -> None:
        """Masks the values of variables that are secret by their names, and passwords in URLs."""
        for name, value in environ.items():
            self.learn(_passwords(value))
            if is_secret_name(name) and value.lower() not in _SWITCHES:
                self.learn([value, *_fields(value)])

    def redact(self, text: str) -> str:
        """The text without secrets."""
        if self._pattern is not None:
            text = self._pattern.sub(_MASK, text)
        for pattern, replacement in _PLACES:
            text = pattern.sub(replacement, text)
        return text


class RedactedStream(io.TextIOBase):
    """A text stream that lets no secret through."""

    def __init__(self, stream: TextIO, redactor: Redactor) -> None:
        """Stands before ``stream``."""
        self._stream = stream
        self._redactor = redactor

    def write(self, text: str) -> int:
        """Writes the redacted text; counts the characters given."""
        self._stream.write(self._redactor.redact(text))
        return len(text)

    def flush(self) -> None:
        """Passes the text on."""
        self._stream.flush()

    def isatty(self) -> bool:
        """Whether somebody watches."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """The stream's own."""
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The stream's own."""
        return self._stream.encoding


REDACTOR: Final = Redactor()


def guard_streams(environ: Mapping[str, str]) -> None:
    """Puts the redactor before stdout and stderr; call before any library gets hold of them."""
    REDACTOR.learn_environment(environ)
    sys.stdout = RedactedStream(sys.stdout, REDACTOR)
    sys.stderr = RedactedStream(sys.stderr, REDACTOR)


def is_secret_name(name: str) -> bool:
    """Whether a variable of that name holds a secret."""
    return bool(_SECRET_NAME.search(name.upper())) and not _PLACE_NAME.search(name.upper())


def _passwords(text: str) -> Iterable[str]:
    """What stands before the @ of URLs: a part of it may be all that a library prints."""
    for match in _USERINFO.finditer(text):
        user, colon, password = match[0].partition(":")
        yield match[0]
        yield unquote(match[0])  # as it is encoded for a header
        yield from (password, unquote(password)) if colon else (user, unquote(user))


def _fields(text: str) -> Iterable[str]:
    """The secrets in a secret that is JSON, such as a service account's key."""
    try:
        held = json.loads(text)
    except ValueError:
        return
    for name, value in held.items() if isinstance(held, dict) else ():
        if isinstance(value, str) and is_secret_name(name):
            yield value


def _forms(secret: str) -> Iterable[str]:
    """The secret as it is, in URLs, in JSON and in base64."""
    if len(secret) < _SHORTEST:
        return
    encoded = base64.b64encode(secret.encode()).decode()
    yield secret
    yield quote(secret, safe="")
    yield quote(secret)
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield repr(secret)[1:-1]
    yield encoded
    yield encoded.rstrip("=")
