"""The commands as users call them: serve, bench, pin."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import flight
from tests.cache.iceberg_tables import plain_table
from tests.cache.running import eventually, ids, write_parquet

from trainc.cache.client import CacheDataset

TRAINC = [sys.executable, "-m", "trainc", "cache"]


def run(
    *arguments: str, environ: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*TRAINC, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **(environ or {})},
    )


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """A running `trainc cache serve`: its address and its process, ended by Ctrl-C's signal."""
    process = subprocess.Popen(
        [*TRAINC, "serve", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout
    try:
        yield process.stdout.readline().strip(), process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def test_serve_a_folder_to_the_references_client(tmp_path: Path) -> None:
    write_parquet(tmp_path / "data", (600, 400))
    with serving("--local", str(tmp_path / "data"), "--insecure") as (address, process):
        assert re.fullmatch(r"grpc://127\.0\.0\.1:\d+", address)
        found = []
        for rank in range(3):
            descriptor = flight.FlightDescriptor.for_path(str(rank), "3")
            info = flight.connect(address).get_flight_info(descriptor)
            for endpoint in info.endpoints:
                for location in endpoint.locations:
                    reader = flight.FlightClient(location.uri).do_get(endpoint.ticket)
                    found += ids(chunk.data for chunk in reader)
        assert found == list(range(1000))
    assert process.returncode == 0
    assert process.stderr and "data at snapshot" in process.stderr.read()


def test_serve_an_iceberg_table_with_a_token_and_tls(tmp_path: Path) -> None:
    table = plain_table(tmp_path)
    first = table.snapshots()[0].snapshot_id
    place = table.metadata_location
    options = ("--snapshot", str(first), "--columns", "id", "--filter", "id < 90", "--workers", "3")
    with serving("--local", place, "--tls", *options) as (address, process):
        assert address.startswith("grpc+tls://127.0.0.1:")
        assert process.stderr
        said = _needs(process)
        dataset = CacheDataset(address, rank=0, world=1, ca=said["CA"], token=said["TOKEN"])
        assert dataset.schema == pa.schema([("id", pa.int64())])
        assert sorted(ids(dataset)) == list(range(90))
        with pytest.raises(flight.FlightUnauthenticatedError):
            list(CacheDataset(address, rank=0, world=1, ca=said["CA"], token=None))
    assert not said["TOKEN"].exists()


def _needs(process: "subprocess.Popen[str]") -> dict[str, Path]:
    """The CA and the token file that are said on stderr."""
    found: dict[str, Path] = {}
    assert process.stderr
    while len(found) < 2:
        match = re.search(r"export TRAINC_CACHE_\w*?(CA|TOKEN)\w*=(\S+)", process.stderr.readline())
        if match:
            found[match[1]] = Path(match[2])
    return found


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ((), 2, "--local"),
        (("--local", "/no/such"), 2, "/no/such: no such file or folder"),
        (("--local", "{}"), 1, "no parquet file"),
        (("--local", "{}", "--workers", "0"), 2, "--workers"),
    ],
)
def test_serve_says_what_is_wrong(
    arguments: tuple[str, ...], status: int, message: str, tmp_path: Path
) -> None:
    done = run("serve", *(word.format(tmp_path) for word in arguments))
    assert (done.returncode, done.stdout) == (status, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_while_it_starts_ends_it_without_a_traceback(tmp_path: Path) -> None:
    write_parquet(tmp_path / "data", (100,))
    process = subprocess.Popen(
        [*TRAINC, "serve", "--local", str(tmp_path / "data"), "--insecure"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    workers = f"/proc/{process.pid}/task/{process.pid}/children"
    eventually(lambda: Path(workers).read_text().split())
    os.killpg(process.pid, signal.SIGINT)  # as a terminal sends it: to all of the group
    _, said = process.communicate(timeout=60)
    assert process.returncode in (0, 130)
    assert "Traceback" not in said


def test_bench_prints_figures(tmp_path: Path) -> None:
    write_parquet(tmp_path / "data", (20_000,), width=100)
    done = run("bench", "--local", str(tmp_path / "data"), "--passes", "1", "--clients", "2")
    assert done.returncode == 0, done.stderr
    lines = dict(re.split(r"\s{2,}", line, maxsplit=1) for line in done.stdout.splitlines())
    assert lines["rows"].startswith("20000, ")
    assert {"rate", "first batch", "readers' CPU", "loopback TCP", "passes"} < set(lines)


def test_pin_changes_the_file_and_check_does_not(tmp_path: Path) -> None:
    write_parquet(tmp_path / "data", (10,))
    file = tmp_path / "job.yaml"
    before = (
        "kind: TrainJob\nmetadata: {name: tune}\nspec:\n  initializer:\n    dataset:\n"
        f"      storageUri: cache+parquet://{tmp_path}/data  # here\n"
    )
    file.write_text(before)
    assert run("pin", "--check", str(file)).returncode == 1
    assert file.read_text() == before
    done = run("pin", str(file))
    assert done.returncode == 0 and "tune: data is at snapshot" in done.stderr
    assert file.read_text().startswith(before) and "- name: SNAPSHOT_ID" in file.read_text()


def test_without_the_extra_it_is_said_which(tmp_path: Path) -> None:
    """As in an installation of trainc alone: pyarrow cannot be found."""
    code = (
        "import importlib.util as u, sys; f = u.find_spec\n"
        "u.find_spec = lambda n, *a: None if n.startswith('py') and 'arrow' in n else f(n, *a)\n"
        "sys.argv = ['trainc', 'cache', 'serve', '--local', '.']\n"
        "from trainc.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "pip install 'trainc[cache]'" in done.stderr


def test_help_needs_no_arrow() -> None:
    code = (
        "import sys; from trainc.cli.run import run; run(['cache', '--help'])\n"
        "sys.exit(int('pyarrow' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, json.dumps(done.stderr)
    assert "serve" in done.stdout and "pin" in done.stdout
