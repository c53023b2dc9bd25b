"""The images: what their files say, and that each starts from exactly what it says.

The pip lines are run in fresh environments and the entry points are started from those, with a root
they cannot write. `make test-images` builds the images with an engine too.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest
import yaml

from tests.corpus import ROOT
from tests.images.container import sealed
from tests.images.containerfile import HOME, IMAGES, Image, read, replay
from tests.images.engine import BuiltImage, built, engine
from trainc.install.install import Installation, objects
from trainc.install.sidecar import USER
from trainc.names import IMAGE_PREFIX

FILES = sorted(file.name.partition(".")[0] for file in IMAGES.glob("*.Containerfile"))
# Image -> its file, and the target of it.
TARGETS = {
    "cli": ("cli", ""),
    "controller": ("controller", ""),
    "dataset-initializer": ("initializers", "dataset-initializer"),
    "model-initializer": ("initializers", "model-initializer"),
    "data-cache": ("data-cache", ""),
}
# Heavy packages -> the one file whose image has them.
OWNERS = {
    "kubernetes": "controller",
    "uvicorn": "controller",
    "prometheus-client": "controller",
    "pyarrow": "data-cache",
    "pyiceberg": "data-cache",
    "obstore": "initializers",
    "pycurl": "initializers",
    "awscrt": "initializers",
    "huggingface-hub": "initializers",
    "cel-python": "cli",
    "jinja2": "cli",
}
_USERS = {"cli": USER}


def test_every_file_is_of_an_image() -> None:
    assert {file for file, _ in TARGETS.values()} == set(FILES)


def test_every_image_that_is_named_can_be_built() -> None:
    folders = (ROOT / "deploy", ROOT / "runtimes", ROOT / "examples")
    texts = (file.read_text() for folder in folders for file in folder.rglob("*.yaml"))
    names = {name for text in texts for name in re.findall(rf"{IMAGE_PREFIX}/([a-z-]+):", text)}
    assert names == set(TARGETS)


def test_the_controller_runs_as_the_user_of_its_image() -> None:
    (deployment,) = (o for o in objects(Installation()) if o["kind"] == "Deployment")
    context = deployment["spec"]["template"]["spec"]["securityContext"]
    assert {context["runAsUser"], context["runAsGroup"]} == {65532}


@pytest.mark.parametrize("name", FILES)
def test_the_base_is_pinned_by_tag(name: str) -> None:
    arguments, stages = read(IMAGES / f"{name}.Containerfile")
    assert re.fullmatch(r"docker\.io/library/python:3\.\d+\.\d+-slim-[a-z]+", arguments["PYTHON"])
    known = {"${PYTHON}"}
    for stage in stages:
        assert stage.base in known
        known.add(stage.name)
    every = {read(IMAGES / f"{other}.Containerfile")[0]["PYTHON"] for other in FILES}
    assert len(every) == 1


@pytest.mark.parametrize("name", FILES)
def test_the_last_stages_need_no_shell_and_no_root(name: str) -> None:
    _, (build, *last) = read(IMAGES / f"{name}.Containerfile")
    assert build.name == "build"
    assert last
    for stage in last:
        assert {word for word, _ in stage.steps} <= {"COPY", "ENV", "USER", "ENTRYPOINT"}
        assert all(rest.startswith("--from=build ") for rest in stage.of("COPY"))
        assert all(isinstance(json.loads(text), list) for text in stage.of("ENTRYPOINT"))
    user = _USERS.get(name, 65532)
    assert [text for stage in last for text in stage.of("USER")] == [f"{user}:{user}"]


@pytest.mark.parametrize("name", FILES)
def test_only_what_is_pinned_by_hash_is_installed(name: str) -> None:
    _, (build, *_) = read(IMAGES / f"{name}.Containerfile")
    lines = [line for line in build.of("RUN") if " install " in line]
    assert len(lines) == 3
    for line in lines:
        if "--no-deps" in line:
            assert line.endswith(" dist/*.whl")
            continue
        assert "--require-hashes --only-binary=:all: -r deploy/" in line
        pins = (ROOT / line.rpartition(" ")[2]).read_text()
        pinned = re.findall(r"^[a-z0-9-]+==\S+.*\\\n    --hash=sha256:[0-9a-f]{64}", pins, re.M)
        assert len(pinned) == len(re.findall(r"^[^ #\n]", pins, re.M)) > 0


def _pins(name: str) -> set[str]:
    """The packages of the image's own list."""
    _, (build, *_) = read(IMAGES / f"{name}.Containerfile")
    (line,) = (line for line in build.of("RUN") if HOME in line and " -r " in line)
    text = (ROOT / line.rpartition(" ")[2]).read_text()
    return set(re.findall(r"^([a-z0-9-]+)==", text, re.M))


