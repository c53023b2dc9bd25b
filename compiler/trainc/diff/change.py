"""Change: what happens to one object, why, and which of its fields differ."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

Path = tuple[str | int, ...]


class _Absent:
    """What stands where nothing stands; unlike None it is no value of YAML."""

    def __repr__(self) -> str:
        return "(none)"


ABSENT: Final = _Absent()


class Verdict(StrEnum):
    """What happens to an object; the order is the one a reviewer needs to read."""

    REPLACE = "replace"
    PRUNE = "prune"
    CREATE = "create"
    CHANGE = "change"


class Field(NamedTuple):
    """One difference.

    Attributes:
        path: Where, in the new object; where nothing is left of it, in the old one.
        old: The value before, ``ABSENT`` where there was none.
        new: The value after, ``ABSENT`` where there is none.
        item: What names the nearest item of a list on the way (``PET_NNODES``), empty for none.
    """

    path: Path
    old: Any
    new: Any
    item: str = ""


class Refusal(NamedTuple):
    """A rule by which the API server refuses the change of an object that is there.

    Attributes:
        path: The field that the rule is about.
        message: What the API server says.
        rule: Whose rule it is: the CEL text of a CRD, or the webhook or validation.
    """

    path: Path
    message: str
    rule: str


class Identity(NamedTuple):
    """What a cluster tells objects apart by."""

    group: str
    kind: str
    namespace: str
    name: str

    @property
    def label(self) -> str:
        """``Kind namespace/name``."""
        return f"{self.kind} {self.namespace + '/' if self.namespace else ''}{self.name}"


class Change(NamedTuple):
    """What happens to one object.

    Attributes:
        identity: Which object.
        verdict: What happens.
        refusals: Why it cannot be changed in place.
        fields: What differs, in the order of the object; of objects that come or go nothing.
        effects: What this means for what runs, in words.
        kills: Whether pods that may be running are ended.
        origin: The source of the object, as the comment above it says.
        partner: Of a job that is renamed, the object on the other side.
    """

    identity: Identity
    verdict: Verdict
    refusals: tuple[Refusal, ...] = ()
    fields: tuple[Field, ...] = ()
    effects: tuple[str, ...] = ()
    kills: bool = False
    origin: str = ""
    partner: Identity | None = None


class Comparison(NamedTuple):
    """All changes of one environment; ``environment`` is None where there are none."""

    environment: str | None
    changes: tuple[Change, ...]


Manifest = Mapping[str, Any]


def identity_of(manifest: Manifest) -> Identity:
    """The identity of an object; the version of its group is no part of it."""
    metadata = manifest["metadata"]
    group = str(manifest["apiVersion"]).rpartition("/")[0]
    return Identity(group, manifest["kind"], metadata.get("namespace", ""), metadata["name"])
