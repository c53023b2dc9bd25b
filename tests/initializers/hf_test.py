"""The Hub's real client against a server that speaks its protocol."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.initializers.hub import PAGE, Hub, Repo, hub
from tests.initializers.running import complete, fetch_here, some_bytes, tree
from trainc.initializers.config import Ancestor
from trainc.initializers.failure import (
    ConfigurationError,
    FetchError,
    IntegrityError,
    NotFoundError,
    PermissionDeniedError,
    TransientError,
)

pytest.importorskip("huggingface_hub")

MiB = 1024 * 1024
TOKEN = "hf_planted0123456789token"
WEIGHTS = some_bytes(3 * MiB + 1, seed=1)
DATASET = {
    "README.md": b"# alpaca\n",
    "data/train.parquet": some_bytes(2 * MiB, seed=2),
    "data/deep/ünï code.txt": b"words",
    "data2/other.txt": b"no",
}
MODEL = {
    "config.json": b"{}",
    "model.safetensors": WEIGHTS,
    "pytorch_model.bin": b"old weights",
    "original/tokenizer.model": b"tokens",
    "chat_template.jinja": b"{{ x }}",
    "README.md": b"# model",
    "tf_model.h5": b"tf",
}


@pytest.fixture
def server() -> Iterator[Hub]:
    with hub() as running:
        running.repos = {
            "tatsu-lab/alpaca": Repo(
                "datasets",
                {"main": DATASET, "v1": {"old.txt": b"old"}, "refs/pr/7": {"pr.txt": b"pr"}},
                large=frozenset({"data/train.parquet"}),
            ),
            "squad": Repo("datasets", {"main": {"squad.json": b"[]"}}),
            "org/model": Repo("models", {"main": MODEL}, large=frozenset({"model.safetensors"})),
            "org/old": Repo("models", {"main": {"config.json": b"{}", "pytorch_model.bin": b"w"}}),
            "org/odd": Repo(
                "datasets",
                {"main": {"a": b"0", "icons@2x/a b.png": b"1"}, "feature/x": {"z": b"9"}},
            ),
            "org/private": Repo("datasets", {"main": {"a": b"1"}}, token=TOKEN),
            "org/gated": Repo("models", {"main": {"a.json": b"1"}}, token=TOKEN, gated=True),
        }
        yield running


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    uri: str
    want: dict[str, bytes]
    ancestor: Ancestor = "dataset"
    environ: dict[str, str] = field(default_factory=dict)


@pytest.mark.parametrize(
    "case",
    [
        TestCase("a dataset, whole", "hf://tatsu-lab/alpaca", DATASET),
        TestCase("as the hub writes it", "hf://datasets/tatsu-lab/alpaca", DATASET),
        TestCase("a name of one segment", "hf://squad", {"squad.json": b"[]"}),
        TestCase("a revision", "hf://tatsu-lab/alpaca@v1", {"old.txt": b"old"}),
        TestCase("a pull request", "hf://tatsu-lab/alpaca@refs/pr/7", {"pr.txt": b"pr"}),
        TestCase("one segment at a revision", "hf://squad@main", {"squad.json": b"[]"}),
        TestCase("a branch with a slash", "hf://org/odd@feature%2Fx", {"z": b"9"}),
        TestCase(
            "a path with an @",
            "hf://org/odd/icons@2x/a%20b.png",
            {"icons@2x/a b.png": b"1"},
        ),
        TestCase(
            "a path with an @, at a revision",
            "hf://org/odd@main/icons@2x",
            {"icons@2x/a b.png": b"1"},
        ),
        TestCase(
            "a folder keeps its place and has no siblings",
            "hf://tatsu-lab/alpaca/data",
            {path: body for path, body in DATASET.items() if path.startswith("data/")},
        ),
        TestCase(
            "a file at a revision",
            "hf://tatsu-lab/alpaca@main/data/train.parquet",
            {"data/train.parquet": DATASET["data/train.parquet"]},
        ),
        TestCase(
            "an ignore list",
            "hf://tatsu-lab/alpaca",
            {"README.md": DATASET["README.md"], "data2/other.txt": b"no"},
            environ={"IGNORE_PATTERNS": "data/*, *.md5"},
        ),
        TestCase(
            "an allow list",
            "hf://tatsu-lab/alpaca",
            {"README.md": DATASET["README.md"]},
            environ={"ALLOW_PATTERNS": "*.md"},
        ),
        TestCase(
            "a private repository",
            "hf://org/private",
            {"a": b"1"},
            environ={"ACCESS_TOKEN": TOKEN},
        ),
        TestCase(
            "a private repository, by the hub's own variable",
            "hf://org/private",
            {"a": b"1"},
            environ={"HF_TOKEN": TOKEN},
        ),
        TestCase(
            "of a model one set of weights",
            "hf://org/model",
            {
                path: MODEL[path]
                for path in (
                    "config.json",
                    "model.safetensors",
                    "original/tokenizer.model",
                    "chat_template.jinja",
                    "README.md",
                )
            },
            "model",
        ),
        TestCase(
            "older weights where there are no others",
            "hf://org/old",
            {"config.json": b"{}", "pytorch_model.bin": b"w"},
            "model",
        ),
        TestCase(
            "everything, where the lists say so",
            "hf://org/model",
            MODEL,
            "model",
            {"ALLOW_PATTERNS": "", "IGNORE_PATTERNS": ""},
        ),
    ],
    ids=lambda case: case.name,
)
def test_a_repository_arrives(server: Hub, target: Path, case: TestCase) -> None:
    fetch_here(case.uri, target, {"HF_ENDPOINT": server.url, **case.environ}, case.ancestor)
    assert tree(target) == case.want
    assert len(complete(target)["revision"]) == 40


@dataclass(frozen=True)
class FailureCase:
    __test__ = False
    name: str
    uri: str
    kind: type[FetchError]
    says: str
    ancestor: Ancestor = "dataset"
    environ: dict[str, str] = field(default_factory=dict)


@pytest.mark.parametrize(
    "case",
    [
        FailureCase(
            "gated",
            "hf://org/gated",
            PermissionDeniedError,
            "org/gated is gated",
            "model",
            {"ACCESS_TOKEN": TOKEN},
        ),
        FailureCase(
            "missing",
            "hf://org/nothing",
            NotFoundError,
            "no repository org/nothing",
            environ={"ACCESS_TOKEN": TOKEN},
        ),
        FailureCase("missing or private", "hf://org/private", PermissionDeniedError, "private or"),
        FailureCase(
            "a wrong token",
            "hf://org/private",
            PermissionDeniedError,
            "private or",
            environ={"ACCESS_TOKEN": "hf_wrong"},
        ),
        FailureCase("no revision", "hf://squad@v9", NotFoundError, "no revision 'v9'"),
        FailureCase("no path", "hf://squad@main/nope", NotFoundError, "has no 'nope'"),
        FailureCase(
            "a model is no dataset",
            "hf://org/model",
            NotFoundError,
            "there is no dataset org/model, but a model of that name: trainc fetch --as model",
        ),
        FailureCase(
            "a dataset is no model",
            "hf://squad",
            NotFoundError,
            "there is no model squad, but a dataset of that name: trainc fetch --as dataset",
            "model",
        ),
        FailureCase(
            "a URI that says model", "hf://models/org/model", ConfigurationError, "--as model"
        ),
        FailureCase(
            "a URI that says dataset",
            "hf://datasets/squad",
            ConfigurationError,
            "names no model: trainc fetch --as dataset",
            "model",
        ),
        FailureCase("a Space", "hf://spaces/org/app", ConfigurationError, "names no dataset"),
        FailureCase(
            "a slash in a revision",
            "hf://org/odd@feature/x",
            NotFoundError,
            "no revision 'feature'; a slash in its name is written %2F: @feature%2Fx",
        ),
        FailureCase(
            "a pattern",
            "hf://tatsu-lab/alpaca/data/*.parquet",
            NotFoundError,
            r"write hf://tatsu-lab/alpaca/data with ALLOW_PATTERNS=\*.parquet",
        ),
        FailureCase(
            "offline, and nothing cached",
            "hf://squad",
            ConfigurationError,
            "HF_HUB_OFFLINE is set, and /nowhere/hub .* does not hold squad",
            environ={"HF_HUB_OFFLINE": "1", "HF_HOME": "/nowhere"},
        ),
        FailureCase("no name", "hf://org/a b", ConfigurationError, "org/a b"),
        FailureCase("an empty revision", "hf://squad@", ConfigurationError, "no revision after @"),
        FailureCase(
            "patterns leave nothing",
            "hf://squad",
            NotFoundError,
            "none of the 1 files",
            environ={"ALLOW_PATTERNS": "*.csv"},
        ),
    ],
    ids=lambda case: case.name,
)
def test_failures_have_their_kind(server: Hub, target: Path, case: FailureCase) -> None:
    with pytest.raises(case.kind, match=case.says) as raised:
        environ = {"HF_ENDPOINT": server.url, **case.environ}
        fetch_here(case.uri, target, environ, case.ancestor)
    assert TOKEN not in str(raised.value)


@dataclass(frozen=True)
class OddCase:
    __test__ = False
    name: str
    part: str
    body: object
    kind: type[FetchError]
    says: str


FILE = {"type": "file", "path": "a", "oid": "0" * 40, "size": 1}


@pytest.mark.parametrize(
    "case",
    [
        OddCase("a list for everything", "/api/", [], ConfigurationError, "is HF_ENDPOINT one"),
        OddCase("no revision", "/squad", None, ConfigurationError, "is HF_ENDPOINT one"),
        OddCase("no tree", "/tree/", None, ConfigurationError, "is HF_ENDPOINT one"),
        OddCase("an error", "/tree/", {"error": "x"}, ConfigurationError, "is HF_ENDPOINT one"),
        OddCase("no sizes", "/tree/", [{"type": "file"}], ConfigurationError, "is HF_ENDPOINT one"),
        OddCase("no number", "/tree/", [{**FILE, "size": "x"}], IntegrityError, "'a' with 'x'"),
        OddCase("less than none", "/tree/", [{**FILE, "size": -1}], IntegrityError, "'a' with -1"),
        OddCase("no name", "/tree/", [{**FILE, "path": None}], IntegrityError, "None with 1"),
        OddCase(
            "half a character", "/tree/", [{**FILE, "path": "\udc80"}], ConfigurationError, "squad"
        ),
    ],
    ids=lambda case: case.name,
)
def test_what_no_hub_says_is_no_bug_of_ours(server: Hub, target: Path, case: OddCase) -> None:
    server.odd = {case.part: case.body}
    with pytest.raises(case.kind, match=case.says):
        fetch_here("hf://squad", target, {"HF_ENDPOINT": server.url})


def test_a_redirect_to_nowhere_is_no_bug_of_ours(server: Hub, target: Path) -> None:
    server.astray = "http://[nowhere/x"
    with pytest.raises(ConfigurationError, match="tatsu-lab/alpaca: Invalid IPv6 URL"):
        fetch_here("hf://tatsu-lab/alpaca", target, {"HF_ENDPOINT": server.url})


@pytest.mark.parametrize("token", ["planted\nplanted", "plänted", "planted\x00"])
def test_a_token_that_cannot_be_is_not_tried_again(server: Hub, target: Path, token: str) -> None:
    environ = {"HF_ENDPOINT": server.url, "ACCESS_TOKEN": token}
    with pytest.raises(ConfigurationError, match="a header that cannot be") as raised:
        fetch_here("hf://org/private", target, environ)
    assert "plant" not in str(raised.value)


def test_the_token_goes_to_the_hub_and_to_nobody_else(server: Hub, target: Path) -> None:
    server.repos["org/private"] = Repo(
        "datasets", {"main": {"large": WEIGHTS}}, large=frozenset({"large"}), token=TOKEN
    )
    fetch_here("hf://org/private", target, {"HF_ENDPOINT": server.url, "ACCESS_TOKEN": TOKEN})
    sent = {(name, authorization) for name, _, _, authorization in server.seen}
    assert sent == {("hub", f"Bearer {TOKEN}"), ("cdn", "")}


def test_a_listing_of_many_pages(server: Hub, target: Path) -> None:
    files = {f"{number:04}.txt": b"%d" % number for number in range(3 * PAGE + 1)}
    server.repos["org/many"] = Repo("datasets", {"main": files})
    fetch_here("hf://org/many", target, {"HF_ENDPOINT": server.url})
    assert tree(target) == files


def test_a_large_file_comes_in_ranges_from_one_redirect(server: Hub, target: Path) -> None:
    body = some_bytes(70 * MiB)
    server.repos["org/large"] = Repo("datasets", {"main": {"a": body}}, large=frozenset({"a"}))
    fetch_here("hf://org/large", target, {"HF_ENDPOINT": server.url, "CONCURRENCY": "1"})
    assert tree(target) == {"a": body}
    assert [name for name, *_ in server.seen] == ["hub", *["cdn"] * 9]


def test_a_signature_that_has_expired_is_renewed(server: Hub, target: Path) -> None:
    body = some_bytes(70 * MiB)
    server.repos["org/large"] = Repo("datasets", {"main": {"a": body}}, large=frozenset({"a"}))
    fetched = fetch_twice_expiring(server, target)
    assert fetched == {"a": body}
    assert [name for name, *_ in server.seen].count("hub") == 2


def fetch_twice_expiring(server: Hub, target: Path) -> dict[str, bytes]:
    """Lets the second range meet an old signature."""
    note = type(server.seen).append

    class Expiring(list):  # type: ignore[type-arg]
        def append(self, each: object) -> None:
            note(self, each)
            if len(self) == 3:
                server.expired = 1

    server.seen = Expiring()
    fetch_here("hf://org/large", target, {"HF_ENDPOINT": server.url, "CONCURRENCY": "1"})
    return tree(target)


def test_a_connection_that_breaks_off_goes_on_where_it_was(server: Hub, target: Path) -> None:
    server.cuts = {"model.safetensors": [MiB, MiB]}
    fetch_here("hf://org/model", target, {"HF_ENDPOINT": server.url}, "model")
    assert tree(target)["model.safetensors"] == WEIGHTS
    starts = [span.split("=")[1].split("-")[0] for name, _, span, _ in server.seen if name == "cdn"]
    assert len(starts) == 3
    assert 0 < int(starts[1]) <= MiB < int(starts[2]) <= 2 * MiB


def test_a_busy_hub_is_waited_for(server: Hub, target: Path) -> None:
    server.busy = 2
    fetch_here("hf://squad", target, {"HF_ENDPOINT": server.url})
    assert tree(target) == {"squad.json": b"[]"}


@pytest.mark.parametrize(("connections", "most"), [("1", 0), ("8", 2 * 7)])
def test_a_quota_is_waited_for_and_not_knocked_at(
    server: Hub, target: Path, connections: str, most: int
) -> None:
    """Refused is at most what was under way when the answer came that says when."""
    files = {f"{number:02}.txt": b"%d" % number for number in range(50)}
    server.repos["org/many"] = Repo("datasets", {"main": files})
    server.quota = 20
    environ = {"HF_ENDPOINT": server.url, "CONCURRENCY": connections, "RETRY_MAX_SECONDS": "20"}
    fetch_here("hf://org/many", target, environ)
    assert tree(target) == files
    assert server.refused <= most


def test_a_quota_that_is_too_far_away_is_said_at_once(server: Hub, target: Path) -> None:
    server.quota, server.window = 1, 40
    server.grant()
    with pytest.raises(TransientError, match=r"rate limit is used up, and free again in \d+ s"):
        fetch_here("hf://tatsu-lab/alpaca", target, {"HF_ENDPOINT": server.url})
    assert server.refused <= 16


def test_a_mirror_that_lists_no_files_says_what_to_write(server: Hub, target: Path) -> None:
    server.no_tree = True
    with pytest.raises(ConfigurationError, match="does not list its files.*unset HF_ENDPOINT"):
        fetch_here("hf://tatsu-lab/alpaca", target, {"HF_ENDPOINT": server.url})


@pytest.fixture
def cached(server: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the Hub's own client, with a model that it fetched."""
    from huggingface_hub import snapshot_download

    home = tmp_path / "claim" / "hf"
    snapshot_download("org/model", cache_dir=home / "hub", endpoint=server.url)
    assert any(path.is_symlink() for path in home.rglob("*"))
    server.seen.clear()
    return home


