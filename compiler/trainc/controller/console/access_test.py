from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from kubernetes.config import kube_config

from trainc.controller import main
from trainc.controller.console.access import access

CONFIG = """
apiVersion: v1
kind: Config
clusters:
- name: one
  cluster: {server: "http://127.0.0.1:1"}
users:
- name: me
  user: {token: mine}
contexts:
- name: plain
  context: {cluster: one, user: me}
- name: team
  context: {cluster: one, user: me, namespace: team-a}
"""
CURRENT = "current-context: plain\n"


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    content: str = CONFIG + CURRENT
    context: str | None = None
    in_pod: bool = False
    by: str = "flag"
    want: str = "default"


@pytest.mark.parametrize(
    "case",
    [
        TestCase("no namespace in the context"),
        TestCase("the context asked for", context="team", want="team-a"),
        TestCase("no current context", content=CONFIG, context="team", want="team-a"),
        TestCase("the flag, in a pod", in_pod=True),
        TestCase("the context, in a pod", in_pod=True, context="team", want="team-a"),
        TestCase("KUBECONFIG, in a pod", in_pod=True, by="environment"),
        TestCase("the user's own file, in a pod", in_pod=True, by="home"),
        TestCase("the pod's own", in_pod=True, by="nothing", want="pipelines"),
    ],
    ids=lambda case: case.name,
)
def test_namespace_and_cluster_are_of_one_place(
    case: TestCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, absent = tmp_path / "config", tmp_path / "absent"
    file.write_text(case.content)
    found = file if case.by in ("environment", "home") else absent
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(found))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    if case.by == "environment":
        monkeypatch.setenv("KUBECONFIG", str(file))
    _pod(tmp_path, monkeypatch, case.in_pod)
    _, namespace = access(str(file) if case.by == "flag" else None, case.context)
    assert namespace == case.want


def _pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_pod: bool) -> None:
    """What a pod sees of its service account; the client's own reading of it is not ours."""
    if not in_pod:
        monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
        return
    namespace = tmp_path / "namespace"
    namespace.write_text("pipelines")
    monkeypatch.setattr(main, "_NAMESPACE", namespace)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setattr("kubernetes.config.load_incluster_config", lambda configuration: None)
