"""What trainc emits, read by trainc's own loader and by the library kubectl reads with."""

import json
import os
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from trainc.manifest.emit import emit
from trainc.manifest.emit_test import MANIFEST, NASTY
from trainc.source.parse import parse

ORACLE = Path(__file__).parent / "oracle" / "emit"


@given(MANIFEST.filter(bool))
@settings(deadline=None, max_examples=150)
def test_trainc_reads_back_what_it_emitted(manifest: dict[str, Any]) -> None:
    documents, problems = parse(emit(manifest).encode(), "emitted.yaml")
    assert problems == []
    assert [document.root for document in documents] == [as_kubectl_has_it(manifest)]


def as_kubectl_has_it(value: Any) -> Any:
    """Whole floats as integers of their shortest digits: that is how Go writes them as JSON."""
    if isinstance(value, dict):
        return {key: as_kubectl_has_it(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_kubectl_has_it(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return int(Decimal(repr(value)))
    return value


@pytest.mark.parametrize("text", NASTY, ids=ascii)
def test_trainc_reads_back_nasty_text(text: str) -> None:
    manifest = {"spec": {"value": text, text: 1, "items": [text, [text], {text: text}]}}
    documents, problems = parse(emit(manifest).encode(), "emitted.yaml")
    assert problems == []
    assert [document.root for document in documents] == [manifest]


@pytest.fixture(scope="session")
def goyaml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program that reads YAML with sigs.k8s.io/yaml, built from tests/oracle/emit."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("needs Go to build the reader that kubectl uses")
    program = tmp_path_factory.mktemp("oracle") / "emit"
    build = [go, "build", "-o", str(program), "."]
    environment = os.environ | {"GOFLAGS": "-mod=readonly"}
    done = subprocess.run(build, cwd=ORACLE, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        pytest.skip(f"cannot build the reader that kubectl uses: {done.stderr[-300:]}")
    return program


def differences(goyaml: Path, manifests: list[dict[str, Any]]) -> str:
    """What Go read otherwise than it was emitted; empty where it agrees."""
    documents = [{"yaml": emit(manifest), "want": manifest} for manifest in manifests]
    done = subprocess.run([goyaml], input=json.dumps(documents), capture_output=True, text=True)
    return done.stdout + done.stderr


def test_kubectl_reads_nasty_text(goyaml: Path) -> None:
    manifests = [
        {"spec": {"v": text, text: 1, "i": [text, [text], {text: text}]}} for text in NASTY
    ]
    assert differences(goyaml, manifests) == ""


def test_kubectl_reads_what_was_emitted(goyaml: Path) -> None:
    manifests: list[dict[str, Any]] = []

    @given(MANIFEST)
    @settings(deadline=None, max_examples=300)
    def collect(manifest: dict[str, Any]) -> None:
        manifests.append(manifest)

    collect()
    assert len(manifests) >= 300
    assert differences(goyaml, manifests) == ""


def test_the_oracle_sees_a_difference(goyaml: Path) -> None:
    documents = [{"yaml": "v: y\n", "want": {"v": "y"}}]
    done = subprocess.run([goyaml], input=json.dumps(documents), capture_output=True, text=True)
    assert "got" in done.stdout
