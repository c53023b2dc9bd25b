"""The wheel, installed as a user does: with what it declares, with no checkout beside it."""

import json
import re
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.bench.install import LIMIT, ROOT, build, install, run, sizes

JOB = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata:
  name: mnist
spec:
  runtimeRef:
    name: torch-distributed
  trainer:
    image: example.com/mnist:1.0
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(wheel, tmp_path_factory.mktemp("installed"))


def test_the_wheel_holds_the_product_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "trainc/py.typed" in names
    assert any(n.startswith("trainc/runtimes/") and n.endswith(".yaml") for n in names)
    assert not [n for n in names if n.endswith(("_test.py", "conftest.py", "/sample.py", ".pyc"))]
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"trainc", next(top for top in tops if top.endswith(".dist-info"))}


def test_the_wheel_is_the_same_each_time(wheel: Path, tmp_path: Path) -> None:
    assert build(tmp_path).read_bytes() == wheel.read_bytes()


def test_the_wheel_runs_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(JOB)
    trainc = installed / "bin" / "trainc"
    objects = json.loads(run(trainc, "build", "job.yaml", "-o", "json", cwd=tmp_path))
    assert [each["kind"] for each in objects] == ["JobSet"]
    assert run(trainc, "--version", cwd=tmp_path).startswith("trainc ")
    python = (
        "from trainc import build; b = build('job.yaml'); print(len(b.objects), len(b.problems))"
    )
    assert run(installed / "bin" / "python", "-c", python, cwd=tmp_path) == "1 0\n"


def test_every_module_but_the_extras_imports(installed: Path, tmp_path: Path) -> None:
    program = """
import importlib, pkgutil, trainc
for module in pkgutil.walk_packages(trainc.__path__, "trainc."):
    if module.name.split(".")[1] not in ("cache", "controller", "initializers", "__main__"):
        importlib.import_module(module.name)
        print(module.name)
"""
    modules = run(installed / "bin" / "python", "-c", program, cwd=tmp_path).split()
    assert "trainc.pipeline" in modules


def test_everything_is_pinned_by_hash_and_by_nothing_else() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [line for extra in project["optional-dependencies"].values() for line in extra]
    wanted = {
        re.split(r"[^a-z0-9-]", line.lower().replace("_", "-").replace(".", "-"))[0]
        for line in [*project["dependencies"], *extras]
    }
    text = (ROOT / "deploy" / "dev.txt").read_text()
    hashed = re.findall(r"^([a-z0-9-]+)==.*\\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
    assert wanted <= set(hashed), "run 'make requirements'"
    assert len(hashed) == len(re.findall(r"^[^ #\n]", text, re.MULTILINE))
    for file in (ROOT / "deploy").glob("*.txt"):
        assert "://" not in file.read_text()


def test_the_installation_is_small(installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = sizes(installed)
    table = [f"{size / 1e6:6.1f} MB  {name}" for name, size in found.most_common()]
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join([*table, f"{found.total() / 1e6:6.1f} MB  in all", ""]))
    assert found["trainc"] > 0
    assert found.total() < LIMIT
