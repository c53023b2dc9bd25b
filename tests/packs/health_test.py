"""The health checks, run by the engines of the tools: Lua 5.1 for Argo CD, CEL for Flux."""

from __future__ import annotations

from typing import Any

import pytest

from tests.packs.statuses import STATES, State
from trainc.gitops.health import Until, argocd_health, flux_health

lua51 = pytest.importorskip("lupa.lua51", reason="Lua 5.1 is not installed: pip install lupa")
celpy = pytest.importorskip("celpy", reason="cel-python is not installed")


def label(state: State) -> str:
    return f"{state.manifest['kind']} {state.name}"


def in_argocd(manifest: dict[str, Any], until: Until) -> Any:
    """What Argo CD would show: it looks the script up by GROUP_Kind and gives it ``obj``."""
    key = f"{manifest['apiVersion'].rpartition('/')[0]}_{manifest['kind']}"
    script = argocd_health(until)[f"resource.customizations.health.{key}"]
    runtime = lua51.LuaRuntime(register_eval=False)
    runtime.globals().obj = runtime.table_from(manifest, recursive=True)
    return runtime.execute(script)


def in_flux(manifest: dict[str, Any], until: Until) -> str:
    """What Flux would decide: failed, then current, else in progress.

    Where there is no ``status`` at all, Flux's own engine may end in an error, which makes it wait.
    """
    (checks,) = (
        c
        for c in flux_health(until)
        if (c["apiVersion"], c["kind"]) == (manifest["apiVersion"], manifest["kind"])
    )
    for name, verdict in (
        ("inProgress", "InProgress"),
        ("failed", "Failed"),
        ("current", "Current"),
    ):
        if name not in checks:
            continue
        environment = celpy.Environment()
        program = environment.program(environment.compile(checks[name]))
        if program.evaluate({k: celpy.json_to_cel(v) for k, v in manifest.items()}):
            return verdict
    return "InProgress"


@pytest.mark.parametrize("state", STATES, ids=label)
def test_argocd_shows_the_state(state: State) -> None:
    shown = in_argocd(state.manifest, "finished")
    assert shown.status == state.argocd
    assert shown.message


@pytest.mark.parametrize("state", STATES, ids=label)
def test_argocd_ends_a_sync_when_the_training_has_started(state: State) -> None:
    assert in_argocd(state.manifest, "started").status == (state.argocd_started or state.argocd)


@pytest.mark.parametrize("state", STATES, ids=label)
def test_flux_shows_the_state(state: State) -> None:
    assert in_flux(state.manifest, "finished") == state.flux


@pytest.mark.parametrize("state", STATES, ids=label)
def test_flux_is_ready_when_the_training_has_started(state: State) -> None:
    assert in_flux(state.manifest, "started") == (state.flux_started or state.flux)


def test_flux_needs_no_status_of_a_pod_group() -> None:
    """Without one ``has(status.phase)`` is an error of Flux's engine, unlike of the one here."""
    checks = [each for each in flux_health("started") if each["kind"] == "PodGroup"]
    assert len(checks) == 2
    assert not any("status" in each[key] for each in checks for key in each if key != "kind")


def test_a_restart_is_told() -> None:
    (state,) = (s for s in STATES if s.manifest["kind"] == "JobSet" and s.name == "restarting")
    assert "restart 2" in in_argocd(state.manifest, "finished").message
