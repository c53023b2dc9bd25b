"""A Git repository as its host serves it: over HTTP, by ``git http-backend``; and a clone.

In: a folder. Out: ``Host``, which serves every bare repository below the folder on loopback, and
``Repository``, a working copy whose commits are pushed there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit


class Repository:
    """A working copy with one branch, ``main``; commits go to the bare repository at once."""

    def __init__(self, folder: Path, bare: Path, url: str) -> None:
        """Makes both; ``url`` is where the host serves the bare one."""
        self.folder = folder
        self.url = url
        bare.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        _git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
        _git(folder, "init", "--quiet", "--initial-branch=main")
        _git(folder, "remote", "add", "origin", str(bare))

    def commit(self, message: str = "change") -> str:
        """Commits all that is in the folder, and pushes it; the commit's hash."""
        _git(self.folder, "add", "--all")
        _git(self.folder, "commit", "--quiet", "--allow-empty", "--message", message)
        _git(self.folder, "push", "--quiet", "origin", "main")
        return _git(self.folder, "rev-parse", "HEAD")


class Host:
    """Serves bare repositories; ``url`` is its address."""

    def __init__(self, root: Path, url: str) -> None:
        """Of the repositories below ``root``."""
        self._root = root
        self.url = url

    def repository(self, name: str, folder: Path) -> Repository:
        """A new repository, and its working copy in ``folder``."""
        return Repository(folder, self._root / f"{name}.git", f"{self.url}/{name}.git")


@contextmanager
def host(root: Path) -> Iterator[Host]:
    """A host on loopback, until the block ends."""
    root.mkdir(parents=True, exist_ok=True)

    class Handler(_Handler):
        projects = root

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Host(root, f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    projects: Path

    def do_GET(self) -> None:  # noqa: N802 - the name is http.server's
        self._answer(b"")

    def do_POST(self) -> None:  # noqa: N802 - the name is http.server's
        self._answer(self._body())

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _answer(self, body: bytes) -> None:
        url = urlsplit(self.path)
        variables = {
            "GIT_PROJECT_ROOT": str(self.projects),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": url.path,
            "QUERY_STRING": url.query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": self.client_address[0],
        }
        out = subprocess.run(
            [shutil.which("git") or "git", "http-backend"],
            input=body,
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            check=False,
        ).stdout
        head, _, content = out.partition(b"\r\n\r\n")
        fields = [line.split(": ", 1) for line in head.decode().splitlines() if ": " in line]
        status = next((value for name, value in fields if name == "Status"), "200 OK")
        self.send_response(int(status.split()[0]))
        for name, value in fields:
            if name != "Status":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _git(folder: Path, *arguments: str) -> str:
    identity = {
        "GIT_AUTHOR_NAME": "dev",
        "GIT_AUTHOR_EMAIL": "dev@example.com",
        "GIT_COMMITTER_NAME": "dev",
        "GIT_COMMITTER_EMAIL": "dev@example.com",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    return subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**os.environ, **identity},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
