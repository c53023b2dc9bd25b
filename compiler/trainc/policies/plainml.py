"""No framework: the trainer gets the job's settings and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from trainc.info.info import Info
from trainc.info.place import with_job_env
from trainc.policy import DEFAULT_KEY, Policy


@dataclass(frozen=True)
class Settings:
    """Nothing can be set."""


def enforce(info: Info, settings: Settings) -> Info:
    """Gives the trainer the job's env."""
    del settings
    return with_job_env(info)


POLICY = Policy(key=DEFAULT_KEY, settings=Settings, enforce=enforce)
