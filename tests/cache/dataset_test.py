"""The shipped client on a real cache: shares, shuffle, epochs, adapters."""

import pickle
import sys
from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa
import pytest
from tests.cache.running import Running, ids, write_parquet
from tests.tools import TORCH, missing

from trainc.cache.client import CacheDataset, CacheUnavailable
from trainc.cache.shard import Policy

ROWS = 10_001


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("dataset")
    source = write_parquet(folder / "data", (4_000, 6_001), width=100)
    running = Running(source, folder / "spill", workers=3)
    try:
        yield running.wait_ready()
    finally:
        running.close()


@pytest.mark.parametrize("seed", [None, 11])
@pytest.mark.parametrize("parts", [1, 3])
def test_ranks_and_their_loader_workers_read_every_row_once(
    cache: Running, seed: int | None, parts: int
) -> None:
    ranks = []
    for rank in range(4):
        dataset = cache.dataset(rank=rank, world=4, seed=seed)
        ranks.append([row for part in range(parts) for row in ids(dataset.split(part, parts))])
        assert len(dataset) == len(ranks[-1])
    assert sorted(row for share in ranks for row in share) == list(range(ROWS))
    assert {len(share) for share in ranks} == {2500, 2501}


@pytest.mark.parametrize(
    ("policy", "size", "distinct"), [("pad", 2501, ROWS), ("drop", 2500, 10_000)]
)
def test_equal_shares(cache: Running, policy: Policy, size: int, distinct: int) -> None:
    shares = [ids(cache.dataset(rank=r, world=4, seed=5, policy=policy)) for r in range(4)]
    assert {len(share) for share in shares} == {size}
    assert len({row for share in shares for row in share}) == distinct


def test_epochs_differ_and_set_epoch_is_idempotent(cache: Running) -> None:
    dataset = cache.dataset(seed=3)
    first = ids(dataset)
    assert ids(dataset) == first
    dataset.set_epoch(2)
    second = ids(dataset)
    dataset.set_epoch(1)
    dataset.set_epoch(2)
    dataset.set_epoch(2)
    assert ids(dataset) == second != first
    assert sorted(second) == sorted(first) == list(range(ROWS))
    assert ids(replace(dataset, epoch=0)) == first


def test_the_shuffle_is_global(cache: Running) -> None:
    """A rank's first tenth comes from all over the table, not from one worker."""
    early = ids(cache.dataset(seed=1, block=16))[: ROWS // 10]
    thirds = [sum(1 for row in early if row * 3 // ROWS == third) for third in range(3)]
    assert min(thirds) > len(early) / 6


def test_a_dataset_can_be_pickled(cache: Running) -> None:
    dataset = cache.dataset(rank=1, world=2, seed=9)
    assert ids(pickle.loads(pickle.dumps(dataset))) == ids(dataset)


def test_leaving_early_ends_the_streams(cache: Running) -> None:
    for _ in range(3):
        for batch in cache.dataset(ahead=1):
            assert batch.num_rows
            break
    assert ids(cache.dataset()) == list(range(ROWS))


def test_another_snapshot_is_refused(cache: Running) -> None:
    with pytest.raises(KeyError, match="no snapshot 7 here, only"):
        list(cache.dataset(snapshot="7"))


def test_no_cache_is_said_in_time() -> None:
    dataset = CacheDataset("grpc://127.0.0.1:9", rank=0, world=1, patience=0.2)
    with pytest.raises(CacheUnavailable, match="the cache at grpc://127.0.0.1:9"):
        list(dataset)


def test_the_environment_places_a_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAIN_JOB_NAME", "job")
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("WORLD_SIZE", "8")
    dataset = CacheDataset()
    assert (dataset.address, dataset.rank, dataset.world) == (
        "grpc://job-cache-service:50051",
        3,
        8,
    )
    monkeypatch.setenv("TRAINC_CACHE_TLS_CA", "/ca.crt")
    assert CacheDataset().address == "grpc+tls://job-cache-service:50051"
    monkeypatch.delenv("TRAIN_JOB_NAME")
    with pytest.raises(ValueError, match="where is the cache"):
        CacheDataset()


def test_pandas_in_a_line(cache: Running) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.concat(cache.dataset().pandas(), ignore_index=True)
    assert frame["id"].tolist() == list(range(ROWS))


def test_numpy_in_a_line(cache: Running) -> None:
    numpy = pytest.importorskip("numpy")
    arrays = [columns["id"] for columns in cache.dataset().numpy()]
    assert (numpy.concatenate(arrays) == numpy.arange(ROWS)).all()


def test_hugging_face_in_a_line(cache: Running) -> None:
    pytest.importorskip("datasets")
    dataset = cache.dataset(rank=0, world=100).huggingface()
    assert dataset.features["id"].dtype == "int64"
    rows = list(dataset)
    assert [row["id"] for row in rows] == list(range(101))
    assert rows[1]["text"].startswith("1-")


@pytest.mark.torch
def test_torch_data_loader(cache: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    if why := missing(TORCH):
        pytest.skip(why)
    (packages,) = TORCH.folder.glob("lib/python3*/site-packages")
    monkeypatch.setattr(sys, "path", [*sys.path, str(packages)])  # after our own environment's
    from torch.utils.data import DataLoader

    from trainc.cache.torch_dataset import TorchCacheDataset

    dataset = TorchCacheDataset(cache.dataset(seed=2), transform=_id_list)
    loader = DataLoader(dataset, batch_size=None, num_workers=2, multiprocessing_context="spawn")
    dataset.set_epoch(1)
    assert sorted(row for rows in loader for row in rows) == list(range(ROWS))


def _id_list(batch: pa.RecordBatch) -> list[int]:
    rows: list[int] = batch.column("id").to_pylist()
    return rows
