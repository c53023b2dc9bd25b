"""The images as an engine builds them, each unpacked and run on a root that cannot be written.

In: a file of ``deploy/images``. Out: the image's configuration and its root folder. Docker takes
the base that the file names. Buildah, where debootstrap is there, builds on a base made of the same
release's packages of Debian, since it needs neither a daemon nor a registry: chroot isolation, and
the plain ``vfs`` storage, in a folder of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.corpus import ROOT
from tests.images.containerfile import IMAGES, read

# As in the image `python`: an interpreter and pip of their own in /usr/local.
_PACKAGES = "python3,python3-venv,ca-certificates"
_AS_PYTHON = ["python3", "-m", "venv", "/usr/local"]
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")

# $1: the root, $2: the writable folder; the rest is variables and the command. The root is
# read-only, but for an empty /tmp with the folder at its own path.
_ENTER = """
set -e
root=$1 folder=$2; shift 2
mount --bind "$root" "$root"
mount --rbind /proc "$root/proc"
mount --bind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir -p "$root$folder"
mount --bind "$folder" "$root$folder"
mount -o remount,bind,ro "$root"
exec chroot "$root" /usr/bin/env -i -C "$folder" "$@"
"""


@dataclass(frozen=True)
class BuiltImage:
    """An image that an engine built.

    Attributes:
        root: Its files.
        user: Its USER, as ``uid:gid``.
        entry: Its ENTRYPOINT.
        variables: Its ENV.
    """

    root: Path
    user: str
    entry: list[str]
    variables: dict[str, str] = field(default_factory=dict)

    def command(self, program: list[str], folder: Path, variables: dict[str, str]) -> list[str]:
        """That program as the image's user, who can write this folder only; as root on Linux."""
        uid, _, gid = self.user.partition(":")
        os.chown(folder, int(uid), int(gid))
        pairs = [f"{k}={v}" for k, v in {**self.variables, "HOME": "/", **variables}.items()]
        drop = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
        drop += ["--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", "--"]
        enter = ["unshare", "--mount", "sh", "-c", _ENTER, "sh"]
        return [*enter, str(self.root), str(folder), *pairs, *drop, *program]


@cache
def engine() -> str:
    """The program that builds images here; empty where none does."""
    for program in ("docker", "buildah"):
        path = shutil.which(program)
        if path and subprocess.run([path, "info"], capture_output=True).returncode == 0:
            return program
    return ""


@contextlib.contextmanager
def built(file: str, target: str) -> Iterator[BuiltImage]:
    """Builds an image of ``deploy/images``, and unpacks it.

    Args:
        file: The Containerfile's name.
        target: The stage; the last one where it is empty.

    Raises:
        subprocess.CalledProcessError: the engine fails; its output is in the test's.
    """
    arguments = ["--file", str(IMAGES / f"{file}.Containerfile")]
    arguments += ["--target", target] if target else []
    tag = f"localhost/trainc-test/{target or file}"
    with _docker(arguments, tag) if engine() == "docker" else _buildah(arguments, tag) as image:
        yield image


@contextlib.contextmanager
def _docker(arguments: list[str], tag: str) -> Iterator[BuiltImage]:
    _run("docker", "build", *arguments, "--tag", tag, str(ROOT))
    (inspected,) = json.loads(_run("docker", "image", "inspect", tag))
    name = _run("docker", "create", tag).strip()
    root = _storage() / "docker" / name
    try:
        root.mkdir(parents=True)
        with subprocess.Popen(["docker", "export", name], stdout=subprocess.PIPE) as export:
            subprocess.run(["tar", "-x", "-C", str(root)], stdin=export.stdout, check=True)
        assert export.returncode == 0
        yield _image(root, inspected["Config"])
    finally:
        _run("docker", "rm", name)
        shutil.rmtree(root, ignore_errors=True)


@contextlib.contextmanager
def _buildah(arguments: list[str], tag: str) -> Iterator[BuiltImage]:
    certificates = (
        f"{_CERTIFICATES}:{_CERTIFICATES}:ro"  # of a proxy too, as this machine trusts it
    )
    options = ["--isolation", "chroot", "--network", "host", "--volume", certificates]
    base = _debian_base()
    options += ["--build-arg", f"PYTHON={base}"] if base else []
    _run(*_buildah_command(), "build", *options, *arguments, "--tag", tag, str(ROOT))
    name = _run(*_buildah_command(), "from", "--pull-never", tag).strip()
    try:
        root = Path(_run(*_buildah_command(), "mount", name).strip())
        inspected = json.loads(_run(*_buildah_command(), "inspect", name))
        yield _image(root, inspected["OCIv1"]["config"])
    finally:
        _run(*_buildah_command(), "rm", name)
        _run(*_buildah_command(), "rmi", tag)


def _image(root: Path, config: dict[str, object]) -> BuiltImage:
    user, entry, pairs = config["User"], config["Entrypoint"], config["Env"]
    assert isinstance(user, str)
    assert isinstance(entry, list)
    assert isinstance(pairs, list)
    return BuiltImage(root, user, entry, dict(pair.partition("=")[::2] for pair in pairs))


def _debian_base() -> str:
    """The base that stands for the pinned one; empty where only a registry has one.

    It is of the same release of Debian, whose Python has the same minor version.
    """
    if not shutil.which("debootstrap"):
        return ""
    named = read(IMAGES / "cli.Containerfile")[0]["PYTHON"]
    match = re.search(r":(3\.\d+)\.\d+-slim-([a-z]+)", named)
    assert match, named
    python, release = match.groups()
    tag = f"localhost/trainc-test-base:{release}"
    if subprocess.run([*_buildah_command(), "inspect", tag], capture_output=True).returncode == 0:
        return tag
    root = _storage() / f"base-{release}"
    shutil.rmtree(root, ignore_errors=True)
    _run("debootstrap", "--variant=minbase", f"--include={_PACKAGES}", release, str(root))
    assert (root / "usr/bin" / f"python{python}").exists(), f"{release} has no Python {python}"
    _run("chroot", str(root), *_AS_PYTHON)
    name = _run(*_buildah_command(), "from", "scratch").strip()
    _run(*_buildah_command(), "add", "--quiet", name, str(root), "/")
    _run(*_buildah_command(), "config", "--env", "PATH=/usr/local/bin:/usr/bin:/bin", name)
    _run(*_buildah_command(), "commit", "--quiet", "--rm", name, tag)
    shutil.rmtree(root)
    return tag


def _buildah_command() -> list[str]:
    folder = _storage() / "buildah"
    return ["buildah", "--storage-driver=vfs", f"--root={folder}", f"--runroot={folder}/run"]


def _storage() -> Path:
    kept = os.environ.get("TRAINC_TOOLS_DIR") or Path.home() / ".cache/trainc/tools"
    return Path(kept) / "images"


def _run(*command: str) -> str:
    """What the command prints; what it says on the way is the test's."""
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
