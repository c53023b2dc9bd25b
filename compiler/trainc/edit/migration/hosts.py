"""Host names of the old operators' pods, in the names that a JobSet gives.

Under the Training Operator a pod and its Service are called ``NAME-worker-0``, under the MPI
Operator a pod is ``NAME-worker-0.NAME``. A JobSet's pods answer as ``NAME-node-0-0.NAME``; what
they are called in the API has a random end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from trainc.edit.migration.part import Lost, Path

_BEFORE = r"(?<![\w.\-])(?:(?<=//)|(?<!/))"  # a word of a path is no host
_VARIABLE = re.compile(r"\$(?:\{\w+\}|\(\w+\)|\w+)-(?:master|worker|launcher)\b")
_OWN = re.compile(r"\$\{?HOSTNAME\b|\bhostname\b")


class Group(NamedTuple):
    """The pods of one kind of replica, as a JobSet has them.

    Attributes:
        job: The replicated job they belong to.
        first: The completion index of the first of them.
        size: How many there are.
    """

    job: str
    first: int
    size: int


class Hosts:
    """The names of one job's pods."""

    def __init__(self, name: str, groups: Mapping[str, Group], *, mpi: bool = False) -> None:
        """Takes the job's name and the pods of each kind of replica, its name in lower case."""
        self.name, self._groups, self._mpi = name, groups, mpi
        kinds = "|".join(groups)
        service = rf"(?:\.{re.escape(name)}(?:-worker)?(?![\w\-]))?" if mpi else ""
        stem = rf"{re.escape(name)}-({kinds})"
        self._host = re.compile(rf"{_BEFORE}{stem}-(\d+){service}(?![\w\-])")
        self._alone = re.compile(rf"{_BEFORE}{stem}{service}(?![\w\-])")
        self._open = re.compile(rf"{_BEFORE}{stem}-?(?=[$%<*?(\[{{])")

    def host(self, kind: str, index: int | str = 0) -> str:
        """The DNS name of a pod, by its number among its kind."""
        group = self._groups[kind]
        at = group.first + index if isinstance(index, int) else index
        return f"{self.name}-{group.job}-0-{at}.{self.name}"

    def own(self, kind: str) -> str:
        """The DNS name of the pod that reads it, by the Job's own variable."""
        return self.host(kind, "$(JOB_COMPLETION_INDEX)")

    def names(self, text: str) -> bool:
        """Whether a text names a pod of the old job."""
        patterns = (self._host, self._open, *([self._alone] if self._mpi else []))
        return any(pattern.search(text) for pattern in patterns)

    def renamed(self, text: str, path: Path, lost: list[Lost]) -> str:
        """The text with the host names of today; what cannot be renamed is listed."""
        odd = self._open.search(text) or _VARIABLE.search(text)
        if odd is not None:
            message = f"{odd[0]}... is put together to the name of an old pod"
            lost.append(Lost(path, message, f"pods answer as {self.pattern()}"))
        for match in self._host.finditer(text):
            if int(match[2]) >= self._groups[match[1]].size:
                message = f"{match[0]} is no pod of this job"
                lost.append(Lost(path, message, f"it has {self._groups[match[1]].size}"))
        text = self._host.sub(lambda match: self.host(match[1], int(match[2])), text)
        return self._renamed_alone(text, path, lost) if self._mpi else text

    def warn_of_own(self, text: str, path: Path, lost: list[Lost]) -> None:
        """Lists a program that looks at its own host name, where that means something else now."""
        if _OWN.search(text) and ("master" in self._groups or re.search("-(worker|master)", text)):
            message = "a pod's own host name has another form now"
            lost.append(Lost(path, message, f"it is {self.pattern()}", "warning"))

    def _renamed_alone(self, text: str, path: Path, lost: list[Lost]) -> str:
        """The launcher has no number; ``NAME-worker`` was the workers' Service."""
        for match in self._alone.finditer(text):
            if match[1] != "launcher":
                message = f"{match[0]} was the Service of the old job"
                lost.append(Lost(path, message, f"pods answer as {self.pattern()}"))
        return self._alone.sub(
            lambda match: self.host("launcher") if match[1] == "launcher" else match[0], text
        )

    def pattern(self) -> str:
        """How the pods answer today."""
        jobs = dict.fromkeys(group.job for group in self._groups.values())
        return " and ".join(f"{self.name}-{job}-0-N.{self.name}" for job in jobs)
