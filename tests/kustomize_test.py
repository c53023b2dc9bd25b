"""deploy/ by kustomize itself: each overlay is what ``trainc install`` prints."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.corpus import ROOT
from tests.peers.programs import program
from tests.tools import KUSTOMIZE
from trainc.install.files import OVERLAYS
from trainc.install.install import Installation, objects
from trainc.install.meta import NAME, NAMESPACE
from trainc.names import IMAGE_PREFIX
from trainc.version import __version__

DEPLOY = ROOT / "deploy"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def kustomize() -> str:
    """Kustomize itself, in the version that is named."""
    return str(program(KUSTOMIZE))


def _built(kustomize: str, folder: Path) -> dict[tuple[str, str, str], Json]:
    out = subprocess.run([kustomize, "build", folder], capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
    return {_key(each): each for each in yaml.safe_load_all(out.stdout)}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_is_what_install_prints(kustomize: str, overlay: str) -> None:
    ours = {_key(each): each for each in objects(OVERLAYS[overlay])}
    assert _built(kustomize, DEPLOY / "overlays" / overlay) == _plain(ours)


def test_a_users_kustomization_stands_on_an_overlay(kustomize: str, tmp_path: Path) -> None:
    """With the component, images from elsewhere, and one more argument."""
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    mine = tmp_path / "mine"
    mine.mkdir()
    image = {"name": f"{IMAGE_PREFIX}/controller", "newName": "registry.example/controller"}
    more = "- {op: add, path: /spec/template/spec/containers/0/args/-, value: --workers=16}"
    found = {
        "resources": ["../deploy/overlays/cluster"],
        "components": ["../deploy/components/monitoring"],
        "images": [image],
        "patches": [{"target": {"kind": "Deployment"}, "patch": more}],
    }
    (mine / "kustomization.yaml").write_text(yaml.safe_dump(found))
    built = _built(kustomize, mine)
    wanted = objects(Installation(monitored=True))
    assert set(built) == {_key(each) for each in wanted}
    (container,) = built["Deployment", NAMESPACE, NAME]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"registry.example/controller:v{__version__}"
    assert container["args"][-1] == "--workers=16"


def _key(manifest: Json) -> tuple[str, str, str]:
    metadata = manifest["metadata"]
    return manifest["kind"], metadata.get("namespace", ""), metadata["name"]


def _plain(value: Any) -> Any:
    return {key: json.loads(json.dumps(each)) for key, each in value.items()}
