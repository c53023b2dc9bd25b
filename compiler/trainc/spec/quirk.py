"""Quirk: one named difference between trainc and Kubeflow Trainer v2.3.0."""

from typing import NamedTuple


class Quirk(NamedTuple):
    """One difference.

    Attributes:
        name: How warnings and documents call it.
        defect: Its number in the list of the reference's known defects, empty where it has none.
        reference: What v2.3.0 does.
        sound: What trainc does by default.
        reason: Why the two cannot be one.
        touches: A regular expression of the paths in the output that the quirk may change
            (``JobSet.spec.replicatedJobs[0]...``); empty where it only admits or refuses.
    """

    name: str
    defect: str
    reference: str
    sound: str
    reason: str
    touches: str = ""
