"""The reader's side of the cache: ``CacheDataset``.

In: the cache's address and this reader's place among the readers. Out: Arrow record batches, each
row of the reader's share exactly once per epoch, whatever happens to workers meanwhile.

    dataset = CacheDataset("grpc://my-job-cache-service:50051", rank=0, world=8, seed=1)
    for epoch in range(3):
        dataset.set_epoch(epoch)
        for batch in dataset:
            ...
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import flight

from trainc import names
from trainc.cache.allocator import keep_buffers
from trainc.cache.assembly import Assembly
from trainc.cache.layout import Layout
from trainc.cache.prefetch import prefetched
from trainc.cache.request import Request
from trainc.cache.security import Security
from trainc.cache.shard import Policy
from trainc.cache.streams import CacheUnavailable, Patience

if TYPE_CHECKING:
    import datasets
    import numpy as np
    import pandas as pd

__all__ = ["CacheDataset", "CacheUnavailable"]

keep_buffers()


def _address() -> str:
    """Where the environment says the cache is.

    Raises:
        ValueError: It does not say.
    """
    given = os.environ.get(names.CACHE_ADDRESS_ENV, "")
    job = os.environ.get(names.TRAIN_JOB_NAME_ENV, "")
    if not given and not job:
        wanted = f"{names.CACHE_ADDRESS_ENV} or {names.TRAIN_JOB_NAME_ENV}"
        raise ValueError(f"where is the cache? give an address, or set {wanted}")
    scheme = "grpc+tls" if os.environ.get(names.CACHE_CA_ENV) else "grpc"
    return given or f"{scheme}://{job}{names.CACHE_SERVICE_SUFFIX}:{names.CACHE_PORT}"


def _number(name: str, default: int) -> int:
    return int(os.environ.get(name) or default)


def _path(name: str) -> Path | None:
    return Path(os.environ[name]) if os.environ.get(name) else None


@dataclass
class CacheDataset:
    """An iterable of a reader's record batches; can be pickled, connects when it is iterated.

    Attributes:
        address: ``grpc://HOST:PORT`` or ``grpc+tls://HOST:PORT`` of the head; by default
            ``TRAINC_CACHE_ADDRESS``, or the cache of ``TRAIN_JOB_NAME``.
        rank: This reader, from 0; by default ``RANK``, else 0.
        world: Number of readers; by default ``WORLD_SIZE``, else 1.
        policy: What becomes of rows that do not divide evenly (``shard.share``).
        seed: Seeds the global shuffle; None for the stored order.
        epoch: Part of the seed; see ``set_epoch``.
        block: Rows of a shuffled block; 0 for the cache's own choice, which is a batch.
        snapshot: Refuse any other snapshot; empty for the one that is there.
        ca: File of the CA that signed the cache's certificate; by default from the environment.
        token: File of the token; by default from the environment.
        ahead: Batches read ahead.
        patience: Seconds to wait for a cache that fails, from its last row.
        stall: Seconds without a row after which a stream is asked for again.
    """

    address: str = field(default_factory=_address)
    rank: int = field(default_factory=lambda: _number("RANK", 0))
    world: int = field(default_factory=lambda: _number("WORLD_SIZE", 1))
    policy: Policy = "even"
    seed: int | None = None
    epoch: int = 0
    block: int = 0
    snapshot: str = ""
    ca: Path | None = field(default_factory=lambda: _path(names.CACHE_CA_ENV))
    token: Path | None = field(default_factory=lambda: _path(names.CACHE_TOKEN_ENV))
    ahead: int = 4
    patience: float = 300.0
    stall: float = 60.0
    part: int = 0
    parts: int = 1

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch of the next iteration; said twice it is the same as said once."""
        self.epoch = epoch

    def split(self, part: int, parts: int) -> "CacheDataset":
        """The ``part``-th of ``parts`` even parts of this share, for a DataLoader worker."""
        return replace(self, part=part, parts=parts)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The reader's batches, in the order of the epoch.

        Raises:
            CacheUnavailable: The cache, or a range of it, was away for longer than ``patience``.
            pa.ArrowInvalid: The table was replaced by another in mid-epoch.
            KeyError: The cache holds another snapshot.
        """
        patience = Patience(self.patience)
        layout = Layout.decode(self._info(patience).app_metadata)
        assembly = Assembly(layout, self._security, patience)
        yield from prefetched(assembly, self.ahead, self.stall)

    def __len__(self) -> int:
        """Rows of the reader's share."""
        return Layout.decode(self._info(Patience(self.patience)).app_metadata).share

    @property
    def schema(self) -> pa.Schema:
        """The table's columns."""
        return self._info(Patience(self.patience)).schema

    def stats(self) -> dict[str, Any]:
        """What the head says of table, workers and progress."""
        import json

        with self._security.connect(self.address) as client:
            results = client.do_action(flight.Action("stats", b""), self._security.call(30.0))
            state: dict[str, Any] = json.loads(next(iter(results)).body.to_pybytes())
            return state

    def pandas(self) -> Iterator["pd.DataFrame"]:
        """The batches as data frames."""
        return (batch.to_pandas() for batch in self)

    def numpy(self) -> Iterator[Mapping[str, "np.ndarray[Any, Any]"]]:
        """The batches as arrays, by column."""
        return ({n: c.to_numpy(False) for n, c in _columns(batch)} for batch in self)

    def huggingface(self) -> "datasets.IterableDataset":
        """The rows as an iterable dataset of Hugging Face ``datasets``."""
        import datasets

        features = datasets.Features.from_arrow_schema(self.schema)
        return datasets.IterableDataset.from_generator(self._rows, features=features)

    def _rows(self) -> Iterator[dict[str, Any]]:
        return (row for batch in self for row in batch.to_pylist())

    @property
    def _security(self) -> Security:
        return Security(ca=self.ca, token=self.token)

    def _info(self, patience: Patience) -> flight.FlightInfo:
        request = Request(
            rank=self.rank,
            world=self.world,
            part=self.part,
            parts=self.parts,
            policy=self.policy,
            seed=self.seed,
            epoch=self.epoch,
            block=self.block,
            snapshot=self.snapshot,
        )
        descriptor = flight.FlightDescriptor.for_command(request.encode())

        def ask() -> flight.FlightInfo:
            with self._security.connect(self.address) as client:
                return client.get_flight_info(descriptor, self._security.call(30.0))

        return patience.retry(ask, f"the cache at {self.address}", lambda: False)


def _columns(batch: pa.RecordBatch) -> Iterator[tuple[str, pa.Array]]:
    return zip(batch.schema.names, batch.columns, strict=True)
