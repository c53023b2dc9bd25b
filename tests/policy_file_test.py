"""One new file under ``policies/`` is a new policy: schema, bounds, discovery and build."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import trainc.policies

POLICY = '''
"""Ring: every node learns the next one, in a ring of rings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Interval, Len

from trainc.info.info import Info
from trainc.info.podset import JOB_INDEX
from trainc.policy import Policy


@dataclass(frozen=True)
class Link:
    """One link."""

    device: Annotated[str, Len(1, 15)]


@dataclass(frozen=True)
class Settings:
    """What a runtime may write under ``spec.mlPolicy.ring``."""

    ring_size: Annotated[int, Interval(ge=2, le=64)] = 2
    links: Annotated[tuple[Link, ...], Len(0, 2)] = ()


def enforce(info: Info, settings: Settings) -> Info:
    """Tells every node its place."""
    trainer = info.trainer
    if trainer is None:
        return info
    return info.with_pod_set(
        trainer.with_port(4000).with_env(
            RING_SIZE=str(settings.ring_size),
            RING_LINKS=",".join(link.device for link in settings.links),
            RING_NODES=str(trainer.count),
            RING_ID=JOB_INDEX,
            RING_FIRST=info.host(trainer),
        )
    )


POLICY = Policy(key="mlPolicy.ring", settings=Settings, enforce=enforce)
'''

INPUT = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {name: m}
spec:
  runtimeRef: {name: ring}
  trainer: {numNodes: 3}
---
apiVersion: trainer.kubeflow.org/v1alpha1
kind: ClusterTrainingRuntime
metadata: {name: ring}
spec:
  mlPolicy:
    ring: SETTINGS
  template:
    spec:
      replicatedJobs:
      - name: node
        template:
          metadata: {labels: {trainer.kubeflow.org/trainjob-ancestor-step: trainer}}
          spec:
            template:
              spec:
                containers:
                - {name: node, image: "example.com/img:1"}
"""


@pytest.fixture
def ring(tmp_path: Path) -> Iterator[Path]:
    """The policy's file in the package itself, where a user would drop it."""
    folder = Path(trainc.policies.__path__[0])
    path = folder / "ring.py"
    path.write_text(POLICY, encoding="utf-8")
    try:
        yield tmp_path
    finally:
        path.unlink()


def build(folder: Path, settings: str, *flags: str) -> subprocess.CompletedProcess[str]:
    (folder / "input.yaml").write_text(INPUT.replace("SETTINGS", settings), encoding="utf-8")
    command = [sys.executable, "-m", "trainc", "build", "input.yaml", *flags]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_build_uses_it(ring: Path) -> None:
    done = build(ring, "{ringSize: 4, links: [{device: eth1}]}")
    assert done.returncode == 0, done.stderr
    for line in ("RING_SIZE", 'value: "4"', "value: eth1", 'value: "3"', "m-node-0-0.m",
                 "containerPort: 4000"):  # fmt: skip
        assert line in done.stdout


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    settings: str
    want: str


@pytest.mark.parametrize(
    "case",
    [
        TestCase("bound", "{ringSize: 1}", "spec.mlPolicy.ring.ringSize"),
        TestCase("type", "{ringSize: x}", "spec.mlPolicy.ring.ringSize"),
        TestCase("unknown key", "{size: 3}", "spec.mlPolicy.ring.size"),
        TestCase("nested", "{links: [{device: ''}]}", "spec.mlPolicy.ring.links[0].device"),
        TestCase("nested missing", "{links: [{}]}", "spec.mlPolicy.ring.links[0].device"),
        TestCase("beside another policy", "{}\n    torch: {}", "spec.mlPolicy"),
    ],
    ids=lambda case: case.name,
)
def test_its_settings_are_checked(ring: Path, case: TestCase) -> None:
    done = build(ring, case.settings)
    assert done.returncode == 1, done.stdout
    assert f"error: {case.want}: " in done.stderr
    assert not done.stdout


def test_the_reference_does_not_know_it(ring: Path) -> None:
    done = build(ring, "{}", "--compat", "v2.3.0")
    assert done.returncode == 1
    assert "spec.mlPolicy.ring" in done.stderr
