from collections.abc import Iterator

import pyarrow as pa
import pytest

from trainc.cache.serving import Counters, json_result, status


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (ValueError("no ticket"), pa.ArrowInvalid),
        (IndexError("rank 9 of 8"), pa.ArrowInvalid),
        (KeyError("no table"), pa.ArrowKeyError),
        (RuntimeError("a bug"), RuntimeError),
    ],
    ids=repr,
)
def test_a_callers_fault_is_no_failure_of_the_server(
    raised: Exception, told: type[Exception]
) -> None:
    with pytest.raises(told, match=str(raised.args[0])), status():
        raise raised


def test_a_result_is_one_json_object() -> None:
    (result,) = json_result({"ready": True})
    assert result.body.to_pybytes() == b'{"ready": true}'


def some_tables() -> Iterator[pa.Table]:
    for rows in (3, 4):
        yield pa.table({"id": list(range(rows))})


def test_what_is_sent_is_counted_as_it_goes() -> None:
    counters = Counters()
    stream = counters.counted(some_tables())
    next(stream)
    assert counters.as_dict() == {"streams": 1, "open_streams": 1, "rows_sent": 3}
    assert sum(table.num_rows for table in stream) == 4
    assert counters.as_dict() == {"streams": 1, "open_streams": 0, "rows_sent": 7}


def test_a_reader_that_leaves_early_is_no_open_stream() -> None:
    counters = Counters()
    stream = counters.counted(some_tables())
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert counters.open_streams == 0
