"""Setting: one value of a compiled job, who set it, and by which names it may be asked for."""

from __future__ import annotations

from typing import Any, NamedTuple

from trainc.errors import Mark


class Setter(NamedTuple):
    """Who set a value.

    Attributes:
        who: ``runtime``, ``overlay``, ``patch``, ``TrainJob``, ``policy``, ``feature``, ``default``
            or ``trainc``.
        name: Which one: the runtime, the patch's manager, the policy's key; may be empty.
        mark: The line that did it; None where no file did.
        field: The field there, as the API server writes it.
        note: What more is known of the line: what a template became, where its values are from.
    """

    who: str
    name: str = ""
    mark: Mark | None = None
    field: str = ""
    note: str = ""


class Former(NamedTuple):
    """A value that was there before, and who had set it."""

    value: Any
    setter: Setter


class Setting(NamedTuple):
    """One value.

    Attributes:
        path: Where it stands in the JobSet, items of lists by name:
            ``spec.replicatedJobs[node].template...env[PET_NNODES]``.
        value: What it is; of an env variable its text or its source.
        setter: Who set it.
        names: Paths it may be asked for by, step by step: by name, by index, and those of the
            TrainJob.
        former: What it replaced, the last one last.
        group: What it belongs to in a list for people: ``replicatedJobs[node], container node``.
        label: Its name in that group.
    """

    path: str
    value: Any
    setter: Setter
    names: tuple[tuple[str, ...], ...] = ()
    former: tuple[Former, ...] = ()
    group: str = ""
    label: str = ""
