from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainc.source.scalar import TAGS, Scalar, as_json, is_json, key_text, plain, resolve, tagged


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    text: str
    value: Scalar
    key: str | None


# The whole table of what kubectl makes of scalars is in tests/loader; these are its landmarks.
@pytest.mark.parametrize(
    "case",
    [
        TestCase("y", True, "true"),
        TestCase("Off", False, "false"),
        TestCase("", None, None),
        TestCase("oN", "oN", "oN"),
        TestCase("010", 8, "8"),
        TestCase("0o7", 7, "7"),
        TestCase("08", 8, "8"),
        TestCase("1_000", 1000, "1000"),
        TestCase("1e3", 1000, "1000"),
        TestCase("1e20", 1e20, "1e+20"),
        TestCase("1e400", "1e400", "1e400"),
        TestCase("-0.0", 0, "-0"),
        TestCase("1.10", 1.1, "1.1"),
        TestCase("12:30:45", "12:30:45", "12:30:45"),
        TestCase("2024-01-15", "2024-01-15", "2024-01-15"),
        TestCase("9223372036854775807", 9223372036854775807, "9223372036854775807"),
        TestCase("9223372036854775808", 9223372036854775808.0, None),
        TestCase("4.611686018427388e18", 4611686018427388000, "4.611686e+18"),
        TestCase("--epochs=10", "--epochs=10", "--epochs=10"),
        TestCase("64Gi", "64Gi", "64Gi"),
        TestCase("\u0661", "\u0661", "\u0661"),
    ],
    ids=lambda case: case.text or "empty",
)
def test_plain_scalars(case: TestCase) -> None:
    assert (type(resolve(case.text)), resolve(case.text)) == (type(case.value), case.value)
    assert key_text(plain(case.text)) == case.key


@given(text=st.text(alphabet="+-._0123456789abcdefinoxABEINOXTZ:yYtru~", max_size=30))
def test_any_text_has_a_value(text: str) -> None:
    value = resolve(text)
    assert type(value) in (str, int, float, bool, type(None))
    assert not isinstance(value, str) or value == text
    assert not isinstance(value, int) or -(2**63) <= value < 2**63
    key = key_text(plain(text))
    assert key is None or isinstance(key, str)


@given(number=st.integers(-(2**70), 2**70))
def test_integers_become_what_json_readers_see(number: int) -> None:
    inside = -(2**63) <= number < 2**63
    assert resolve(str(number)) == (number if inside else float(number))
    assert type(resolve(str(number))) is (int if inside else float)


@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_floats_keep_their_value(number: float) -> None:
    value = as_json(number)
    assert is_json(value)
    assert float(value) == number  # type: ignore[arg-type]


@given(text=st.text(max_size=20), tag=st.sampled_from(sorted(TAGS)))
def test_a_tag_is_obeyed_or_refused(text: str, tag: str) -> None:
    try:
        value = tagged(tag, text)
    except ValueError as error:
        assert "!!" in str(error)
    else:
        kinds = {"int": int, "bool": bool, "float": float, "null": type(None)}
        assert isinstance(value, kinds.get(tag.rpartition(":")[2], str))