@pytest.mark.parametrize(
    "uri", ["hf://org/model", "hf://org/model@main", "hf://org/model/original"]
)
def test_offline_the_hubs_cache_is_read(server: Hub, target: Path, cached: Path, uri: str) -> None:
    environ = {"HF_ENDPOINT": server.url, "HF_HUB_OFFLINE": "1", "HF_HOME": str(cached)}
    fetch_here(uri, target, {**environ, "IGNORE_PATTERNS": ""}, "model")
    below = "original/" if uri.endswith("original") else ""
    assert tree(target) == {path: body for path, body in MODEL.items() if path.startswith(below)}
    assert server.seen == []


def test_offline_what_is_whole_is_enough(server: Hub, target: Path) -> None:
    fetch_here("hf://squad", target, {"HF_ENDPOINT": server.url})
    fetch_here("hf://squad", target, {"HF_ENDPOINT": server.url, "HF_HUB_OFFLINE": "1"})


@pytest.mark.parametrize("scheme", ["file", "pvc", "mounted"])
def test_a_snapshot_of_the_hubs_cache_is_fetched_as_files(
    target: Path, cached: Path, scheme: str
) -> None:
    (snapshot,) = (cached / "hub/models--org--model/snapshots").iterdir()
    below = snapshot.relative_to(cached.parent).as_posix()
    uri = f"pvc://claim/{below}" if scheme == "pvc" else f"file://{snapshot}"
    environ = {"IGNORE_PATTERNS": ""}
    if scheme != "file":
        environ["TRAINC_PVC_ROOT"] = str(cached.parent.parent)
    fetch_here(uri, target, environ, "model")
    assert tree(target) == MODEL


