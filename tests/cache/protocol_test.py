"""Clients that are not ours: plain pyarrow.flight, and the protocol of the reference's client."""

import datetime
import threading
from collections.abc import Iterator
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import flight
from tests.cache.running import Running, ids, write_parquet

from trainc.cache.sources.source import Source
from trainc.cache.ticket import Ticket, decode_legacy, encode_legacy

ROWS = 20_003
COUNTS = (9_000, 3, 0, 11_000)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("protocol")
    source = write_parquet(folder / "data", COUNTS, width=400)
    running = Running(source, folder / "spill", workers=3)
    try:
        yield running.wait_ready()
    finally:
        running.close()


def read(info: flight.FlightInfo) -> Iterator[pa.RecordBatch]:
    """What any Flight client does with a FlightInfo."""
    for endpoint in info.endpoints:
        with flight.connect(endpoint.locations[0]) as client:
            for chunk in client.do_get(endpoint.ticket):
                yield chunk.data


SCHEMA = pa.schema([("id", pa.int64()), ("text", pa.string())])
TABLE = flight.FlightDescriptor.for_path("db", "rows")


def test_the_schema_is_the_tables_own(cache: Running) -> None:
    client = cache.client()
    assert client.get_schema(TABLE).schema == SCHEMA
    assert client.get_flight_info(TABLE).schema == SCHEMA


def test_a_plain_client_reads_the_table_in_order(cache: Running) -> None:
    info = cache.client().get_flight_info(TABLE)
    assert (info.total_records, info.ordered, len(info.endpoints)) == (ROWS, True, 3)
    batches = list(read(info))
    assert ids(batches) == list(range(ROWS))
    assert batches[0].schema == SCHEMA
    assert max(batch.nbytes for batch in batches) < 2_000_000


def test_the_table_is_listed(cache: Running) -> None:
    [info] = cache.client().list_flights()
    assert info.descriptor.path == [b"db", b"rows"]
    assert sum(batch.num_rows for batch in read(info)) == ROWS


@pytest.mark.parametrize("total", [1, 2, 3, 7, 64])
def test_the_references_client_reads_its_share(cache: Running, total: int) -> None:
    """[rank, total] as decimal strings; every endpoint, every location, its ticket; re-chunked."""
    shares = []
    for rank in range(total):
        descriptor = flight.FlightDescriptor.for_path(str(rank), str(total))
        info = flight.connect(cache.address).get_flight_info(descriptor)
        share: list[int] = []
        for endpoint in info.endpoints:
            for location in endpoint.locations:
                assert location.uri.startswith(b"grpc://127.0.0.1:")
                reader = flight.FlightClient(location.uri).do_get(endpoint.ticket)
                share.extend(_rechunked(reader, 128))
        shares.append(share)
        assert decode_legacy(info.app_metadata) == (share[0], share[-1])
        assert info.schema == SCHEMA
    assert [row for share in shares for row in share] == list(range(ROWS))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def _rechunked(reader: flight.FlightStreamReader, size: int) -> Iterator[int]:
    leftover = None
    for chunk in reader:
        batch = chunk.data
        if leftover is not None:
            columns = zip(leftover.columns, batch.columns, strict=True)
            arrays = [pa.concat_arrays(pair) for pair in columns]
            batch = pa.RecordBatch.from_arrays(arrays, batch.schema.names)
        whole = batch.num_rows - batch.num_rows % size
        yield from batch.slice(0, whole).column(0).to_pylist()
        leftover = batch.slice(whole)
    if leftover is not None:
        yield from leftover.column(0).to_pylist()


def test_the_references_whole_ticket_gives_each_workers_part(cache: Running) -> None:
    """The reference sends one ticket, for the rank's whole range, to every worker."""
    ticket = flight.Ticket(encode_legacy(10, 19_999))
    found: list[int] = []
    for worker in cache.workers:
        with flight.connect(f"grpc://127.0.0.1:{worker.port}") as client:
            found += ids(chunk.data for chunk in client.do_get(ticket))
    assert found == list(range(10, 20_000))


def test_a_rank_of_more_ranks_than_rows_has_an_empty_answer(tmp_path_factory: object) -> None:
    assert isinstance(tmp_path_factory, pytest.TempPathFactory)
    folder = tmp_path_factory.mktemp("few")
    running = Running(write_parquet(folder / "data", (5,)), folder / "spill").wait_ready()
    try:
        shares = []
        for rank in range(9):
            descriptor = flight.FlightDescriptor.for_path(str(rank), "9")
            shares.append(ids(read(running.client().get_flight_info(descriptor))))
        assert shares == [[0], [1], [2], [3], [4], [], [], [], []]
    finally:
        running.close()


