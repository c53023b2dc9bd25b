"""Which defects of Kubeflow Trainer v2.3.0 a build reproduces: the question every room asks.

Rooms ask ``compat.keeps(NAME)`` with a name of ``quirks.py``; none tests a version.
"""

from typing import Final, NamedTuple

from trainc.spec.quirks import QUIRKS

VERSIONS: Final = ("v2.3.0",)

# The policies the reference has; under --compat no other exists.
POLICIES: Final = frozenset(
    {
        "mlPolicy.torch",
        "mlPolicy.mpi",
        "mlPolicy.jax",
        "mlPolicy.xgboost",
        "mlPolicy.flux",
        "mlPolicy.plainml",
        "podGroupPolicy.coscheduling",
        "podGroupPolicy.volcano",
    }
)


class Compat(NamedTuple):
    """Which quirks are kept: those of a version but the mended ones, or none.

    Attributes:
        version: One of ``VERSIONS``; None is the default mode.
        mended: Names of quirks that are not kept all the same, for telling their effects apart.
    """

    version: str | None = None
    mended: frozenset[str] = frozenset()

    @property
    def extends(self) -> bool:
        """Whether the additions of the default mode are made."""
        return self.version is None

    def keeps(self, name: str) -> bool:
        """Whether the named quirk of the reference is to be reproduced."""
        return self.version is not None and name in QUIRKS and name not in self.mended


SOUND: Final = Compat()