def test_a_hub_that_stays_busy_is_given_up(server: Hub, target: Path) -> None:
    server.busy, server.retry_after = 100, "60"
    with pytest.raises(TransientError, match="429"):
        fetch_here("hf://squad", target, {"HF_ENDPOINT": server.url})
    assert server.busy == 99  # 60 seconds are more than there is patience for


def test_a_hub_that_is_not_there_is_transient(target: Path) -> None:
    environ = {"HF_ENDPOINT": "http://127.0.0.1:9", "RETRY_MAX_SECONDS": "0.2"}
    with pytest.raises(TransientError):
        fetch_here("hf://squad", target, environ)


@pytest.mark.parametrize("path", ["model.safetensors", "config.json"])
def test_bytes_that_are_not_the_promised_ones_are_refused(
    server: Hub, target: Path, path: str
) -> None:
    class Rotten(dict):  # type: ignore[type-arg]
        """Right while it is listed, wrong when it is read."""

        listed = False

        def get(self, key: str, default: object = None) -> object:
            body = super().get(key)
            return b"X" + body[1:] if key == path and body else body

    files = Rotten(MODEL)
    server.repos["org/model"] = Repo("models", {"main": files})
    with pytest.raises(IntegrityError, match="2 attempts"):
        fetch_here("hf://org/model", target, {"HF_ENDPOINT": server.url}, "model")
    assert path not in tree(target)


