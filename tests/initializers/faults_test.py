"""What networks and servers do wrong: everything is made good, or refused for what it is."""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.initializers.lasting import ALWAYS, LastingCase, assert_ends
from tests.initializers.proxy import Fault, Seen, proxy, times
from tests.initializers.running import complete, fetch_here, some_bytes, tree
from tests.initializers.servers import S3
from trainc.initializers.failure import FetchError, IntegrityError, TransientError
from trainc.initializers.manifest import NAME, Finished, Identity, Manifest
from trainc.initializers.paths import PARTIAL
from trainc.initializers.target import Target

MiB = 1024 * 1024
SMALL = some_bytes(3 * MiB, seed=3)
LARGE = some_bytes(36 * MiB, seed=4)


@pytest.fixture
def filled(versitygw: S3, bucket: str) -> str:
    versitygw.bucket(bucket)
    versitygw.put(bucket, "set/small", SMALL)
    versitygw.put(bucket, "set/large", LARGE)
    return bucket


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    fault: Fault
    count: int = 3
    part: str = ""


@pytest.mark.parametrize(
    "case",
    [
        TestCase("the server has an error", Fault(status=500)),
        TestCase("the server is overloaded", Fault(status=503, retry_after="1")),
        TestCase("too many requests", Fault(status=429)),
        TestCase("the connection is cut at once", Fault(cut=0)),
        TestCase("the connection is cut in the middle", Fault(cut=2 * MiB + 7)),
        TestCase("the server stalls", Fault(stall=60), count=2),
        # Every byte that was listed has come, and has the right digest.
        TestCase("the server promises more than it sends", Fault(length=1000), 10**6),
        TestCase("a byte is changed on the way, in a small file", Fault(flip=5), 1, "small"),
        TestCase("a byte is changed on the way, in a large file", Fault(flip=5), 1, "large"),
    ],
    ids=lambda case: case.name,
)
def test_what_passes_is_made_good(versitygw: S3, filled: str, target: Path, case: TestCase) -> None:
    with proxy(versitygw.endpoint) as between:
        between.plan = times(case.count, case.fault, case.part)
        environ = versitygw.environ(
            ENDPOINT=between.url, RETRY_MAX_SECONDS="30", READ_TIMEOUT_SECONDS="1"
        )
        fetch_here(f"s3://{filled}/set", target, environ)
    assert tree(target) == {"small": SMALL, "large": LARGE}


@pytest.mark.parametrize(
    "case",
    [
        LastingCase("errors", Fault(status=500), TransientError, "500"),
        LastingCase("cuts", Fault(cut=0), TransientError, "small|large"),
        LastingCase("stalls", Fault(stall=60, cut=0), TransientError, "small|large"),
        LastingCase("lies, too little", Fault(length=-10), TransientError, "broke off"),
        LastingCase("changes", Fault(flip=1), IntegrityError, "2 attempts"),
    ],
    ids=lambda case: case.name,
)
def test_what_lasts_ends_the_fetch(
    versitygw: S3, filled: str, target: Path, case: LastingCase
) -> None:
    assert_ends(versitygw, filled, target, case)
    assert tree(target) == {}


def test_retries_end_when_their_time_is_up(versitygw: S3, filled: str, target: Path) -> None:
    with proxy(versitygw.endpoint) as between:
        between.plan = lambda seen: Fault(status=503)
        environ = versitygw.environ(ENDPOINT=between.url, RETRY_MAX_SECONDS="2")
        start = time.monotonic()
        with pytest.raises(TransientError):
            fetch_here(f"s3://{filled}/set", target, environ)
    # Not at once, and not for ever; how long exactly is the machine's affair.
    assert 2 <= time.monotonic() - start < 60
    assert len(between.seen) > 2


def test_a_wrong_key_is_not_tried_again(versitygw: S3, filled: str, target: Path) -> None:
    with proxy(versitygw.endpoint) as between:
        environ = versitygw.environ(ENDPOINT=between.url, SECRET_ACCESS_KEY="wrong")
        with pytest.raises(FetchError):
            fetch_here(f"s3://{filled}/set", target, environ)
    assert len(between.seen) == 1


def test_a_cut_connection_goes_on_where_it_was(versitygw: S3, filled: str, target: Path) -> None:
    with proxy(versitygw.endpoint) as between:
        between.plan = times(1, Fault(cut=2 * MiB), "small")
        fetch_here(f"s3://{filled}/set/small", target, versitygw.environ(ENDPOINT=between.url))
        first, second = between.gets("small")
    assert tree(target) == {"small": SMALL}
    assert first.sent == 2 * MiB
    # What was still in a buffer when the connection broke is asked for again, not more.
    assert second.range.startswith("bytes=")
    assert int(second.range[6:].split("-")[0]) > MiB


