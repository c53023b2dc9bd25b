"""Probes and lifecycle hooks: one handler each, its port, its times."""

from __future__ import annotations

from typing import Any, Final

from trainc.kube.validation.forms import header_name, port_name
from trainc.kube.validation.problem import Node, Path, PodProblem, Problems, one_of, shown

_CHECK: Final = "probe"
_PROBE_HANDLERS: Final = ("exec", "httpGet", "tcpSocket", "grpc")
_HOOK_HANDLERS: Final = ("exec", "httpGet", "tcpSocket", "sleep")
_TIMES: Final = (
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
)
PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")


def probes(container: Node, at: Path) -> Problems:
    """Checks the probes of a container that may have them."""
    for kind in PROBES:
        if kind in container:
            yield from _probe(kind, container[kind], (*at, kind))


def lifecycle(given: Node, grace: int, at: Path) -> Problems:
    """Checks a container's hooks; ``grace`` is the Pod's terminationGracePeriodSeconds."""
    for hook in ("postStart", "preStop"):
        if hook not in given:
            continue
        yield from _handler(given[hook], _HOOK_HANDLERS, (*at, hook))
        sleep = given[hook].get("sleep")
        if sleep is not None and not 0 <= sleep.get("seconds", 0) <= grace:
            message = f"must be between 0 and the grace period of {grace} seconds"
            where = (*at, hook, "sleep", "seconds")
            yield PodProblem(where, f"{message}, got {sleep.get('seconds')}", check=_CHECK)


def _probe(kind: str, probe: Node, at: Path) -> Problems:
    yield from _handler(probe, _PROBE_HANDLERS, at)
    for key in _TIMES:
        if probe.get(key, 0) < 0:
            message = f"must not be negative, got {probe[key]}"
            yield PodProblem((*at, key), message, check=_CHECK)
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and (grace <= 0 or kind == "readinessProbe"):
        wrong = "not be set on a readinessProbe" if grace > 0 else f"be above 0, got {grace}"
        yield PodProblem((*at, "terminationGracePeriodSeconds"), f"must {wrong}", check=_CHECK)
    if kind != "readinessProbe" and probe.get("successThreshold", 1) not in (0, 1):
        message = f"must be 1 on a {kind}, got {probe['successThreshold']}"
        yield PodProblem((*at, "successThreshold"), message, check=_CHECK)


def _handler(given: Node, kinds: tuple[str, ...], at: Path) -> Problems:
    handlers = [kind for kind in kinds if given.get(kind) is not None]
    if len(handlers) != 1:
        found = " and ".join(handlers) or "none"
        message = f"must have exactly one of {', '.join(kinds)}, has {found}"
        yield PodProblem(at, message, check=_CHECK)
    for kind in handlers[:1]:
        action, where = given[kind], (*at, kind)
        if kind == "exec" and not action.get("command"):
            yield PodProblem((*where, "command"), "must be set", check=_CHECK)
        elif kind == "httpGet":
            yield from _http(action, where)
        elif kind in ("tcpSocket", "grpc"):
            yield from _port(action.get("port", 0), (*where, "port"))


def _http(action: Node, at: Path) -> Problems:
    yield from _port(action.get("port", 0), (*at, "port"))
    scheme = action.get("scheme") or "HTTP"
    if scheme not in ("HTTP", "HTTPS"):
        yield PodProblem((*at, "scheme"), one_of(scheme, ("HTTP", "HTTPS")), check=_CHECK)
    for i, header in enumerate(action.get("httpHeaders") or ()):
        if wrong := header_name(header.get("name", "")):
            yield PodProblem((*at, "httpHeaders", i, "name"), wrong, check=_CHECK)


def _port(port: Any, at: Path) -> Problems:
    if isinstance(port, str):
        if wrong := port_name(port):
            yield PodProblem(at, f"{wrong}, got {shown(port)}", check=_CHECK)
    elif not 1 <= port <= 65535:
        yield PodProblem(at, f"must be between 1 and 65535, got {port}", check=_CHECK)
