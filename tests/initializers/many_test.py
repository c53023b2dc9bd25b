"""Many small objects over one thread: what networks and servers do wrong to some of them."""

from __future__ import annotations

import socketserver
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.initializers.lasting import ALWAYS, LastingCase, assert_ends
from tests.initializers.proxy import Fault, Seen, proxy, times
from tests.initializers.running import complete, fetch_here, some_bytes, tree
from tests.initializers.servers import S3
from trainc.initializers.curl import Answer, Answers, Asked, Circumstances
from trainc.initializers.failure import (
    ConfigurationError,
    FetchError,
    IntegrityError,
    PermissionDeniedError,
    TransientError,
)

FILES = {
    f"{number % 3}/{number:02}": some_bytes(1000 + number, seed=number) for number in range(40)
}


@pytest.fixture
def filled(versitygw: S3, bucket: str) -> str:
    versitygw.bucket(bucket)
    for path, content in FILES.items():
        versitygw.put(bucket, f"set/{path}", content)
    return bucket


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    fault: Fault
    count: int = 3


@pytest.mark.parametrize(
    "case",
    [
        TestCase("the server has an error", Fault(status=500)),
        TestCase("the server has errors for longer than for a few", Fault(status=500), 20),
        TestCase("the server is overloaded", Fault(status=503, retry_after="1")),
        TestCase("the connection is cut at once", Fault(cut=0)),
        TestCase("the connection is cut in the middle", Fault(cut=700)),
        TestCase("the server stalls", Fault(length=1000, stall=60), 2),
        TestCase("the server promises more than it sends", Fault(length=1000), 1),
        TestCase("a byte is changed on the way", Fault(flip=5), 1),
        TestCase("the server sends less than it has", Fault(length=-10)),
        TestCase("the server sends nothing", Fault(status=200)),
        TestCase("the server has nothing to say", Fault(status=204)),
        TestCase("the server sends a part that nobody wanted", Fault(status=206)),
    ],
    ids=lambda case: case.name,
)
def test_what_passes_is_made_good(versitygw: S3, filled: str, target: Path, case: TestCase) -> None:
    with proxy(versitygw.endpoint) as between:
        between.plan = times(case.count, case.fault)
        environ = versitygw.environ(
            ENDPOINT=between.url, RETRY_MAX_SECONDS="30", READ_TIMEOUT_SECONDS="1"
        )
        fetch_here(f"s3://{filled}/set", target, environ)
        fetched = [each.path for each in between.gets()]
    assert tree(target) == FILES
    # What arrived unharmed is not fetched twice.
    assert len(fetched) == len(FILES) + case.count


@pytest.mark.parametrize(
    "case",
    [
        LastingCase("errors", Fault(status=500), TransientError, "'set/./..' at .*: 500"),
        LastingCase("refusals", Fault(status=403), PermissionDeniedError, "'set/./..' at .*: 403"),
        LastingCase("cuts", Fault(cut=0), TransientError, "'set/./..'"),
        LastingCase("it is gone", Fault(status=404), TransientError, "was listed and is not there"),
        LastingCase("it is another", Fault(status=412), TransientError, "was changed while"),
        LastingCase("redirects", Fault(status=307), ConfigurationError, "307"),
        LastingCase("lies, too little", Fault(length=-10), TransientError, "broke off at byte"),
        LastingCase("nothing to say", Fault(status=204), IntegrityError, "204, no range"),
        LastingCase("changes", Fault(flip=1), IntegrityError, "2 attempts"),
    ],
    ids=lambda case: case.name,
)
def test_what_lasts_ends_the_fetch(
    versitygw: S3, filled: str, target: Path, case: LastingCase
) -> None:
    assert_ends(versitygw, filled, target, case, "2/")
    assert not [path for path in tree(target) if path.startswith("2/")]


class Slow:
    """A plan that answers requests of a method late, and counts how many wait at a time."""

    def __init__(self, method: str, seconds: float) -> None:
        self.most = 0
        self._method = method
        self._seconds = seconds
        self._alive = 0
        self._lock = threading.Lock()

    def __call__(self, seen: Seen) -> None:
        if seen.method != self._method or "list-type" in seen.query:
            return
        with self._lock:
            self._alive += 1
            self.most = max(self.most, self._alive)
        threading.Event().wait(self._seconds)
        with self._lock:
            self._alive -= 1


