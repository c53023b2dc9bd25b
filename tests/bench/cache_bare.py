"""The yardstick of the cache's bench: nothing but pyarrow.flight over the same mapped batches.

`serve FILE...` answers DoGet of a range of batches with them; `read` reads such ranges, pass by
pass, told by stdin. No plan, no tickets, no order, no resume.
"""

import ctypes
import json
import sys
import time

import pyarrow as pa
from pyarrow import flight


class Bare(flight.FlightServerBase):
    """Serves the batches of some files, by number."""

    def __init__(self, files: list[str]) -> None:
        super().__init__("grpc://127.0.0.1:0")
        self.batches = []
        for file in files:
            reader = pa.ipc.open_file(pa.memory_map(file))
            self.batches += [reader.get_batch(i) for i in range(reader.num_record_batches)]

    def do_get(self, _: object, ticket: flight.Ticket) -> flight.RecordBatchStream:
        part, parts = json.loads(ticket.ticket)
        count = len(self.batches)
        wanted = self.batches[count * part // parts : count * (part + 1) // parts]
        return flight.RecordBatchStream(pa.Table.from_batches(wanted))


def serve(files: list[str]) -> None:
    server = Bare(files)
    print(server.port, flush=True)
    sys.stdin.read()


def read(ports: list[str], rank: int, world: int) -> None:
    """One client reads every server; several divide each server's batches."""
    print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin:
        start, cpu = time.perf_counter(), time.process_time()
        rows = size = 0
        first = 0.0
        for port in ports:
            with flight.connect(f"grpc://127.0.0.1:{port}") as client:
                for chunk in client.do_get(flight.Ticket(json.dumps([rank, world]))):
                    first = first or time.perf_counter() - start
                    rows += chunk.data.num_rows
                    size += chunk.data.nbytes
        spent = time.process_time() - cpu
        print(json.dumps({"rows": rows, "size": size, "first": first, "cpu": spent}), flush=True)


def tune() -> None:
    """What the shipped client does at import."""
    libc = ctypes.CDLL(None)
    for name, value in ((-3, 32 << 20), (-1, 512 << 20), (-8, 1)):
        libc.mallopt(name, value)


if __name__ == "__main__":
    mode, *rest = sys.argv[1:]
    if mode == "serve":
        serve(rest)
    else:
        tuned, rank, world, *ports = rest
        if tuned == "tuned":
            tune()
        read(ports, int(rank), int(world))