@pytest.mark.parametrize(
    ("path", "error", "message"),
    [
        (("3", "3"), pa.ArrowInvalid, "Invalid partition range"),
        (("x", "3"), pa.ArrowInvalid, "descriptor path"),
        (("3",), pa.ArrowInvalid, "descriptor path"),
        (("db", "other"), pa.ArrowKeyError, "no table db.other here, only db.rows"),
    ],
)
def test_descriptors_that_are_refused(
    cache: Running, path: tuple[str, ...], error: type[Exception], message: str
) -> None:
    descriptor = flight.FlightDescriptor.for_path(*path)
    with pytest.raises(error, match=message):
        cache.client().get_flight_info(descriptor)


@pytest.mark.parametrize(
    ("ticket", "message"),
    [
        (b"\xff", "Invalid ticket format"),
        (b"?" * 30, "Invalid ticket format"),
        (Ticket(0, 1).encode().replace(b'"v":1', b'"v":7'), "ticket version 7"),
        (Ticket(0, 1, "db.rows", "old", cache="other").encode(), "stale ticket.*snapshot old"),
    ],
)
def test_tickets_that_are_refused(cache: Running, ticket: bytes, message: str) -> None:
    client = flight.connect(f"grpc://127.0.0.1:{cache.workers[0].port}")
    with pytest.raises(pa.ArrowInvalid, match=message):
        client.do_get(flight.Ticket(ticket)).read_all()


def test_calls_that_are_not_served_are_refused_and_harm_nothing(cache: Running) -> None:
    client = cache.client()
    with pytest.raises(pa.ArrowNotImplementedError):
        client.do_get(flight.Ticket(b"\x00\x01")).read_all()
    with pytest.raises(pa.ArrowNotImplementedError):
        client.do_put(TABLE, SCHEMA)[0].close()
    with pytest.raises(pa.ArrowKeyError, match="no action dance"):
        list(client.do_action("dance"))
    assert client.get_schema(TABLE).schema == SCHEMA


def test_actions_are_listed_and_answer(cache: Running) -> None:
    listed = {action.type for action in cache.client().list_actions()}
    assert listed == {"health", "stats", "reload"}
    assert cache.act("health") == {"ready": True}
    state = cache.act("stats")
    assert (state["dataset"], state["rows"], state["missing"]) == ("db.rows", ROWS, [])
    assert [worker["rows"] for worker in state["workers"]] == [6668, 6668, 6667]
    worker = f"grpc://127.0.0.1:{cache.workers[1].port}"
    assert cache.act("stats", address=worker)["range"] == [6668, 13336]


def test_a_hundred_clients_at_once(cache: Running) -> None:
    found: list[list[int]] = [[] for _ in range(100)]

    def read_share(rank: int) -> None:
        found[rank] = ids(cache.dataset(rank=rank, world=100, seed=7))

    threads = [threading.Thread(target=read_share, args=(rank,)) for rank in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(row for share in found for row in share) == list(range(ROWS))
    assert {len(share) for share in found} == {200, 201}


def test_columns_of_many_kinds_come_out_as_they_went_in(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("kinds")
    table = _many_kinds(1000)
    (folder / "data").mkdir()
    pq.write_table(table, folder / "data" / "x.parquet", row_group_size=300)
    source = Source("parquet", str(folder / "data"), "kinds")
    running = Running(source, folder / "spill", workers=2).wait_ready()
    try:
        found = pa.Table.from_batches(running.dataset())
        shuffled = pa.Table.from_batches(running.dataset(seed=1))
    finally:
        running.close()
    assert found.to_pylist() == table.to_pylist()
    assert shuffled.sort_by("flag").schema == found.schema
    assert found.schema.field("word").type == pa.string()


def _many_kinds(count: int) -> pa.Table:
    start = datetime.datetime(2026, 1, 1)
    hour = datetime.timedelta(hours=1)
    return pa.table(
        {
            "list": [[i, None, i + 1] if i % 3 else None for i in range(count)],
            "struct": [{"a": i, "b": f"s{i}"} for i in range(count)],
            "map": pa.array([[("k", i)] for i in range(count)], pa.map_(pa.string(), pa.int32())),
            "decimal": pa.array([Decimal(i) / 8 for i in range(count)], pa.decimal128(12, 3)),
            "when": [start + i * hour for i in range(count)],
            "bytes": [bytes([i % 256]) * (i % 5) for i in range(count)],
            "word": pa.array([f"w{i % 3}" for i in range(count)]).dictionary_encode(),
            "large": pa.array([f"l{i}" for i in range(count)], pa.large_string()),
            "nothing": pa.nulls(count),
            "flag": [i % 2 == 0 for i in range(count)],
        }
    )
