"""Measures the loader beside PyYAML and ruamel.yaml, which read the same documents.

    python -m tests.bench.loader_bench [DOCUMENTS]

Prints a table of CPU time; each figure is the best of five. The peers give other types than
kubectl does, and PyYAML gives no places.
"""

import gc
import io
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.bench.inputs import job, write
from trainc.source.parse import parse
from trainc.source.source import load

ROUNDS = 5


def main(arguments: Sequence[str]) -> None:
    """Prints the table."""
    count = int(arguments[0]) if arguments else 1000
    texts = [job(number).encode() for number in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        files = str(write(Path(folder) / "jobs", count))
        rows = [
            (
                "trainc parse, with places",
                best(lambda: [parse(text, "f") for text in texts]) / count,
            ),
            ("trainc load, files and all", best(lambda: load([files])) / count),
            *peers(texts),
        ]
    lines = texts[0].count(b"\n")
    sys.stdout.write(f"{count} TrainJobs of {lines} lines\n\n")
    sys.stdout.write(f"{'':30}{'us a document':>15}{'times':>8}\n")
    for name, seconds in rows:
        sys.stdout.write(f"{name:30}{seconds * 1e6:>15.1f}{seconds / rows[0][1]:>8.1f}\n")


def peers(texts: Sequence[bytes]) -> Iterator[tuple[str, float]]:
    """The seconds a document costs others; imported late, since a build imports none of them."""
    import yaml
    from ruamel.yaml import YAML

    def c_loaded() -> None:
        for text in texts:
            yaml.load(text, Loader=yaml.CSafeLoader)

    def ruamel(**options: Any) -> None:
        for text in few:
            YAML(**options).load(io.BytesIO(text))

    few = texts[: max(len(texts) // 20, 1)]
    yield "PyYAML CSafeLoader", best(c_loaded) / len(texts)
    yield "ruamel.yaml safe, C", best(lambda: ruamel(typ="safe", pure=False)) / len(few)
    yield "ruamel.yaml round trip", best(lambda: ruamel(typ="rt")) / len(few)
    beside = best(lambda: [parse(text, "f") for text in texts]) / len(texts)
    yield "trainc parse, beside ruamel", beside


def best(work: Callable[[], object]) -> float:
    """The CPU seconds of the fastest round."""
    seconds = []
    for _ in range(ROUNDS):
        gc.collect()
        gc.disable()
        begin = time.process_time()
        work()
        seconds.append(time.process_time() - begin)
        gc.enable()
    return min(seconds)


if __name__ == "__main__":
    main(sys.argv[1:])
