import pyarrow as pa
import pytest
from pyarrow import flight

from trainc.cache.streams import CacheUnavailable, Patience, said


class Failing:
    """Fails some times, then gives 7."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    def __call__(self) -> int:
        if self.errors:
            raise self.errors.pop(0)
        return 7


@pytest.mark.parametrize(
    "error",
    [
        flight.FlightUnavailableError("away"),
        flight.FlightTimedOutError("slow"),
        flight.FlightCancelledError("cancelled"),
        flight.FlightInternalError("cut"),
        OSError("reset"),
    ],
    ids=repr,
)
def test_what_may_mend_is_tried_again(error: Exception) -> None:
    assert Patience(10).retry(Failing(error, error), "rows", lambda: False) == 7


@pytest.mark.parametrize(
    "error",
    [
        flight.FlightUnauthenticatedError("no token"),
        flight.FlightServerError("bug"),
        pa.ArrowInvalid("stale ticket"),
        pa.ArrowKeyError("no table"),
        FileNotFoundError("ca.crt"),
    ],
    ids=repr,
)
def test_what_will_not_mend_is_raised_at_once(error: Exception) -> None:
    with pytest.raises(type(error)):
        Patience(10).retry(Failing(error), "rows", lambda: False)


def test_patience_ends() -> None:
    away = flight.FlightUnavailableError("away")
    with pytest.raises(CacheUnavailable, match="rows from w: away"):
        Patience(0.2).retry(Failing(*[away] * 99), "rows from w", lambda: False)


def test_a_reader_that_has_left_is_not_kept_waiting() -> None:
    away = flight.FlightUnavailableError("away")
    with pytest.raises(CacheUnavailable):
        Patience(1000).retry(Failing(*[away] * 99), "rows", lambda: True)


def test_the_other_sides_traceback_is_not_repeated() -> None:
    error = pa.ArrowInvalid("stale ticket. Detail: Python exception: Traceback (most recent ...")
    assert said(error) == "stale ticket"
