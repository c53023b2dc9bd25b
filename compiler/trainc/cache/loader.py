"""Reads one worker's range into Arrow IPC files: a process of its own, which ends when it is done.

In: one line of JSON on stdin. Out: lines of JSON on stdout, and the files. A child process, because
readers and their libraries hold memory that a server must not hold, and because a source that hangs
can be killed. It imports what it will need while it waits for its line, and ends when its parent
does.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from trainc.cache.batches import on_grid
from trainc.cache.memory import Gate
from trainc.cache.plan import Assignment
from trainc.cache.segments import Segment, folder, segments
from trainc.cache.sources.opening import open_reader
from trainc.cache.sources.source import Reader

Report = Callable[[dict[str, Any]], None]

# Decoded at a time: a few batches, so that most batches need no joining.
_BLOCKS_AT_ONCE: Final = 2
_REPORT_SECONDS: Final = 0.2


def main() -> None:
    """Wait for an assignment, load it, end."""
    for kind in sys.argv[1:]:
        _warm(kind)
    line = sys.stdin.readline()
    if not line:
        return
    threading.Thread(target=_end_with_parent, daemon=True).start()
    job = json.loads(line)
    lock = threading.Lock()

    def report(message: dict[str, Any]) -> None:
        with lock:
            sys.stdout.write(json.dumps(message) + "\n")
            sys.stdout.flush()

    try:
        assignment = Assignment.decode(job["assignment"].encode())
        load(assignment, Path(job["spill"]), Gate(job["memory"]), job["threads"], report)
        report({"done": True, "peak": pa.default_memory_pool().max_memory()})
    except Exception as error:
        report({"error": f"{type(error).__name__}: {error}"})


def load(assignment: Assignment, spill: Path, gate: Gate, threads: int, report: Report) -> None:
    """Write every segment of an assignment that is not there yet.

    Args:
        assignment: What to load.
        spill: Folder on local disk; the segments go into a folder of it named for the plan.
        gate: Bounds the memory of all threads together.
        threads: Segments read at a time.
        report: Told the number of rows read, and the segments finished.

    Raises:
        OSError: The source is unreadable or the disk is full.
        ValueError: The source does not hold what was planned.
    """
    reader = open_reader(assignment.source, assignment.table)
    where = folder(spill, assignment)
    where.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(threads) as pool:
        tasks = [
            pool.submit(_segment, assignment, reader, segment, where, gate, report)
            for segment in segments(assignment, reader)
        ]
        try:
            for task in as_completed(tasks):
                task.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _segment(
    assignment: Assignment,
    reader: Reader,
    segment: Segment,
    where: Path,
    gate: Gate,
    report: Report,
) -> None:
    path = where / segment.file
    if not path.exists():
        rows = _counted(_rows(assignment, reader, segment, gate), segment, report)
        batches = on_grid(rows, segment.range.start, assignment.block)
        _write(path, assignment.schema, batches)
    else:
        report({"rows": segment.range.rows})
    report({"segment": segment.range})


def _rows(
    assignment: Assignment, reader: Reader, segment: Segment, gate: Gate
) -> Iterator[pa.RecordBatch]:
    size = gate.rows(assignment.block * _BLOCKS_AT_ONCE, assignment.row_bytes)
    with gate.reading() as turn:
        for part in segment.parts:
            turn.wait()
            for batch in reader.batches(part.piece, part.skip, part.take, size):
                yield batch
                del batch
                turn.wait()


def _counted(
    batches: Iterator[pa.RecordBatch], segment: Segment, report: Report
) -> Iterator[pa.RecordBatch]:
    """Pass batches on, report their rows, and see that as many came as were planned."""
    total = told = 0
    due = time.monotonic() + _REPORT_SECONDS
    for batch in batches:
        total += batch.num_rows
        if time.monotonic() >= due:
            report({"rows": total - told})
            told, due = total, time.monotonic() + _REPORT_SECONDS
        yield batch
    report({"rows": total - told})
    if total != segment.range.rows:
        paths = ", ".join(part.piece.path for part in segment.parts)
        raise ValueError(f"{paths}: {segment.range.rows} rows planned, {total} found")


def _write(path: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    unfinished = path.with_suffix(f".{os.getpid()}.part")
    try:
        with pa.OSFile(str(unfinished), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _warm(kind: str) -> None:
    if kind == "iceberg":
        import trainc.cache.sources.iceberg  # noqa: F401
    else:
        import trainc.cache.sources.files  # noqa: F401


def _end_with_parent() -> None:
    # The parent never writes a second line: what is read is the end of its life.
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main()