@pytest.mark.parametrize("failures", [0, 12])
def test_no_more_connections_than_allowed(
    versitygw: S3, filled: str, target: Path, failures: int
) -> None:
    slow = Slow("GET", 0.02)
    failing = times(failures, Fault(status=500), "set/0")

    def plan(seen: Seen) -> Fault | None:
        slow(seen)
        return failing(seen)

    with proxy(versitygw.endpoint) as between:
        between.plan = plan
        environ = versitygw.environ(ENDPOINT=between.url, CONCURRENCY="3")
        fetch_here(f"s3://{filled}/set", target, environ)
    assert tree(target) == FILES
    assert slow.most == 3


def test_etags_that_are_no_digests_are_asked_for_side_by_side(
    versitygw: S3, filled: str, target: Path
) -> None:
    slow = Slow("HEAD", 0.2)

    def encrypted(seen: Seen) -> Fault:
        slow(seen)
        if seen.method == "HEAD":
            return Fault(encrypted=True)
        return Fault() if "list-type" in seen.query else Fault(flip=5)

    with proxy(versitygw.endpoint) as between:
        between.plan = encrypted
        fetch_here(f"s3://{filled}/set", target, versitygw.environ(ENDPOINT=between.url))
        assert len(between.gets()) == len(FILES)
    assert {path: len(content) for path, content in tree(target).items()} == {
        path: len(content) for path, content in FILES.items()
    }
    assert slow.most > 1


def test_the_rest_comes_with_another_start(versitygw: S3, filled: str, target: Path) -> None:
    with proxy(versitygw.endpoint) as between:
        environ = versitygw.environ(ENDPOINT=between.url, RETRY_MAX_SECONDS="0")
        between.plan = times(ALWAYS, Fault(status=500), "0/39")
        with pytest.raises(TransientError):
            fetch_here(f"s3://{filled}/set", target, environ)
        there = set(tree(target))
        between.plan = lambda seen: None
        between.seen.clear()
        fetch_here(f"s3://{filled}/set", target, environ)
        again = {each.path.partition("/set/")[2] for each in between.gets()}
    assert there
    assert again == FILES.keys() - there
    assert complete(target)["bytes"] == sum(map(len, FILES.values()))


def gotten(
    url: str, names: list[str], sizes: int = 2000, timeout: float = 5, ca_bundle: str = ""
) -> dict[str, Answer | FetchError]:
    """What comes of each."""
    answers = Answers(
        iter(names),
        lambda name: Asked(f"{url}/{name}", {"If-Match": '"1"'}, sizes),
        lambda name: f"the file {name!r}",
        Circumstances(url, timeout, ca_bundle),
        lambda: 2,
    )
    return dict(each for each in answers if each is not None)


@pytest.fixture
def environs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    yield monkeypatch.setenv


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY"])
def test_requests_go_by_the_environments_proxy(
    environs: Callable[[str, str], None], variable: str
) -> None:
    with proxy("http://127.0.0.1:9") as between:
        between.plan = lambda seen: Fault(status=418)
        environs(variable, between.url)
        (answer,) = gotten("http://storage.invalid", ["a"]).values()
    assert isinstance(answer, Answer) and answer.status == 418
    assert [each.path for each in between.seen] == ["/a"]


def test_servers_without_a_proxy_are_asked_directly(environs: Callable[[str, str], None]) -> None:
    with proxy("http://127.0.0.1:9") as between:
        between.plan = lambda seen: Fault(status=418)
        environs("http_proxy", "http://127.0.0.1:9")
        environs("no_proxy", "127.0.0.1")
        (answer,) = gotten(between.url, ["a"]).values()
    assert isinstance(answer, Answer) and answer.status == 418


def test_a_server_that_is_not_there_is_a_matter_of_another_try() -> None:
    found = gotten("http://127.0.0.1:9", ["a", "b", "c"])
    assert found.keys() == {"a", "b", "c"}
    for error in found.values():
        assert isinstance(error, TransientError) and "the file '" in str(error)


@dataclass(frozen=True)
class Sayer:
    """A server that says one thing to everybody, and hangs up; and what it has heard."""

    port: int
    heard: list[str]


