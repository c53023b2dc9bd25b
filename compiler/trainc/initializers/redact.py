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
from urllib.parse import quote, quote_plus

_MASK: Final = "[redacted]"
_SHORTEST: Final = 4  # characters: less would blank ordinary text and hide nothing

# Environment variables that hold secrets, by their names: ours and the libraries' own.
_SECRET_NAME: Final = re.compile(
    r"(TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|ACCESS_KEY|ACCOUNT_KEY|API_KEY|PRIVATE_KEY|SAS|_KEY)"
)
# ... and those whose value only says where the secret is.
_PLACE_NAME: Final = re.compile(
    r"(_FILE|_PATH|_DIR|_URI|_URL|_TTL|_TYPE|KUBEFLOW_TRAINER_SERVER_.*)$"
)

# What is secret by its place in the text: userinfo of a URL, signatures, authorisation headers.
_PLACES: Final = (
    (re.compile(r"(?<=://)[^/\s@:'\"]*:[^/\s@'\"]+(?=@)"), _MASK),
    (
        re.compile(
            r"(?i)((?:[?&;]|%3F|%26|\b)(?:x-amz-(?:signature|security-token|credential)|x-goog-"
            r"(?:signature|credential)|signature|sig|token|access_token|password|api_key)"
            r"(?:=|%3D))[^&\s'\"<>]+"
        ),
        r"\1" + _MASK,
    ),
    (
        re.compile(
            r"(?i)(authorization['\"]?\s*[:=,]\s*(?:b?['\"])?(?:(?:bearer|basic|token)\s)?\s*)"
            r"(?!AWS4-)[^\s'\",}\)]+"
        ),
        r"\1" + _MASK,
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
        """Masks the values of all variables that are secret by their names."""
        self.learn(value for name, value in environ.items() if is_secret_name(name))

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