@pytest.mark.parametrize("careless", [False, True])
@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_an_object_that_changes_meanwhile_is_not_mixed(
    versitygw: S3,
    filled: str,
    target: Path,
    method: str,
    careless: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if careless:
        monkeypatch.setattr("trainc.initializers.providers.s3._of_version", lambda file: {})
        # ... and has no digest either: the version is all that tells.
        monkeypatch.setattr("trainc.initializers.providers.s3._CHECKSUMS", ())
    changed = [False]

    def change(seen: Seen) -> None:
        if not changed[0] and seen.path.endswith("/large") and seen.method == method:
            changed[0] = True
            versitygw.put(filled, "set/large", LARGE[::-1])

    with proxy(versitygw.endpoint) as between:
        between.plan = change
        with pytest.raises(TransientError, match="changed while"):
            environ = versitygw.environ(ENDPOINT=between.url, VERIFY_ETAG="false")
            fetch_here(f"s3://{filled}/set/large", target, environ)
    assert tree(target) == {}
    fetch_here(f"s3://{filled}/set/large", target, versitygw.environ())
    assert tree(target) == {"large": LARGE[::-1]}


@pytest.mark.parametrize("name", ["small", "large"])
def test_an_object_that_goes_after_the_listing_is_a_matter_of_another_try(
    versitygw: S3, filled: str, target: Path, name: str
) -> None:
    with proxy(versitygw.endpoint) as between:
        between.plan = times(ALWAYS, Fault(status=404), name)
        with pytest.raises(TransientError, match=f"set/{name}' was listed and is not there"):
            fetch_here(f"s3://{filled}/set", target, versitygw.environ(ENDPOINT=between.url))
    asked = [seen.range for seen in between.gets(name)]
    assert len(asked) == len(set(asked))  # each once: this listing is of no more use


def test_a_second_start_asks_the_network_nothing(versitygw: S3, filled: str, target: Path) -> None:
    with proxy(versitygw.endpoint) as between:
        environ = versitygw.environ(ENDPOINT=between.url)
        fetch_here(f"s3://{filled}/set", target, environ)
        asked = len(between.seen)
        fetch_here(f"s3://{filled}/set", target, environ)
        assert len(between.seen) == asked
        fetch_here(f"s3://{filled}/set", target, {**environ, "REFRESH": "1"})
        assert asked < len(between.seen)
        assert len(between.gets("small")) == 1


@pytest.mark.parametrize("harm", ["removed", "cut", "touched", "replaced by a link"])
def test_a_harmed_file_is_fetched_again_and_only_that(
    versitygw: S3, filled: str, target: Path, harm: str
) -> None:
    with proxy(versitygw.endpoint) as between:
        environ = versitygw.environ(ENDPOINT=between.url)
        fetch_here(f"s3://{filled}/set", target, environ)
        small = target / "small"
        if harm == "cut":
            small.write_bytes(SMALL[:-1])
        elif harm == "touched":
            small.write_bytes(SMALL[::-1])
        else:
            small.unlink()
        if harm == "replaced by a link":
            other = target.parent / "other"
            other.write_bytes(SMALL)
            small.symlink_to(other)
        between.seen.clear()
        fetch_here(f"s3://{filled}/set", target, environ)
        assert {seen.path.rpartition("/")[2] for seen in between.gets()} == {"small"}
    assert not (target / "small").is_symlink()
    assert tree(target) == {"small": SMALL, "large": LARGE}


def test_a_manifest_that_was_edited_is_not_believed(
    versitygw: S3, filled: str, target: Path
) -> None:
    fetch_here(f"s3://{filled}/set", target, versitygw.environ())
    held = complete(target)
    (target / "small").unlink()
    held["files"] = [file for file in held["files"] if file["path"] != "small"]
    (target / NAME).write_text(json.dumps(held))
    fetch_here(f"s3://{filled}/set", target, versitygw.environ())
    assert tree(target) == {"small": SMALL, "large": LARGE}


def test_a_manifest_that_was_forged_removes_nothing_outside(
    versitygw: S3, filled: str, target: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    mine.write_text("mine")
    left = Finished(str(mine), 4, "", "", mine.stat().st_mtime_ns)
    target.mkdir(parents=True)
    Manifest(Identity("s3://other/set", {}), "", [left]).write(target / NAME)
    fetch_here(f"s3://{filled}/set", target, versitygw.environ())
    assert mine.read_text() == "mine"


def test_a_file_that_goes_meanwhile_is_missed(
    versitygw: S3, filled: str, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed = Target.place

    def place(self: Target, name: str, path: str) -> None:
        placed(self, name, path)
        if path == "small":
            (self.folder / path).unlink()

    monkeypatch.setattr(Target, "place", place)
    with pytest.raises(IntegrityError, match="changed by somebody else"):
        fetch_here(f"s3://{filled}/set", target, versitygw.environ())
    assert not (target / NAME).exists()


def test_a_large_file_that_lost_bytes_in_a_crash_is_fetched_again(
    versitygw: S3, filled: str, target: Path
) -> None:
    fetch_here(f"s3://{filled}/set", target, versitygw.environ())
    (entry,) = (each for each in complete(target)["files"] if each["path"] == "large")
    lost = target / "large"
    with lost.open("wb") as file:  # right in size and time, as a node's crash may leave it
        file.truncate(len(LARGE))
    os.utime(lost, ns=(entry["mtime_ns"], entry["mtime_ns"]))
    fetch_here(f"s3://{filled}/set", target, versitygw.environ())
    assert tree(target)["large"] == LARGE


def test_another_uri_leaves_nothing_of_the_first(versitygw: S3, filled: str, target: Path) -> None:
    versitygw.put(filled, "other/new/file", b"new")
    fetch_here(f"s3://{filled}/set", target, versitygw.environ())
    (target / "mine.txt").write_text("not of any fetch")
    fetch_here(f"s3://{filled}/other", target, versitygw.environ())
    assert tree(target) == {"new/file": b"new", "mine.txt": b"not of any fetch"}


def test_two_at_a_time_fetch_once(versitygw: S3, filled: str, target: Path) -> None:
    with proxy(versitygw.endpoint) as between:
        between.bytes_per_second = 20 * MiB
        environ = versitygw.environ(ENDPOINT=between.url, RETRY_MAX_SECONDS="60")
        with ThreadPoolExecutor(2) as pool:
            both = [
                pool.submit(fetch_here, f"s3://{filled}/set", target, environ) for _ in range(2)
            ]
            for each in both:
                each.result()
        assert len(between.gets("small")) == 1
    assert tree(target) == {"small": SMALL, "large": LARGE}
    assert not (target / PARTIAL).exists()
