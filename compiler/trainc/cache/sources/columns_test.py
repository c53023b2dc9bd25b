from dataclasses import dataclass

import pyarrow as pa
import pytest

from trainc.cache.sources.columns import conform, plain_type


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    kind: pa.DataType
    want: pa.DataType


@pytest.mark.parametrize(
    "case",
    [
        TestCase(pa.large_string(), pa.string()),
        TestCase(pa.string_view(), pa.string()),
        TestCase(pa.large_binary(), pa.binary()),
        TestCase(pa.dictionary(pa.int8(), pa.large_string()), pa.string()),
        TestCase(pa.run_end_encoded(pa.int32(), pa.int64()), pa.int64()),
        TestCase(pa.large_list(pa.large_string()), pa.list_(pa.string())),
        TestCase(pa.list_(pa.large_string(), 2), pa.list_(pa.string(), 2)),
        TestCase(
            pa.struct([("a", pa.dictionary(pa.int8(), pa.string()))]),
            pa.struct([("a", pa.string())]),
        ),
        TestCase(pa.map_(pa.string(), pa.large_string()), pa.map_(pa.string(), pa.string())),
        TestCase(pa.timestamp("us", "UTC"), pa.timestamp("us", "UTC")),
        TestCase(pa.binary(16), pa.binary(16)),
    ],
    ids=lambda case: str(case.kind),
)
def test_plain_type(case: TestCase) -> None:
    assert plain_type(case.kind) == case.want


def test_conform_renames_widens_decodes_and_fills() -> None:
    batch = pa.record_batch(
        {"old": pa.array([1, None], pa.int32()), "word": pa.array(["a", "b"]).dictionary_encode()}
    )
    schema = pa.schema(
        [("new", pa.int64()), ("word", pa.string()), ("gone", pa.date32()), ("part", pa.int32())]
    )
    got = conform(batch, schema, {"new": "old", "word": "word"}, {"part": "7"})
    assert got.schema == schema
    assert got.to_pydict() == {
        "new": [1, None],
        "word": ["a", "b"],
        "gone": [None, None],
        "part": [7, 7],
    }


def test_conform_refuses_what_does_not_fit() -> None:
    batch = pa.record_batch({"a": ["x"]})
    with pytest.raises(ValueError, match="column a: "):
        conform(batch, pa.schema([("a", pa.int64())]), {"a": "a"}, {})
