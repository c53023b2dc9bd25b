"""The stock library as cluster objects, for TrainJobs that are made in the cluster."""

from __future__ import annotations

from typing import Any

from trainc.library import named, stock_names


def runtimes(prefix: str) -> list[dict[str, Any]]:
    """Every stock runtime, its own images from ``prefix``."""
    return [dict(document.root) for name in stock_names() for document in named(name, prefix)[0]]