def test_a_server_that_lies_about_length_is_refused(server: Hub, target: Path) -> None:
    server.lies = {"model.safetensors": 7}
    with pytest.raises(IntegrityError, match="was listed with"):
        fetch_here("hf://org/model", target, {"HF_ENDPOINT": server.url}, "model")


def test_an_unchanged_repository_is_not_fetched_again(server: Hub, target: Path) -> None:
    environ = {"HF_ENDPOINT": server.url}
    fetch_here("hf://tatsu-lab/alpaca", target, environ)
    server.seen.clear()
    fetch_here("hf://tatsu-lab/alpaca", target, environ)
    fetch_here("hf://tatsu-lab/alpaca", target, {**environ, "REFRESH": "1"})
    assert server.seen == []


def test_of_a_changed_repository_the_change_is_fetched(server: Hub, target: Path) -> None:
    environ = {"HF_ENDPOINT": server.url, "REFRESH": "1"}
    fetch_here("hf://tatsu-lab/alpaca", target, environ)
    server.seen.clear()
    changed = {**DATASET, "README.md": b"# new\n"}
    del changed["data2/other.txt"]
    server.repos["tatsu-lab/alpaca"] = Repo("datasets", {"main": changed})
    server.seen.clear()
    fetch_here("hf://tatsu-lab/alpaca", target, environ)
    assert tree(target) == changed
    assert not (target / "data2").exists()
    # Out of LFS the parquet file has another git name: it counts as another version.
    fetched = {path.rpartition("/resolve/")[2].partition("/")[2] for _, path, _, _ in server.seen}
    assert fetched == {"README.md", "data/train.parquet"}
