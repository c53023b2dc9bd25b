"""What a transfer works with, in one place.

In: a remote, a target, and those who take note of what is done. Out: the same, handed around.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trainc.initializers.journal import Journal
from trainc.initializers.progress import Progress
from trainc.initializers.provider import Remote
from trainc.initializers.retry import Patience
from trainc.initializers.target import Target


@dataclass(frozen=True)
class Site:
    """What the transfer works with.

    Attributes:
        remote: Where the bytes come from.
        target: Where they go to.
        journal: Takes note of what is done.
        progress: Is told what arrives.
        patience: Of every single operation.
        ranges: What temporary files hold already, by name.
    """

    remote: Remote
    target: Target
    journal: Journal
    progress: Progress
    patience: Patience
    ranges: Mapping[str, Sequence[tuple[int, int]]]