@contextmanager
def saying(answer: bytes) -> Iterator[Sayer]:
    heard: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while line := self.rfile.readline().decode().strip():
                heard.append(line)
            self.wfile.write(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield Sayer(server.server_address[1], heard)
        server.shutdown()


def test_what_is_no_answer_is_a_matter_of_another_try() -> None:
    with saying(b"no HTTP at all") as sayer:
        (error,) = gotten(f"http://127.0.0.1:{sayer.port}", ["a"]).values()
    assert isinstance(error, TransientError)


@dataclass(frozen=True)
class ProxyCase:
    __test__ = False
    name: str
    before: str
    url: str
    hears: str
    proof: str = ""


@pytest.mark.parametrize(
    "case",
    [
        ProxyCase("no scheme", "", "http://a.invalid", "GET http://a.invalid/x"),
        ProxyCase("a user", "http://u:p@", "http://a.invalid", "GET http://a.invalid/x", "u:p"),
        ProxyCase(
            "odd characters in a password",
            "http://u:p#/%40?@",
            "http://a.invalid",
            "GET http://a.invalid/x",
            "u:p#/@?",
        ),
        ProxyCase("of TLS", "u:p@", "https://a.invalid", "CONNECT a.invalid:443", "u:p"),
        ProxyCase("of TLS, by name", "https://", "https://a.invalid", "CONNECT a.invalid:443"),
    ],
    ids=lambda case: case.name,
)
def test_proxies_are_read_as_by_the_other_client(
    environs: Callable[[str, str], None], case: ProxyCase
) -> None:
    with saying(b"HTTP/1.1 418 \r\nContent-Length: 0\r\n\r\n") as sayer:
        environs(f"{case.url.partition(':')[0]}_proxy", f"{case.before}127.0.0.1:{sayer.port}/")
        gotten(case.url, ["x"], timeout=1)
    proofs = [line.partition(" Basic ")[2] for line in sayer.heard if " Basic " in line]
    assert sayer.heard[0] == f"{case.hears} HTTP/1.1"
    assert proofs == ([b64encode(case.proof.encode()).decode()] if case.proof else [])


def test_a_url_that_is_none_is_a_mistake() -> None:
    (error,) = gotten("http://127.0.0.1:99999", ["a"]).values()
    assert isinstance(error, ConfigurationError)


def test_an_answer_without_end_is_cut_off(versitygw: S3, filled: str) -> None:
    versitygw.put(filled, "long", bytes(300_000))
    with proxy(versitygw.endpoint) as between:
        (error,) = gotten(between.url, [f"{filled}/long"], sizes=10).values()
    assert isinstance(error, Answer | IntegrityError)


def test_a_request_that_cannot_be_made_leaves_the_others_alone(versitygw: S3) -> None:
    def ask(name: str) -> Asked:
        if name == "b":
            raise PermissionDeniedError("no keys")
        return Asked(f"{versitygw.endpoint}/{name}", {}, 10)

    given = Circumstances(versitygw.endpoint, 5, "")
    answers = dict(filter(None, Answers(iter("abc"), ask, str, given, lambda: 1)))
    assert isinstance(answers["b"], PermissionDeniedError)
    assert isinstance(answers["a"], Answer) and isinstance(answers["c"], Answer)


def test_a_path_is_sent_as_it_is() -> None:
    with proxy("http://127.0.0.1:9") as between:
        between.plan = lambda seen: Fault(status=404)
        gotten(between.url, ["a/../b", "c//d/", "%2E/e"])
        assert {each.path for each in between.seen} == {"/a/../b", "/c//d/", "/./e"}


@pytest.mark.parametrize("server", ["storage.invalid:80", "storage.invalid:", "Storage.invalid:9"])
def test_what_is_signed_is_what_is_sent(
    versitygw: S3,
    filled: str,
    target: Path,
    environs: Callable[[str, str], None],
    server: str,
) -> None:
    with proxy(versitygw.endpoint) as between:
        environs("http_proxy", between.url)
        fetch_here(f"s3://{filled}/set", target, versitygw.environ(ENDPOINT=f"http://{server}"))
    assert tree(target) == FILES
