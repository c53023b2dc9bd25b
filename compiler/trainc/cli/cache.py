"""``trainc cache``: serve a table on this machine, measure a cache, pin a snapshot.

In: options. Out: an address, a table of figures, a changed source file. What Arrow is needed for is
imported when it is needed, so that ``trainc --help`` needs none of it.
"""

import importlib.util
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trainc.cli.output import write_out

if TYPE_CHECKING:
    from trainc.cache.local import LocalCache
    from trainc.cache.security import Security
    from trainc.cache.sources.source import Source

_NEEDED = ("pyarrow", "pyiceberg")


@click.group()
def cache() -> None:
    """Serve, measure and pin what a data cache holds (needs trainc[cache])."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise click.UsageError(
            f"needs {' and '.join(missing)}, which the extra has: pip install 'trainc[cache]'"
        )


def _comma_list(ctx: click.Context, param: click.Parameter, value: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in value.split(",") if word.strip())


_SOURCE_OPTIONS = (
    click.option("--snapshot", default="", metavar="ID", help="Serve this snapshot."),
    click.option(
        "--columns",
        default="",
        metavar="A,B",
        callback=_comma_list,
        help="Serve these columns only.",
    ),
    click.option(
        "--filter",
        "row_filter",
        default="",
        metavar="EXPR",
        help="Serve these rows only, as in: a > 5 and b = 'x'.",
    ),
    click.option(
        "--files",
        default="",
        metavar="A,B",
        callback=_comma_list,
        help="Serve these files of a folder only: patterns such as train-*.parquet.",
    ),
    click.option(
        "--workers",
        default=2,
        show_default=True,
        type=click.IntRange(1, 64),
        help="Number of workers.",
    ),
)


def _source_options(command: Any) -> Any:
    for option in reversed(_SOURCE_OPTIONS):
        command = option(command)
    return command


@cache.command()
@click.option(
    "--local",
    required=True,
    metavar="PATH",
    help="A Parquet (CSV, Arrow, ORC) file or folder, or an Iceberg metadata file; may be a URI.",
)
@click.option("--insecure", is_flag=True, help="Ask readers for no token.")
@click.option("--tls", is_flag=True, help="Encrypt, with a certificate made for this run.")
@click.option(
    "--port",
    default=0,
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Of the head. Default: any free one.",
)
@_source_options
def serve(local: str, insecure: bool, tls: bool, port: int, **flags: Any) -> int:
    """Serve a table on this machine, on the loopback, until Ctrl-C.

    Prints the head's address when every row is held. Readers bring a token unless --insecure is
    given; where it is, is said on stderr.
    """
    from trainc.cache.local import LocalCache

    source = _source(local, flags)
    with tempfile.TemporaryDirectory(prefix="trainc-auth-") as folder:
        security = _security(Path(folder), insecure, tls)
        with LocalCache(source, flags["workers"], port, security, _quietly()) as running:
            return _serve(running)


@cache.command()
@click.argument("address", required=False)
@click.option("--local", metavar="PATH", help="Measure a cache of this table, started for it.")
@click.option("--passes", default=5, show_default=True, type=click.IntRange(1, 1000))
@click.option("--clients", default=1, show_default=True, type=click.IntRange(1, 256))
@_source_options
def bench(address: str | None, local: str | None, passes: int, clients: int, **flags: Any) -> int:
    """Measure reading: rows and bytes a second, first batch, and loopback TCP beside it.

    ADDRESS is a running cache (token and CA from the environment); without it and without --local
    a table of random rows is made and served.
    """
    from trainc.cache.bench import measure, report, sample_table
    from trainc.cache.local import LocalCache

    if address and local:
        raise click.UsageError("give an address or --local, not both")
    if address:
        write_out([report(measure(address, passes, clients))])
        return 0
    with tempfile.TemporaryDirectory(prefix="trainc-bench-") as folder:
        source = _source(local or sample_table(Path(folder)), flags)
        with LocalCache(source, flags["workers"], environ=_quietly()) as running:
            state = _wait(running)
            if state is None:
                return 1
            write_out([report(measure(running.address, passes, clients))])
    return 0


@cache.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Write nothing; exit 1 where the file would change.")
def pin(file: Path, check: bool) -> int:
    """Write the snapshot ids of FILE's caches into it, keeping comments and layout.

    For every TrainJob in FILE whose dataset is a cache:// or cache+KIND:// URI the source is asked
    for its current snapshot (by METADATA_LOC, or by the catalog CATALOG_NAME, from the job's env or
    from this environment), and SNAPSHOT_ID is set in spec.initializer.dataset.env.
    """
    from trainc.cache.pin import pinned

    text, pins = pinned(file.read_text(), str(file))
    changed = text != file.read_text()
    for found in pins:
        sys.stderr.write(f"{found}\n")
    if changed and not check:
        unfinished = file.with_name(f".{file.name}.part")
        unfinished.write_text(text)
        unfinished.chmod(file.stat().st_mode)
        unfinished.replace(file)
    return int(changed and check)


def _source(local: str, flags: dict[str, Any]) -> "Source":
    from trainc.cache.local import kind_of
    from trainc.cache.settings import name_of
    from trainc.cache.sources.source import Source

    path = local.removeprefix("file://")
    if "://" not in path:
        path = str(Path(path).absolute())
        if not Path(path).exists():
            raise click.UsageError(f"{local}: no such file or folder")
    return Source(
        kind=kind_of(path),
        location=path,
        name=name_of(path),
        snapshot=flags["snapshot"],
        columns=flags["columns"],
        row_filter=flags["row_filter"],
        files=flags["files"],
    )


def _quietly() -> dict[str, str]:
    """The environment of processes that report through us: what fails, the head's state tells."""
    import os

    from trainc import names

    return {names.CACHE_LOG_ENV: "ERROR", **os.environ}


