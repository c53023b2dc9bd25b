"""``CacheDataset`` as a ``torch.utils.data.IterableDataset``; imported only where torch is.

In: a ``CacheDataset``. Out: the same batches, each to one DataLoader worker of one rank. Rank and
world are ``torch.distributed``'s where it is initialised. Connections are made in the process that
iterates; with DataLoader workers use ``multiprocessing_context="spawn"`` (or ``forkserver``), since
gRPC does not survive a fork of a process that has used it.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa
import torch.distributed
import torch.utils.data

from trainc.cache.client import CacheDataset


class TorchCacheDataset(torch.utils.data.IterableDataset):
    """An iterable of what ``transform`` makes of each batch."""

    def __init__(
        self, dataset: CacheDataset, transform: Callable[[pa.RecordBatch], Any] | None = None
    ) -> None:
        """Connects to nothing yet.

        Args:
            dataset: What to read; its rank and world hold unless torch.distributed knows better.
            transform: Applied to each batch where it is read (in the DataLoader worker).
        """
        super().__init__()
        self.dataset = _placed(dataset)
        self.transform = transform

    def set_epoch(self, epoch: int) -> None:
        """See ``CacheDataset.set_epoch``."""
        self.dataset.set_epoch(epoch)

    def __iter__(self) -> Iterator[Any]:
        """The batches of this DataLoader worker."""
        worker = torch.utils.data.get_worker_info()
        part = self.dataset.split(worker.id, worker.num_workers) if worker else self.dataset
        return map(self.transform, part) if self.transform else iter(part)


def _placed(dataset: CacheDataset) -> CacheDataset:
    group = torch.distributed
    if not (group.is_available() and group.is_initialized()):
        return dataset
    return replace(dataset, rank=group.get_rank(), world=group.get_world_size())