@pytest.mark.parametrize("package", OWNERS)
def test_only_one_image_has_a_heavy_package(package: str) -> None:
    assert [name for name in FILES if package in _pins(name)] == [OWNERS[package]]


@pytest.mark.images
@pytest.mark.parametrize("name", TARGETS)
def test_an_engine_builds_it(name: str, folder: Path) -> None:
    if not engine():
        pytest.skip("neither `docker info` nor `buildah info` succeeds")
    file, target = TARGETS[name]
    with built(file, target) as image:
        user = _USERS.get(name, 65532)
        assert image.user == f"{user}:{user}"
        _holds_its_own(name, list(image.root.glob(f".{HOME}/lib/python*/site-packages/*")))
        _writes_nothing_else(image, folder)
        START[name](Running(name, Unpacked(image), folder))


def _holds_its_own(name: str, paths: list[Path]) -> None:
    """Neither pip nor what another image is for is in the environment."""
    packages = {path.name.lower() for path in paths}
    assert "trainc" in packages
    assert "pip" not in packages
    foreign = {p.replace("-", "_") for p, owner in OWNERS.items() if owner != TARGETS[name][0]}
    assert not foreign & {each.partition("-")[0] for each in packages}


_SEALED = """
import os
def writable(path):
    try:
        os.close(os.open(path + "/x", os.O_CREAT | os.O_WRONLY))
        os.unlink(path + "/x")
    except OSError:
        return False
    return True
print(os.getuid(), writable("/"), writable("/opt/trainc"), writable(os.getcwd()))
"""


def _writes_nothing_else(image: BuiltImage, folder: Path) -> None:
    """The way of running is what it says: the image's user, and a root that is read-only."""
    python = f"{HOME}/bin/python"
    command = image.command([python, "-c", _SEALED], folder, {})
    out = subprocess.run(command, capture_output=True, text=True)
    assert out.stdout.split() == [image.user.partition(":")[0], "False", "False", "True"], (
        out.stderr
    )


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What stands for the base image."""
    folder = tmp_path_factory.mktemp("base")
    venv.create(folder, with_pip=True)
    return folder


@pytest.fixture(scope="module", params=TARGETS)
def started(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, base: Path
) -> tuple[str, Image]:
    """Each image's name, and what it holds."""
    name = str(request.param)
    file = TARGETS[name][0]
    if file not in _BUILT:
        _BUILT[file] = replay(file, tmp_path_factory.mktemp(file), base)
    return name, _BUILT[file]


_BUILT: dict[str, Image] = {}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that others can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="trainc-image-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def test_its_entry_point_starts(started: tuple[str, Image], folder: Path) -> None:
    name, image = started
    for stage in image.stages[1:]:
        for rest in stage.of("COPY"):
            assert image.path(rest.split()[1]).exists()
    _holds_its_own(name, list(image.home.glob("lib/python*/site-packages/*")))
    START[name](Running(name, Replayed(name, image), folder))


class Start(Protocol):
    """A way to start programs of an image."""

    def entry(self) -> list[str]:
        """The entry point."""

    def python(self) -> str:
        """The interpreter of its environment."""

    def file(self, inside: str) -> Path:
        """Where a file of the image is on this machine."""

    def command(self, program: list[str], folder: Path, variables: dict[str, str]) -> list[str]:
        """That program as the image's user, who can write that folder only."""

    def environment(self, variables: dict[str, str]) -> dict[str, str]:
        """What the command is started with."""


@dataclass(frozen=True)
class Replayed:
    """Starts what the Containerfile's lines made in a folder of this machine."""

    name: str
    image: Image

    def entry(self) -> list[str]:
        return self.image.entry(TARGETS[self.name][1])

    def python(self) -> str:
        return str(self.image.home / "bin" / "python")

    def file(self, inside: str) -> Path:
        """By the line that copies it there."""
        copies = (r.split() for stage in self.image.stages for r in stage.of("COPY"))
        (source,) = (words[-2] for words in copies if words[-1] == inside)
        return self.image.path(source)

    def command(self, program: list[str], folder: Path, variables: dict[str, str]) -> list[str]:
        return sealed(program, _USERS.get(self.name, 65532), folder)

    def environment(self, variables: dict[str, str]) -> dict[str, str]:
        return self.image.environment(**variables)


@dataclass(frozen=True)
class Unpacked:
    """Starts what an engine built."""

    image: BuiltImage

    def entry(self) -> list[str]:
        return self.image.entry

    def python(self) -> str:
        return f"{HOME}/bin/python"

    def file(self, inside: str) -> Path:
        return self.image.root / inside.lstrip("/")

    def command(self, program: list[str], folder: Path, variables: dict[str, str]) -> list[str]:
        return self.image.command(program, folder, variables)

    def environment(self, variables: dict[str, str]) -> dict[str, str]:
        return dict(os.environ)  # of what enters the image, which starts from its own


