"""Containers and init containers: image, ports, and everything that hangs on one of them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from trainc.kube.validation.alike import BLANKS
from trainc.kube.validation.env import env, env_from
from trainc.kube.validation.forms import dns_label, port_name
from trainc.kube.validation.mounts import mounts
from trainc.kube.validation.probes import PROBES, lifecycle, probes
from trainc.kube.validation.problem import Node, Path, PodProblem, Problems, one_of, shown
from trainc.kube.validation.resources import container_resources
from trainc.kube.validation.security import container_security

_PROTOCOLS: Final = ("TCP", "UDP", "SCTP")


class Around(NamedTuple):
    """What a container's rules need to know of its Pod.

    Attributes:
        volumes: The Pod's volumes by name, claims of the JobSet's policies among them.
        claims: The names in its resourceClaims.
        grace: Its terminationGracePeriodSeconds.
        restart: Its restartPolicy.
        host_users: Whether it shares the host's user namespace.
        host_network: Whether it shares the host's network.
    """

    volumes: Mapping[str, Node]
    claims: Collection[str]
    grace: int
    restart: str
    host_users: bool
    host_network: bool


def containers(pod: Node, around: Around, at: Path) -> Problems:
    """Checks ``containers`` and ``initContainers`` of a Pod spec."""
    if not pod.get("containers"):
        yield PodProblem((*at, "containers"), "must have at least one container", check="image")
    seen: set[str] = set()
    host_ports: set[tuple[str, str, int]] = set()
    for i, container in enumerate(pod.get("containers") or ()):
        where = (*at, "containers", i)
        yield from _container(container, around, seen, host_ports, where)
        yield from _running(container, around, where)
    for i, container in enumerate(pod.get("initContainers") or ()):
        where = (*at, "initContainers", i)
        # Init containers run one after another: each has the host's ports for itself.
        yield from _container(container, around, seen, set(), where)
        yield from _init(container, around, where)
    if pod.get("ephemeralContainers"):
        message = "must not be set: they are added to running Pods only"
        yield PodProblem((*at, "ephemeralContainers"), message, check="pod")


def _container(
    container: Node,
    around: Around,
    seen: set[str],
    host_ports: set[tuple[str, str, int]],
    at: Path,
) -> Problems:
    name = container.get("name", "")
    if wrong := dns_label(name):
        yield PodProblem((*at, "name"), f"{wrong}, got {shown(name)}", check="name")
    if name in seen:
        message = f"{shown(name)} is the name of another container too"
        yield PodProblem((*at, "name"), message, check="name")
    seen.add(name)
    yield from _image(container.get("image", ""), at)
    for key, value in container.items():
        if key in _FIELDS:
            yield from _FIELDS[key](value, around, (*at, key))
    if "ports" in container:
        yield from _ports(container["ports"], around, host_ports, (*at, "ports"))
    if "volumeMounts" in container or "volumeDevices" in container:
        yield from mounts(container, around.volumes, at)


def _image(image: str, at: Path) -> Problems:
    if not image:
        hint = "write image, or, for the container node, spec.trainer.image in the TrainJob"
        yield PodProblem((*at, "image"), "must be set", hint, "image")
    elif image != image.strip(BLANKS):
        message = f"must not begin or end with a blank, got {shown(image)}"
        yield PodProblem((*at, "image"), message, check="image")


def _ports(
    given: Sequence[Node], around: Around, host_ports: set[tuple[str, str, int]], at: Path
) -> Problems:
    names: set[str] = set()
    numbers: set[tuple[int, str]] = set()
    for i, port in enumerate(given):
        name, number = port.get("name", ""), port.get("containerPort", 0)
        protocol = port.get("protocol") or "TCP"
        wrong = (
            port_name(name) or ("is the name of two ports" if name in names else "") if name else ""
        )
        if wrong:
            yield PodProblem((*at, i, "name"), f"{shown(name)} {wrong}", check="port")
        if not 1 <= number <= 65535:
            message = f"must be between 1 and 65535, got {number}"
            yield PodProblem((*at, i, "containerPort"), message, check="port")
        if protocol not in _PROTOCOLS:
            yield PodProblem((*at, i, "protocol"), one_of(protocol, _PROTOCOLS), check="port")
        if (number, protocol) in numbers:
            message = f"{number}/{protocol} is there twice"
            yield PodProblem((*at, i), message, check="port")
        names.add(name)
        numbers.add((number, protocol))
        yield from _host_port(port, protocol, around, host_ports, (*at, i, "hostPort"))


def _host_port(
    port: Node, protocol: str, around: Around, taken: set[tuple[str, str, int]], at: Path
) -> Problems:
    container_port = port.get("containerPort", 0)
    number = port.get("hostPort") or (container_port if around.host_network else 0)
    if not number:
        return
    key = (protocol, port.get("hostIP", ""), number)
    if not 1 <= number <= 65535:
        yield PodProblem(at, f"must be between 1 and 65535, got {number}", check="port")
    elif key in taken:
        yield PodProblem(at, f"{number}/{protocol} is taken by another container", check="port")
    elif around.host_network and number != container_port:
        message = f"must equal containerPort {container_port} where hostNetwork is true"
        yield PodProblem(at, message, check="port")
    taken.add(key)


def _resize(given: Sequence[Node], around: Around, at: Path) -> Problems:
    known = ("NotRequired",) if around.restart == "Never" else ("NotRequired", "RestartContainer")
    seen: set[str] = set()
    for i, policy in enumerate(given):
        name, value = policy.get("resourceName", ""), policy.get("restartPolicy", "")
        if name not in ("cpu", "memory") or name in seen:
            message = f"must be cpu or memory, each once, got {shown(name)}"
            yield PodProblem((*at, i, "resourceName"), message, check="resources")
        if value not in known:
            yield PodProblem((*at, i, "restartPolicy"), one_of(value, known), check="resources")
        seen.add(name)


def _running(container: Node, around: Around, at: Path) -> Problems:
    """What only containers that stay have: hooks and probes."""
    if "lifecycle" in container:
        yield from lifecycle(container["lifecycle"], around.grace, (*at, "lifecycle"))
    if "livenessProbe" in container or "readinessProbe" in container or "startupProbe" in container:
        yield from probes(container, at)


def _init(container: Node, around: Around, at: Path) -> Problems:
    if container.get("restartPolicy") == "Always":
        yield from _running(container, around, at)
        return
    for key in (*PROBES, "lifecycle"):
        # A stopSignal alone hangs on a feature gate, and is dropped where that is off.
        if key in container and set(container[key]) != {"stopSignal"}:
            message = "must not be set on an init container without restartPolicy: Always"
            yield PodProblem((*at, key), message, check="probe")


def _chosen(known: tuple[str, ...], check: str) -> "_Check":
    def check_value(value: str, _: Around, at: Path) -> Problems:
        if value not in known:
            yield PodProblem(at, one_of(value, known), check=check)

    return check_value


_Check: TypeAlias = Callable[[Any, Around, Path], Problems]
_FIELDS: Final[Mapping[str, _Check]] = {
    "env": lambda given, around, at: env(given, around.volumes, at),
    "envFrom": lambda given, _, at: env_from(given, at),
    "imagePullPolicy": _chosen(("Always", "IfNotPresent", "Never", ""), "image"),
    "resizePolicy": _resize,
    "resources": lambda given, around, at: container_resources(given, around.claims, at),
    "restartPolicy": _chosen(("Always", "OnFailure", "Never"), "restart"),
    "securityContext": lambda given, around, at: container_security(given, around.host_users, at),
    "terminationMessagePolicy": _chosen(("File", "FallbackToLogsOnError", ""), "pod"),
}
