"""The folder ``deploy/``: the same objects as ``trainc install`` prints, for kustomize.

In: nothing. Out: a base, overlays for each way to run it, and a component, as files. Run as
``python -m trainc.install.files deploy``; a test compares them with what stands there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from trainc.install.admission import admission
from trainc.install.crd import crds
from trainc.install.install import Installation, arguments, base
from trainc.install.meta import NAME, NAMESPACE
from trainc.install.rbac import rights
from trainc.install.runtimes import runtimes
from trainc.install.sidecar import sidecar
from trainc.install.workload import service_monitor
from trainc.manifest.emit import emit
from trainc.names import IMAGE_PREFIX
from trainc.version import __version__

Json = dict[str, Any]

# Overlay -> how ``trainc install`` renders the same.
OVERLAYS: Final = {
    "cluster": Installation(),
    "namespaced": Installation(namespaces=("default",)),
    "kubeflow-sdk": Installation(compiles=True, with_runtimes=True),
}
_KUSTOMIZE: Final = "kustomize.config.k8s.io"


def files() -> dict[str, str]:
    """The text of each file by its path below ``deploy/``."""
    out = {
        "base/controller.yaml": _text(base(IMAGE_PREFIX, ())),
        "base/policies.yaml": _text(admission()),
        "base/kustomization.yaml": _kustomization(["controller.yaml", "policies.yaml"]),
        "argo-cd/sidecar.yaml": _text([sidecar(f"{IMAGE_PREFIX}/cli:v{__version__}")]),
        "components/monitoring/service-monitor.yaml": _text([service_monitor()]),
        "components/monitoring/kustomization.yaml": _kustomization(
            ["service-monitor.yaml"], kind="Component"
        ),
    }
    kinds = {f"{crd['metadata']['name']}.yaml": crd for crd in crds()}
    out |= {f"crds/{file}": _text([crd]) for file, crd in kinds.items()}
    out["crds/kustomization.yaml"] = _kustomization(kinds)
    for name, wanted in OVERLAYS.items():
        out |= {f"overlays/{name}/{file}": text for file, text in _overlay(wanted).items()}
    return out


def main() -> None:
    """Writes the files below the folder named by the argument."""
    for path, text in files().items():
        file = Path(sys.argv[1]) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def _overlay(wanted: Installation) -> dict[str, str]:
    out = {"rights.yaml": _text(rights(wanted.namespaces, wanted.compiles))}
    if wanted.with_runtimes:
        out["runtimes.yaml"] = _text(runtimes(IMAGE_PREFIX))
    said = arguments(wanted)
    patches = []
    if said:
        steps: list[Json] = [
            {"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": word}
            for word in said
        ]
        target = {"kind": "Deployment", "name": NAME, "namespace": NAMESPACE}
        patches = [{"target": target, "patch": _patch(steps)}]
    resources = ["../../base", "../../crds", *out]
    return {**out, "kustomization.yaml": _kustomization(resources, patches=patches)}


def _patch(steps: list[Json]) -> str:
    lines = (f"- op: {s['op']}\n  path: {s['path']}\n  value: {s['value']}\n" for s in steps)
    return "".join(lines)


def _kustomization(
    resources: Iterable[str], kind: str = "Kustomization", patches: Iterable[Json] = ()
) -> str:
    version = "v1alpha1" if kind == "Component" else "v1beta1"
    found: Json = {
        "apiVersion": f"{_KUSTOMIZE}/{version}",
        "kind": kind,
        "resources": list(resources),
    }
    patches = list(patches)
    return emit(found | ({"patches": patches} if patches else {}))


def _text(manifests: Iterable[Json]) -> str:
    return "---\n".join(emit(manifest) for manifest in manifests)


if __name__ == "__main__":
    main()