@dataclass(frozen=True)
class Running:
    """An image, and the folder that it may write.

    The folder has the same path inside.
    """

    name: str
    start: Start
    folder: Path

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return self.program([*self.start.entry(), *arguments], **variables)

    def program(self, program: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.start.command(program, self.folder, variables),
            cwd=self.folder,
            env=self.start.environment(variables),
            capture_output=True,
            text=True,
        )

    @contextmanager
    def serve(self, *arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
        """A process that runs on; it must end by SIGTERM with status 0."""
        process = subprocess.Popen(
            self.start.command([*self.start.entry(), *arguments], self.folder, variables),
            cwd=self.folder,
            env=self.start.environment(variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=60)
            assert process.returncode == 0, log
        finally:
            process.kill()
            process.communicate()


JOB = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {name: llm, namespace: default}
spec:
  runtimeRef: {name: torch-distributed}
  trainer: {numNodes: 2, image: "example.com/llm:1.0"}
"""


def _cli(running: Running) -> None:
    """As Argo CD's repo server runs it: the commands of the plugin's own file."""
    (running.folder / "trainc.yaml").write_text("")
    (running.folder / "job.yaml").write_text(JOB)
    file = running.start.file("/home/argocd/cmp-server/config/plugin.yaml")
    plugin = yaml.safe_load(file.read_text())
    program, *generate = plugin["spec"]["generate"]["command"]
    assert program == Path(running.start.entry()[0]).name
    out = running.run(*generate)
    assert out.returncode == 0, out.stderr
    assert [each["kind"] for each in yaml.safe_load_all(out.stdout)] == ["JobSet"]
    _, *parameters = plugin["spec"]["parameters"]["dynamic"]["command"]
    assert json.loads(running.run(*parameters).stdout)


def _controller(running: Running) -> None:
    """It starts, is alive, and can compile; there is no cluster to be ready for."""
    port = _free()
    cluster = {"server": "https://127.0.0.1:1"}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "a",
        "clusters": [{"name": "a", "cluster": cluster}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "users": [{"name": "a", "user": {"token": "x"}}],
    }
    kubeconfig = running.folder / "config"
    kubeconfig.write_text(yaml.safe_dump(config))
    arguments = ["controller", "--compile", "--no-leader-elect", "--health", f"127.0.0.1:{port}"]
    with running.serve(*arguments, "--kubeconfig", str(kubeconfig)) as controller:
        assert _answer(controller, f"http://127.0.0.1:{port}/healthz") == 200
    (running.folder / "job.yaml").write_text(JOB)
    out = running.run("build", "job.yaml")  # what --compile does
    assert out.returncode == 0, out.stderr
    assert "kind: JobSet" in out.stdout


def _initializer(running: Running) -> None:
    """It fetches; and whatever a scheme needs is there."""
    what = running.name.partition("-")[0]
    (running.folder / "from").mkdir()
    (running.folder / "from" / "a.txt").write_text("a")
    uri = f"file://{running.folder}/from"
    out = running.run(STORAGE_URI=uri, TRAINC_WORKSPACE=str(running.folder / "workspace"))
    assert out.returncode == 0, out.stderr
    assert (running.folder / "workspace" / what / "a.txt").read_text() == "a"
    program = (
        "import importlib.util as i; from trainc.initializers.provider import discover;"
        "print([n for p in discover().values() for n in p.needs if i.find_spec(n) is None])"
    )
    missing = running.program([running.start.python(), "-c", program])
    assert missing.stdout == "[]\n", missing.stderr


def _cache(running: Running) -> None:
    """A worker listens, and answers its probe."""
    said = {"HEALTH_PORT": "0", "TRAINC_CACHE_SPILL_DIR": str(running.folder / "spill")}
    with running.serve("worker", "127.0.0.1", "0", **said, TRAINC_CACHE_INSECURE="true") as worker:
        assert worker.stdout is not None
        line = worker.stdout.readline().split()
        assert line, worker.communicate()[1]
        assert _answer(worker, f"http://127.0.0.1:{line[1]}/healthz") == 200


START: dict[str, Callable[[Running], None]] = {
    "cli": _cli,
    "controller": _controller,
    "dataset-initializer": _initializer,
    "model-initializer": _initializer,
    "data-cache": _cache,
}


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answer(process: subprocess.Popen[str], url: str) -> int:
    """The status of a probe, once the process listens."""
    end = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                status: int = response.status
                return status
        except OSError as error:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < end, f"{url}: {error}"
            time.sleep(0.1)