def _security(folder: Path, insecure: bool, tls: bool) -> "Security":
    from trainc.cache.local import LOOPBACK, mint_token
    from trainc.cache.security import Security

    paths: dict[str, Path] = {}
    if tls:
        from datetime import UTC, datetime

        from trainc.kube.keys import tls_pair

        pair = tls_pair([LOOPBACK, "localhost"], datetime.now(UTC))
        for field, text in (("ca", pair.ca), ("cert", pair.certificate), ("key", pair.key)):
            paths[field] = folder / f"{field}.pem"
            paths[field].touch(mode=0o600)
            paths[field].write_text(text)
    if not insecure:
        paths["token"] = mint_token(folder)
    return Security(**paths)


def _serve(running: "LocalCache") -> int:
    state = _wait(running)
    if state is None:
        return 1
    write_out([f"{running.address}\n"])
    _say_how(running, state)
    try:
        return _until_one_ends(running)
    except KeyboardInterrupt:
        return 0


def _wait(running: "LocalCache") -> dict[str, Any] | None:
    """The head's state once it is ready; None where the source cannot be served."""
    import time

    while True:
        try:
            return running.wait_ready(0.5)
        except TimeoutError:
            state = running.stats()
            told = [state, *state.get("workers", ())]
            errors = [one["error"] for one in told if one.get("error")]
            if errors:
                sys.stderr.write(f"error: {errors[0]}\n")
                return None
        except RuntimeError as error:
            sys.stderr.write(f"error: {error}\n")
            return None
        time.sleep(0.1)


def _say_how(running: "LocalCache", state: dict[str, Any]) -> None:
    from trainc import names

    sys.stderr.write(f"{state['dataset']} at snapshot {state['snapshot']}: {state['rows']} rows\n")
    security = running.security
    for name, path in ((names.CACHE_CA_ENV, security.ca), (names.CACHE_TOKEN_ENV, security.token)):
        if path:
            sys.stderr.write(f"readers need: export {name}={path}\n")


def _until_one_ends(running: "LocalCache") -> int:
    import time

    while True:
        for process in running.processes:
            if process.ended():
                sys.stderr.write(f"error: the {process.role} on {process.address} ended\n")
                return 1
        time.sleep(0.5)
