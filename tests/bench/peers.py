"""The inputs that give the programs trainc is held against an equal document."""

from pathlib import Path


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
