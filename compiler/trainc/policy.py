"""Policy: what a plugin is; discovery by file; and the run of the two a job selects.

A policy is one module of ``trainc.policies`` with a ``POLICY``. Its key (``mlPolicy.torch``) is
the path under a runtime's ``spec`` that selects it, its settings are a frozen dataclass with
``annotated_types`` bounds, and nothing else in the house knows its name.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Generic, TypeVar

import trainc.policies
from trainc.errors import Problem
from trainc.info.counts import too_many_nodes
from trainc.info.info import Info
from trainc.info.place import on_trainer
from trainc.settings import decode
from trainc.spec.compat import POLICIES, Compat

S = TypeVar("S")

DEFAULT_KEY = "mlPolicy.plainml"


def accept(info: Info, settings: object) -> Iterable[Problem]:
    """The check of a policy that has nothing to refuse."""
    del info, settings
    return ()


@dataclass(frozen=True)
class Policy(Generic[S]):
    """One policy.

    Attributes:
        key: ``mlPolicy.NAME`` or ``podGroupPolicy.NAME``: what selects it in a runtime.
        settings: The frozen dataclass of what a runtime may write under the key.
        enforce: Applies the policy to a job.
        check: What the policy refuses in a job, asked before ``enforce``.
        place: Who gets the job's numNodes and resourcesPerNode; asked before ``check``.
    """

    key: str
    settings: type[S]
    enforce: Callable[[Info, S], Info]
    check: Callable[[Info, S], Iterable[Problem]] = accept
    place: Callable[[Info, S], Info] = on_trainer


def enforce(info: Info) -> tuple[Info, list[Problem]]:
    """Runs the job's ML policy and then its gang policies, in the order of their keys.

    Returns:
        The job as the policies leave it, and what they refuse; where that is not empty the job is
        as it was when the first of them refused.
    """
    problems: list[Problem] = []
    for policy, written in selected(info):
        settings = decoded(policy.settings, written)
        if policy.key.startswith("mlPolicy."):
            info = policy.place(info, settings)
            counts = [*too_many_nodes(info)]
            if counts:
                return info, [*problems, *counts]
        found = list(policy.check(info, settings))
        problems += found
        if any(problem.severity == "error" for problem in found):
            continue
        info = policy.enforce(info, settings)
    return info, problems


def discover(compat: Compat) -> dict[str, Policy[Any]]:
    """Every policy by its key; under ``--compat`` those of the reference alone."""
    return {
        key: policy
        for key, policy in _discovered().items()
        if compat.version is None or key in POLICIES
    }


def selected(info: Info) -> list[tuple[Policy[Any], Mapping[str, Any]]]:
    """The ML policy, or the default one, and the gang policies of a job; sorted by key.

    A key that no policy claims is refused by the schema; here it is passed over, so that what else
    is wrong can be told too.
    """
    runtime, compat = info.spec.runtime, info.spec.compat
    found = []
    for section, written in (
        ("mlPolicy", runtime.ml_policy or {}),
        ("podGroupPolicy", runtime.pod_group_policy),
    ):
        for name in sorted(written):
            policy = _policy(f"{section}.{name}", compat) if written[name] is not None else None
            if policy is not None:
                found.append((policy, written[name]))
        default = None if found or section != "mlPolicy" else _policy(DEFAULT_KEY, compat)
        if default is not None:
            found.append((default, _NOTHING))
    return found


_NOTHING: Mapping[str, Any] = {}


def _policy(key: str, compat: Compat) -> Policy[Any] | None:
    """The policy of a key. The module named like the key's end is tried first: start-up counts."""
    name = key.rpartition(".")[2]
    if name == "numNodes" or (compat.version is not None and key not in POLICIES):
        return None
    if name in _modules():
        policy = _load(name)
        if policy.key == key:
            return policy
    return discover(compat).get(key)


@cache
def _discovered() -> dict[str, Policy[Any]]:
    policies = [_load(name) for name in _modules()]
    return {policy.key: policy for policy in sorted(policies, key=lambda policy: policy.key)}


@cache
def _modules() -> tuple[str, ...]:
    found = pkgutil.iter_modules(trainc.policies.__path__)
    return tuple(sorted(m.name for m in found if not m.name.endswith(("_test", "conftest"))))


@cache
def _load(name: str) -> Policy[Any]:
    policy: Policy[Any] = import_module(f"trainc.policies.{name}").POLICY
    return policy


# What is written under a key is part of a runtime that many jobs share: decode it once.
_DECODED: dict[tuple[type[Any], int], tuple[Mapping[str, Any], Any]] = {}


def decoded(settings: type[S], written: Mapping[str, Any]) -> S:
    """A policy's settings as the runtime has them."""
    key = (settings, id(written))
    held = _DECODED.get(key)
    if held is None or held[0] is not written:
        held = (written, decode(settings, written))
        _DECODED[key] = held
    found: S = held[1]
    return found
