"""The programs trainc is held against, and the inputs that give them an equal document.

They are built from their registries (``make peers``) into a folder outside the tree, or found on
the path; what is missing is skipped, and said so.
"""

import os
import shutil
from pathlib import Path

VERSIONS = {"helm": "v4.3.1", "kustomize": "v5.8.2"}


def find(name: str) -> Path | None:
    """The program, from ``$TRAINC_PEERS``, the cache folder of ``make peers``, or the path."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trainc-peers"
    for folder in (os.environ.get("TRAINC_PEERS"), str(cache), None):
        found = shutil.which(name, path=folder)
        if found is not None:
            return Path(found)
    return None


def chart(folder: Path, text: str) -> Path:
    """A Helm chart whose one template is the text."""
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: bench\nversion: 0.1.0\n")
    (folder / "templates" / "objects.yaml").write_text(text.replace("{{", '{{ "{{" }}'))
    return folder


def kustomization(folder: Path, texts: list[str]) -> Path:
    """A kustomization of one file an object."""
    folder.mkdir(parents=True)
    names = [f"object-{number:05d}.yaml" for number in range(len(texts))]
    for name, text in zip(names, texts, strict=True):
        (folder / name).write_text(text)
    lines = ["apiVersion: kustomize.config.k8s.io/v1beta1", "kind: Kustomization", "resources:"]
    (folder / "kustomization.yaml").write_text("\n".join([*lines, *(f"- {n}" for n in names), ""]))
    return folder
