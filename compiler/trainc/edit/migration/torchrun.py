"""How a PyTorch program is started: whether torchrun does it, and what its flags say.

torchrun reads the ``PET_*`` variables as defaults of its flags, and tells its processes of their
peers itself; all other programs have nothing but what their container is told.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from trainc.edit.migration.environment import Program

_MODULES = ("torch.distributed.run", "torch.distributed.launch")
_TORCHRUN = re.compile(r"\b(?:torchrun|torch\.distributed\.(?:run|launch))\b")
_PROCESSES = re.compile(r"--nproc[_-]per[_-]node\b")


def is_torchrun(program: Program) -> bool:
    """Whether a container runs torchrun itself, without a shell around it."""
    words = program.words
    if not program.command:
        return False
    first = PurePosixPath(words[0]).name
    if first == "torchrun":
        return True
    options = words[1:]
    while options and options[0] in ("-u", "-B", "-I"):
        options = options[1:]
    return first.startswith("python") and options[:1] == ("-m",) and options[1:2] in [
        (module,) for module in _MODULES
    ]  # fmt: skip


def counts_processes(program: Program) -> bool:
    """Whether the number of processes may come from ``PET_NPROC_PER_NODE``.

    It does not where a flag says it, nor for a Python program that is started as it is.
    """
    if _PROCESSES.search(program.text):
        return False
    if _TORCHRUN.search(program.text) or not program.command:
        return True
    return not PurePosixPath(program.command[0]).name.startswith("python")
