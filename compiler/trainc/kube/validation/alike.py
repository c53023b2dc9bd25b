"""What the checks of a replicated job look at, as one key: jobs alike in it get the same verdict.

In: a replicated job as it is printed. Out: a tuple to look it up by. Jobs of one runtime differ in
arguments, values of variables and images, at which no check looks closely; the rest they share by
identity, so the key is made in a fraction of the checks' time. Whoever keeps a key keeps the
replicated job too, or the ids in it could become another object's.
"""

from collections.abc import Hashable
from typing import Any, Final

from trainc.kube.validation.problem import Node

BLANKS: Final = " \t\n\v\f\r"  # what an image must not begin or end with
_SCALARS: Final = frozenset({str, int, float, bool, type(None)})
_UNSEEN: Final = frozenset({"command", "args"})
_NOWHERE: Final[Node] = {}


def likeness(rjob: Node) -> Hashable:
    """Gives a key that two replicated jobs share only if the checks cannot tell them apart.

    What stands outside the replicated job (the JobSet's name and annotations, claim templates) is
    not in it.
    """
    template = rjob.get("template") or _NOWHERE
    job = template.get("spec") or _NOWHERE
    pods = job.get("template") or _NOWHERE
    pod = pods.get("spec") or _NOWHERE
    return (
        _fields(rjob, "template"),
        _fields(template, "spec"),
        _fields(job, "template"),
        _fields(pods, "spec"),
        tuple([(k, _seen(k, v)) for k, v in pod.items()]),
    )


def _fields(node: Node, below: str) -> Hashable:
    return tuple(
        [(k, v if v.__class__ in _SCALARS else id(v)) for k, v in node.items() if k != below]
    )


def _seen(key: str, value: Any) -> Hashable:
    """A field of the pod: containers by their fields, lists by their items."""
    if key in ("containers", "initContainers"):
        return tuple([_container(container) for container in value or ()])
    if value.__class__ is list:
        return tuple(map(id, value))
    return value if value.__class__ in _SCALARS else id(value)


def _container(container: Node) -> Hashable:
    return tuple([(k, _inside(k, v)) for k, v in container.items() if k not in _UNSEEN])


def _inside(key: str, value: Any) -> Hashable:
    """A field of a container, as closely as it is checked."""
    if value.__class__ is list:
        return _variables(value) if key == "env" else tuple(map(id, value))
    if key == "image":
        return bool(value) and value == value.strip(BLANKS)
    if key == "resources" and value:
        return tuple([(side, _amounts(amounts)) for side, amounts in value.items()])
    return value if value.__class__ in _SCALARS else id(value)


def _variables(env: list[Any]) -> Hashable:
    return tuple([(i.get("name"), id(i["valueFrom"]) if "valueFrom" in i else 0) for i in env])


def _amounts(amounts: Any) -> Hashable:
    return tuple(amounts.items()) if amounts.__class__ is dict else id(amounts)
