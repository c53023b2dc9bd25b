"""A server that speaks the Hub's protocol, for the Hub's real client.

In: repositories, as maps of files. Out: a server on loopback, and a second one that large files are
redirected to, as the Hub does with its CDN. It can be gated, private, slow to let in, and can break
off; it keeps count. The answers follow what ``huggingface_hub`` reads of them.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

PAGE = 50  # entries of a tree in one answer
_API = re.compile(
    r"/api/(?P<type>models|datasets)/(?P<repo>.+?)/"
    r"(?P<what>revision|tree|paths-info)/(?P<revision>[^/]+)(?:/(?P<path>.*))?"
)
_API_DEFAULT = re.compile(r"/api/(?P<type>models|datasets)/(?P<repo>.+)")
_RESOLVE = re.compile(
    r"/(?P<dataset>datasets/)?(?P<repo>.+?)/resolve/(?P<revision>[^/]+)/(?P<path>.+)"
)


@dataclass(frozen=True)
class Repo:
    """A repository.

    Attributes:
        type: ``models`` or ``datasets``.
        files: Per revision, path -> bytes.
        large: Paths that are in LFS, and therefore elsewhere.
        token: Who may read it; empty is everybody.
        gated: Whether even the token's user has to ask first.
    """

    type: str
    files: dict[str, dict[str, bytes]]
    large: frozenset[str] = frozenset()
    token: str = ""
    gated: bool = False


@dataclass
class Hub:
    """The running server.

    Attributes:
        repos: By name.
        seen: ``(server, path, range, authorization)`` of each request for bytes.
        busy: So many requests more are answered 429 (with ``retry_after``) first.
        cuts: Path -> bytes after which the connection is closed, for the next request of it.
        lies: Path -> bytes that the redirect's target adds to the size it tells.
        expired: So many requests more to the CDN are answered 403, as old signatures are.
        odd: Part of a path -> the JSON that requests for it are answered with.
        quota: Requests for files that are granted in each ``window`` of seconds; 0 is no limit.
        refused: Requests beyond the quota.
        no_tree: Whether files cannot be listed, as of some mirrors.
        astray: Where large files are redirected to instead of the CDN.
    """

    repos: dict[str, Repo] = field(default_factory=dict)
    seen: list[tuple[str, str, str, str]] = field(default_factory=list)
    busy: int = 0
    retry_after: str = "1"
    cuts: dict[str, list[int]] = field(default_factory=dict)
    lies: dict[str, int] = field(default_factory=dict)
    expired: int = 0
    odd: dict[str, object] = field(default_factory=dict)
    quota: int = 0
    window: float = 2.0
    granted: list[float] = field(default_factory=list)
    refused: int = 0
    no_tree: bool = False
    astray: str = ""
    url: str = ""
    cdn: str = ""

    def commit(self, repo: str, revision: str) -> str:
        """The commit of a revision."""
        return hashlib.sha1(f"{repo}@{revision}".encode()).hexdigest()

    def grant(self) -> tuple[bool, dict[str, str]]:
        """Whether a request for a file is within the quota, and the header that says what is left.

        As the Hub's: windows that are fixed, and no ``Retry-After``.
        """
        now = time.monotonic()
        if not self.granted or now - self.granted[0] >= self.window:
            self.granted = []
        good = len(self.granted) < self.quota
        if good:
            self.granted.append(now)
        else:
            self.refused += 1
        seconds = math.ceil(self.granted[0] + self.window - now)
        left = self.quota - len(self.granted)
        return good, {"RateLimit": f'"resolvers";r={left};t={seconds}'}

    def revision_of(self, repo: Repo, name: str, asked: str) -> str | None:
        """The revision that a branch, a tag or a commit names."""
        for revision in repo.files:
            if asked in (revision, self.commit(name, revision)):
                return revision
        return None


@contextmanager
def hub() -> Iterator[Hub]:
    """A Hub while the block runs."""
    running = Hub()
    servers = []
    for name in ("hub", "cdn"):

        class Handler(_Handler):
            hub = running
            server_name = name

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
    running.url, running.cdn = (f"http://127.0.0.1:{each.server_address[1]}" for each in servers)
    try:
        yield running
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    server_name: str
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: ``Hub.seen`` holds it all."""

    def do_GET(self) -> None:
        try:
            self._route(urlsplit(self.path))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_HEAD = do_POST = do_GET  # noqa: N815 - http.server's names

    def _route(self, parts: object) -> None:
        path = urlsplit(self.path).path
        if self.hub.busy and self.server_name == "hub":
            self.hub.busy -= 1
            return self._json(429, {}, {"Retry-After": self.hub.retry_after})
        if self.server_name == "cdn":
            return self._cdn(unquote(path))
        for part, body in self.hub.odd.items():
            if part in path:
                return self._json(200, body)
        if match := _API.fullmatch(path):
            return self._api(match.groupdict())
        if match := _API_DEFAULT.fullmatch(path):
            return self._api({**match.groupdict(), "what": "revision", "revision": "main"})
        if match := _RESOLVE.fullmatch(path):
            kind = "datasets" if match["dataset"] else "models"
            return self._resolve({**match.groupdict(), "type": kind})
        return self._json(404, {"error": "Not Found"})

    def _repo(self, asked: dict[str, str | None]) -> tuple[str, Repo, str] | None:
        """The repository, if it is there and may be read; else answers why not."""
        name = unquote(asked["repo"] or "")
        repo = self.hub.repos.get(name)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if repo is None or repo.type != asked["type"] or (repo.token and not token):
            status = 404 if token else 401  # as the Hub: who is nobody is not told
            self._json(status, {"error": "x"}, {"X-Error-Code": "RepoNotFound"})
            return None
        if repo.token and token != repo.token:
            self._json(401, {"error": "Invalid credentials"}, {"X-Error-Code": "RepoNotFound"})
            return None
        if repo.gated:
            headers = {"X-Error-Code": "GatedRepo", "X-Error-Message": f"Access to {name} is gated"}
            self._json(403, {"error": "gated"}, headers)
            return None
        revision = self.hub.revision_of(repo, name, unquote(asked["revision"] or ""))
        if revision is None:
            self._json(404, {"error": "Invalid rev"}, {"X-Error-Code": "RevisionNotFound"})
            return None
        return name, repo, revision

    def _api(self, asked: dict[str, str | None]) -> None:
        found = self._repo(asked)
        if found is None:
            return None
        name, repo, revision = found
        if asked["what"] == "revision":
            sha = self.hub.commit(name, revision)
            siblings = [{"rfilename": path} for path in repo.files[revision]]
            return self._json(200, {"id": name, "sha": sha, "siblings": siblings})
        entries = [_entry(repo, revision, path) for path in sorted(repo.files[revision])]
        if asked["what"] == "paths-info":
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            return self._json(200, _paths_info(entries, body))
        return self._tree(entries, unquote(asked["path"] or ""))

    def _tree(self, entries: list[dict[str, object]], folder: str) -> None:
        if self.hub.no_tree:
            return self._json(404, {"errors": [{"status": 404, "message": "File not found."}]})
        below = [e for e in entries if not folder or str(e["path"]).startswith(f"{folder}/")]
        if folder and not below:
            return self._json(404, {"error": "x"}, {"X-Error-Code": "EntryNotFound"})
        at = int(re.sub(r".*cursor=(\d+).*", r"\1", self.path)) if "cursor=" in self.path else 0
        headers = {}
        if at + PAGE < len(below):
            base = self.path.split("&cursor")[0]
            headers["Link"] = f'<{self.hub.url}{base}&cursor={at + PAGE}>; rel="next"'
        return self._json(200, below[at : at + PAGE], headers)

    def _resolve(self, asked: dict[str, str | None]) -> None:
        self._note()
        found = self._repo(asked)
        if found is None:
            return None
        name, repo, revision = found
        limits: dict[str, str] = {}
        if self.hub.quota:
            good, limits = self.hub.grant()
            if not good:
                return self._json(429, {}, limits)
        path = unquote(asked["path"] or "")
        body = repo.files[revision].get(path)
        if body is None:
            return self._json(404, {"error": "x"}, {"X-Error-Code": "EntryNotFound"})
        headers = {"X-Repo-Commit": self.hub.commit(name, revision), **limits}
        if path not in repo.large:
            return self._bytes(path, body, {**headers, "ETag": f'"{_git(body)}"'})
        sha256 = hashlib.sha256(body).hexdigest()
        headers |= {"X-Linked-Size": str(len(body)), "X-Linked-Etag": f'"{sha256}"'}
        where = f"{self.hub.cdn}/{name}/{sha256}?Signature=planted-signature-{sha256[:8]}"
        return self._json(302, {}, {**headers, "Location": self.hub.astray or where})

    def _cdn(self, path: str) -> None:
        self._note()
        name, _, sha256 = path.strip("/").rpartition("/")
        if self.hub.expired:
            self.hub.expired -= 1
            return self._json(403, {"error": "Request has expired"})
        for files in self.hub.repos[name].files.values():
            for file, body in files.items():
                if hashlib.sha256(body).hexdigest() == sha256:
                    return self._bytes(file, body, {"ETag": f'"{sha256}"'})
        return self._json(404, {})

    def _note(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.seen.append(
            (
                self.server_name,
                path,
                self.headers.get("Range", ""),
                self.headers.get("Authorization", ""),
            )
        )

    def _bytes(self, name: str, body: bytes, headers: dict[str, str]) -> None:
        start, end, total = 0, len(body), len(body) + self.hub.lies.get(name, 0)
        if match := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            start, end = int(match[1]), int(match[2] or len(body) - 1) + 1
            headers = {**headers, "Content-Range": f"bytes {start}-{end - 1}/{total}"}
            self.send_response_only(206)
        else:
            self.send_response_only(200)
        for key, value in {**headers, "Content-Length": str(end - start)}.items():
            self.send_header(key, value)
        self.end_headers()
        part = body[start:end]
        if self.command == "HEAD":
            return
        if cuts := self.hub.cuts.get(name):
            self.wfile.write(part[: cuts.pop(0)])
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self.wfile.write(part)

    def _json(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        text = json.dumps(body).encode()
        self.send_response_only(status)
        for key, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)


def _entry(repo: Repo, revision: str, path: str) -> dict[str, object]:
    body = repo.files[revision][path]
    entry: dict[str, object] = {"type": "file", "path": path, "size": len(body), "oid": _git(body)}
    if path in repo.large:
        oid = hashlib.sha256(body).hexdigest()
        entry["lfs"] = {"oid": oid, "size": len(body), "pointerSize": 134}
        entry["oid"] = _git(f"pointer to {oid}".encode())
    return entry


def _paths_info(entries: list[dict[str, object]], body: str) -> list[dict[str, object]]:
    """What the paths asked for are: files, or folders, or left out."""
    found = []
    for path in parse_qs(body)["paths"]:
        found += [entry for entry in entries if entry["path"] == path]
        if any(str(entry["path"]).startswith(f"{path}/") for entry in entries):
            found.append({"type": "directory", "path": path, "oid": "0" * 40})
    return found


def _git(body: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()
