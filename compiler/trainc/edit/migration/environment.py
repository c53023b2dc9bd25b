"""The variables that the old operators set in containers, and how programs get them now.

The old operators set the same variables in every container of a pod, behind its own. The policies
of today set others, in the container that trains. A program with a command is started by ``env``,
which puts one for the other, so that they follow the job's counts; all other containers, and a
program that is the image's own, have them in their ``env``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from trainc import names
from trainc.edit.migration.part import Part, new
from trainc.edit.migration.sequence import list_like, map_like, quoted, text_like

UNBUFFERED = "PYTHONUNBUFFERED"
Source = Mapping[str, Any]
"""A ``valueFrom``."""
Value = str | Source


def index_source() -> dict[str, Any]:
    """The rank of a pod, from the Job's own annotation."""
    return new(fieldRef=new(fieldPath=names.JOB_INDEX_FIELD))


@dataclass(frozen=True)
class Variables:
    """What an old operator set in every container.

    Attributes:
        items: In its order: the value, or its source.
        words: Of those that the policy of today has under another name: how ``env`` writes them.
        reserved: Names that the policy sets, and a job must not.
    """

    items: Mapping[str, Value] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    reserved: frozenset[str] = frozenset()

    def env(self, only: Iterable[str] | None = None) -> list[dict[str, Any]]:
        """The variables as items of ``env``; some of them, or all."""
        chosen = self.items if only is None else [name for name in self.items if name in set(only)]
        return [_item(name, self.items[name]) for name in chosen]


@dataclass(frozen=True)
class Program:
    """What a container runs: words of its command and its arguments."""

    command: tuple[str, ...]
    args: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """Command and arguments."""
        return (*self.command, *self.args)

    @property
    def text(self) -> str:
        """All words, with blanks between them."""
        return " ".join(self.words)


def program_of(container: Part) -> Program:
    """What a container runs, as its command and args say."""
    lists: list[tuple[str, ...]] = []
    for key in ("command", "args"):
        words = container.node.get(key)
        if words is not None and not isinstance(words, list):
            container.lose("must be a list", key)
        lists.append(tuple(str(word) for word in words) if isinstance(words, list) else ())
    return Program(*lists)


def tell_main(
    trainer: dict[str, Any],
    rest: dict[str, Any],
    program: Program,
    variables: Variables,
    assignments: Mapping[str, str],
) -> None:
    """Gives the main program what it was told.

    Args:
        trainer: ``spec.trainer``: command, args and env, changed in place.
        rest: What is left of the container, in the runtime.
        program: What the container runs.
        variables: What the operator set.
        assignments: What ``env`` sets before the command, where there is one.
    """
    unbuffered(rest, trainer.get("env"))
    beside = [name for name in variables.items if name not in variables.words]
    if not program.command or _mentions(rest, variables.words):
        beside = list(variables.items)
    with_env(trainer, variables.env(beside), without=(*variables.items, *variables.reserved))
    if program.command:
        _expand(trainer, variables.words)
        if assignments:
            lead = ["env", *(f"{name}={text}" for name, text in assignments.items())]
            trainer["command"] = list_like(trainer["command"], before=lead)


def with_env(
    container: dict[str, Any], items: Iterable[dict[str, Any]], *, without: Iterable[str] = ()
) -> None:
    """Sets variables in a container, behind its own; those of the same name go.

    Args:
        container: The container, changed in place.
        items: What is set.
        without: Further names that go.
    """
    behind = list(items)
    gone = {*without, *(item["name"] for item in behind)}
    own = container.get("env")
    own = own if isinstance(own, list) else []
    if not behind and not any(variable_name(item) in gone for item in own):
        return
    made = list_like(own, after=behind, keep=lambda item: variable_name(item) not in gone)
    if made:
        container["env"] = made
    else:
        container.pop("env", None)


def unbuffered(container: dict[str, Any], own: Any) -> None:
    """Sets PYTHONUNBUFFERED, as the Training Operator did, unless it is set to something.

    Args:
        container: The container, changed in place.
        own: The container's variables, wherever they stand now.
    """
    for item in own if isinstance(own, list) else []:
        if variable_name(item) == UNBUFFERED and (item.get("value") or item.get("valueFrom")):
            return
    with_env(container, [_item(UNBUFFERED, "1")])


def tell_others(template: dict[str, Any], containers: list[Any], variables: Variables) -> list[str]:
    """Sets the variables in all containers but the main one, init containers too.

    Args:
        template: The pod template, without containers; its init containers are changed.
        containers: The containers, changed in place.
        variables: What is set.

    Returns:
        The names of the containers beside the main one.
    """
    beside = []
    for index, container in enumerate(containers):
        if container.get("name") != names.NODE:
            containers[index] = changed = map_like(container)
            with_env(changed, variables.env())
            unbuffered(changed, changed.get("env"))
            beside.append(str(changed.get("name")))
    inits = template["spec"].get("initContainers")
    if variables.items and isinstance(inits, list):
        for index, container in enumerate(inits):
            if isinstance(container, dict):
                inits[index] = changed = map_like(container)
                with_env(changed, variables.env())
    return beside


def _expand(container: dict[str, Any], words: Mapping[str, str]) -> None:
    """Writes what a variable is today where command and args refer to it as ``$(NAME)``."""
    pattern = re.compile(r"\$\$|\$\((\w+)\)")

    def change(word: Any) -> Any:
        if not isinstance(word, str):
            return word
        text = pattern.sub(lambda match: words.get(match[1] or "", match[0]), word)
        return word if text == word else text_like(word, text)

    for key in ("command", "args"):
        if isinstance(container.get(key), list):
            container[key] = list_like(container[key], change=change)


def _mentions(container: Mapping[str, Any], variables: Mapping[str, str]) -> bool:
    """Whether a container's probes or hooks refer to a variable: ``env`` is not before those."""
    if not variables:
        return False
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, variables))})\b")
    hooks = [container.get(key) for key in ("lifecycle", "livenessProbe", "readinessProbe")]
    return bool(pattern.search(f"{hooks} {container.get('startupProbe')}"))


def _item(name: str, value: Value) -> dict[str, Any]:
    if not isinstance(value, str):
        return new(name=name, valueFrom=deepcopy(value))
    return new(name=name, value=quoted(value))


def variable_name(item: Any) -> str:
    """The name of an item of ``env``, empty where it has none."""
    name = item.get("name") if isinstance(item, dict) else None
    return name if isinstance(name, str) else ""
