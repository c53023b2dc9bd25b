"""Lints on ``$(X)``: what the kubelet replaces, and what it leaves as text.

A value of ``env`` sees the variables before it in the same container, a command or argument sees
all of them; what is not there stays as it is (kubelet, ``third_party/forked/golang/expansion``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from trainc.info.podset import Container, PodSet
from trainc.info.reference import references
from trainc.lint.launcher import SHELLS
from trainc.lint.lint import Finding, Lint, of_pods
from trainc.names import JOB_COMPLETION_INDEX

# What the kubelet adds for each Service of the namespace.
_OF_SERVICES: Final = re.compile(r"[A-Z0-9_]+_(?:SERVICE_HOST|SERVICE_PORT\w*|PORT(?:_\w+)?)")
# In a script, $(x) runs a command; these names are variables of launchers for sure.
_SURELY: Final = re.compile(
    r"(?:PET|JAX|DMLC|OMPI)_\w+|RANK|LOCAL_RANK|WORLD_SIZE|MASTER_ADDR|MASTER_PORT|NNODES|NODE_RANK"
    r"|JOB_COMPLETION_INDEX"
)


@of_pods
def unknown_variable(pod_set: PodSet) -> Iterator[Finding]:
    """A reference to a variable that is set later in the container, or never."""
    groups = (("containers", pod_set.containers), ("initContainers", pod_set.init_containers))
    for group, containers in groups:
        for number, each in enumerate(containers):
            if each.env_from:
                continue  # its names are in the cluster
            for path, message, hint in (*_of_env(each), *_of_words(each)):
                yield (group, number, *path), message, hint


def _of_env(container: Container) -> Iterator[Finding]:
    """References of values, which see what stands before them."""
    place = {item["name"]: index for index, item in enumerate(container.env)}
    for index, item in enumerate(container.env):
        value = item.get("value")
        if not value or "$(" not in value:
            continue
        for name in references(value):
            if place.get(name, len(place)) < index:
                continue
            if name in place or name == JOB_COMPLETION_INDEX:
                yield (
                    ("env", index, "value"),
                    f"$({name}) stays as it is: {name} is set later in this container",
                    f"write {name} before {item['name']}",
                )
            elif not _OF_SERVICES.fullmatch(name):
                yield ("env", index, "value"), _never(name), _HINT


_HINT: Final = "set the variable, or write $$(...) where the text is meant"


def _never(name: str) -> str:
    return f"$({name}) stays as it is: this container sets no {name}"


def _of_words(container: Container) -> Iterator[Finding]:
    """References of command and arguments, which see all variables."""
    names = {item["name"] for item in container.env} | {JOB_COMPLETION_INDEX}
    for field, words in (("command", container.command or ()), ("args", container.args or ())):
        for index, word in enumerate(words):
            if "$(" not in word:
                continue
            script = _is_script(container, word)
            for name in references(word):
                known = name in names or _OF_SERVICES.fullmatch(name)
                if not known and (not script or _SURELY.fullmatch(name)):
                    yield (field, index), _never(name), _HINT


def _is_script(container: Container, word: str) -> bool:
    """Whether a shell may read the word: there, ``$(date)`` runs a command."""
    words: Sequence[str] = (*(container.command or ()), *(container.args or ()))
    shell = any(each.rpartition("/")[2] in SHELLS for each in words[:4])
    return shell or "\n" in word or not container.command


LINTS = (Lint("TRC304", "warning", unknown_variable),)
