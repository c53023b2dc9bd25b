"""Kubernetes quantities: text in, the API server's canonical text or an exact amount out.

The rules are those of k8s.io/apimachinery/pkg/api/resource: three formats, told apart by the
suffix, and the rounding up of everything below one nano. Amounts are whole numbers of nanos, so
nothing here is ever a float.
"""

import re
from functools import lru_cache
from typing import Final, Literal, NamedTuple

Format = Literal["DecimalSI", "BinarySI", "DecimalExponent"]

NANO: Final = 10**9
_MAX: Final = (2**63 - 1) * NANO
DECIMAL: Final = {
    "n": -9,
    "u": -6,
    "m": -3,
    "": 0,
    "k": 3,
    "M": 6,
    "G": 9,
    "T": 12,
    "P": 15,
    "E": 18,
}
BINARY: Final = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
"""Powers of two by suffix, as ``DECIMAL`` has those of ten."""
_DECIMAL_SUFFIX: Final = {power: suffix for suffix, power in DECIMAL.items()}
_BINARY_SUFFIX: Final = {0: "", **{power: suffix for suffix, power in BINARY.items()}}
MAX_QUANTITY: Final = 1000  # characters; Python converts no number of more than 4,300 digits
_TEXT: Final = re.compile(
    r"([+-]?)(\d*)(?:\.(\d*))?((?:[KMGTPE]i)|[numkMGTPE]|[eE][+-]?\d+)?", re.ASCII
)


class Quantity(NamedTuple):
    """An exact amount and the format it prints in."""

    nanos: int
    format: Format

    def __add__(self, other: "Quantity") -> "Quantity":  # type: ignore[override]
        """The sum, in the format of the first amount that is not zero (upstream Quantity.Add)."""
        chosen = self.format if self.nanos else other.format
        return Quantity(self.nanos + other.nanos, chosen)

    def __mul__(self, count: int) -> "Quantity":  # type: ignore[override]
        """The amount ``count`` times."""
        return Quantity(self.nanos * count, self.format)

    @property
    def whole(self) -> int:
        """The amount rounded away from zero to a whole number (upstream Quantity.Value)."""
        return -(-self.nanos // NANO) if self.nanos >= 0 else self.nanos // NANO

    def __str__(self) -> str:
        """The canonical text."""
        return _print(self)


class QuantityError(ValueError):
    """The text is no quantity."""


@lru_cache(maxsize=4096)
def parse(text: str) -> Quantity:
    """Reads a quantity.

    Args:
        text: As in YAML; a number is given as its decimal text.

    Raises:
        QuantityError: The text does not have the form of a quantity.
    """
    sign, digits, fraction, suffix = _split(text)
    scaled = int(digits + fraction or "0")
    if suffix in BINARY:
        top, bottom, kind = scaled << BINARY[suffix], 10 ** len(fraction), "BinarySI"
    elif suffix in DECIMAL:
        top, bottom = _shift(scaled, DECIMAL[suffix] - len(fraction))
        kind = "DecimalSI"
    else:
        power = _exponent(suffix)
        top, bottom = _shift(scaled, max(min(power, 1000), -1000) - len(fraction))
        kind = "DecimalExponent"
    nanos = -(-top * NANO // bottom)
    if kind == "BinarySI":
        nanos = min(nanos, _MAX)
    return Quantity(-nanos if sign == "-" else nanos, kind)  # type: ignore[arg-type]


@lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """The text the API server prints for a quantity it was given as ``text``.

    A text the upstream parser takes for canonical already is kept letter by letter, ``1.500`` and
    ``+5`` among them; any other is printed anew.

    Raises:
        QuantityError: The text does not have the form of a quantity.
    """
    if is_too_long(text):
        return text  # refused where the Pod is checked
    return text if _kept(text) else _print(parse(text))


def is_too_long(text: str) -> bool:
    """Whether a text has more digits than any quantity needs: it is not read."""
    return len(text) > MAX_QUANTITY


def _split(text: str) -> tuple[str, str, str, str]:
    if is_too_long(text):
        raise QuantityError(f"{text[:20]}... is longer than {MAX_QUANTITY} characters")
    found = _TEXT.fullmatch(text)
    if found is None or not (found[2] or found[3]):
        raise QuantityError(f"{text!r} is not a quantity")
    return found[1], found[2], found[3] or "", found[4] or ""


def _exponent(suffix: str) -> int:
    """The power of ten of an exponent suffix; upstream keeps its low 32 bits."""
    return (int(suffix[1:]) + 2**31) % 2**32 - 2**31


def _shift(amount: int, power: int) -> tuple[int, int]:
    return (amount * 10**power, 1) if power >= 0 else (amount, 10**-power)


def _kept(text: str) -> bool:
    """Whether upstream keeps the text: its int64 fast path stores it beside the amount."""
    sign, whole, fraction, suffix = _split(text)
    whole = whole.lstrip("0")
    digits = (whole or "0") + fraction
    if suffix in BINARY:
        power = BINARY[suffix]
        return (
            not fraction
            and bool(whole)
            and 15 - len(whole) - power * 3 // 10 - 1 >= 0
            and int(whole) % 8 != 0
        )
    power = DECIMAL[suffix] if suffix in DECIMAL else _exponent(suffix)
    return (
        len(digits) <= 18
        and (power - len(fraction)) % 3 == 0
        and power - len(fraction) >= -9
        and not digits.endswith("000")
        and not digits.startswith("0")
    )


def _print(amount: Quantity) -> str:
    nanos, kind = amount
    if nanos == 0:
        return "0"
    sign, nanos = ("-", -nanos) if nanos < 0 else ("", nanos)
    if kind == "BinarySI" and nanos >= 1024 * NANO and nanos % NANO == 0:
        return sign + _print_binary(nanos // NANO)
    power = -9
    while nanos % 1000 == 0:
        nanos //= 1000
        power += 3
    if kind == "DecimalExponent":
        return f"{sign}{nanos}e{power}" if power else f"{sign}{nanos}"
    # Above 10**18 upstream has no suffix and prints none, so 1000E reads 1; kept, for it is the
    # canon.
    return f"{sign}{nanos}{_DECIMAL_SUFFIX.get(power, '')}"


def _print_binary(amount: int) -> str:
    power = 0
    while amount % 1024 == 0 and power < 60:
        amount //= 1024
        power += 10
    return f"{amount}{_BINARY_SUFFIX[power]}"
