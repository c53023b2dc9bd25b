"""The image's own environment, from its own list: what is not in it, and both programs at work."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

import pytest

from tests.images.containerfile import Image, replay
from tests.initializers.hub import Repo, hub
from tests.initializers.running import tree
from tests.initializers.servers import S3

# The compiler's, the controller's and the cache's.
FOREIGN = ("jinja2", "pydantic", "pydantic_core", "celpy", "cel", "kubernetes", "pyarrow")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    base = tmp_path_factory.mktemp("base")
    venv.create(base, with_pip=True)
    return replay("initializers", tmp_path_factory.mktemp("image"), base)


def run(image: Image, target: str, **environ: str) -> str:
    """Runs one of the two programs to its end; returns its output."""
    ended = subprocess.run(
        image.entry(target),
        env=image.environment(RETRY_MAX_SECONDS="5", **environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


def test_it_holds_no_more_than_it_needs(image: Image) -> None:
    program = f"import importlib.util as i; print([n for n in {FOREIGN} if i.find_spec(n)])"
    found = subprocess.run(
        [image.home / "bin/python", "-c", program], capture_output=True, text=True, check=True
    )
    assert found.stdout == "[]\n"


def test_the_dataset_program_fetches_from_s3(
    image: Image, versitygw: S3, bucket: str, tmp_path: Path
) -> None:
    versitygw.bucket(bucket)
    bodies = {"small": b"1", "large": bytes(40 * 1024 * 1024)}
    for key, body in bodies.items():
        versitygw.put(bucket, f"set/{key}", body)
    environ = versitygw.environ(STORAGE_URI=f"s3://{bucket}/set", TRAINC_WORKSPACE=str(tmp_path))
    run(image, "dataset-initializer", **environ)
    assert tree(tmp_path / "dataset") == bodies


def test_the_model_program_fetches_from_the_hub(image: Image, tmp_path: Path) -> None:
    files = {"config.json": b"{}", "model.safetensors": b"2" * 1000}
    with hub() as server:
        server.repos = {"org/m": Repo("models", {"main": files}, frozenset({"model.safetensors"}))}
        environ = {"STORAGE_URI": "hf://org/m", "HF_ENDPOINT": server.url}
        run(image, "model-initializer", TRAINC_WORKSPACE=str(tmp_path), **environ)
    assert tree(tmp_path / "model") == files
