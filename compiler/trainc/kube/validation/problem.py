"""What a rule yields: a place in the JobSet and what the API server would say of it.

A leaf of its own, so that every module of rules can make one.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
Node: TypeAlias = Mapping[str, Any]


class PodProblem(NamedTuple):
    """Something that the API server would refuse.

    Attributes:
        path: The place, from the root of the JobSet object: keys of maps, indexes of lists.
        message: What is wrong, in lower case, without the place.
        hint: How to mend it, empty where there is no one way.
        check: The name of the check it belongs to, a key of ``trainc.kube.pod.CHECKS``.
    """

    path: Path
    message: str
    hint: str = ""
    check: str = ""


Problems: TypeAlias = Iterator[PodProblem]


def one_of(value: object, known: Sequence[str]) -> str:
    """The message for a value outside an enumeration."""
    return f"must be one of {', '.join(filter(None, known))}, got {shown(value)}"


def shown(value: object) -> str:
    """A value as messages print it: short, on one line."""
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else f"{text[:76]}...{text[-1]}"
