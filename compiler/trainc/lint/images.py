"""Lints on the names of images: what no runtime can pull.

The grammar is that of github.com/distribution/reference, by which the kubelet reads an image: a
name that it refuses ends in ``InvalidImageName``, after the job was admitted and its pods placed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from trainc.info.podset import PodSet
from trainc.lint.lint import Finding, Lint, of_pods

_DOMAIN: Final = re.compile(
    r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
    r"(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::[0-9]+)?"
    r"|\[[a-fA-F0-9:]+\](?::[0-9]+)?"
)
_PART: Final = re.compile(r"[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*")
_TAG: Final = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST: Final = re.compile(r"sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128}")
_LONGEST: Final = 255
# Words that stand for what somebody was to write in their place; a whole part of a name, or its
# beginning.
_PLACEHOLDER: Final = re.compile(
    r"(?:^|[/:@._-])(?:your|changeme|change-me|replaceme|replace-me|replace-with|placeholder|fixme)"
    r"(?:[/:@._-]|$)"
    r"|(?:^|[/:@])(?:todo|tbd|xxx+|yourregistry|yourorg|yourimage|yourrepo|yourname|youruser)"
    r"(?:[/:@]|$)",
    re.IGNORECASE,
)
_BRACKETS: Final = re.compile(r"[<>{}$%]")


@of_pods
def not_pullable(pod_set: PodSet) -> Iterator[Finding]:
    """An image that is no name, or that names nothing yet."""
    groups = (("containers", pod_set.containers), ("initContainers", pod_set.init_containers))
    for group, containers in groups:
        for number, each in enumerate(containers):
            reason = refusal(each.image) if each.image else ""
            if reason:
                yield (group, number, "image"), f"{each.image!r} cannot be pulled: {reason}", _HINT


_HINT: Final = "write REGISTRY/NAME:TAG, or REGISTRY/NAME@sha256:DIGEST"


@lru_cache(1024)
def refusal(image: str) -> str:
    """Why no runtime can pull an image of that name; empty where one may."""
    if re.search(r"\s", image):
        return "it holds a blank"
    if _BRACKETS.search(image):
        return "it holds a placeholder"
    name, at, digest = image.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        return f"{digest!r} is no digest"
    repository, colon, tag = name.partition(":") if "/" not in name else _tagged(name)
    if colon and not _TAG.fullmatch(tag):
        return _placeholder(tag) or f"{tag!r} is no tag"
    return _misnamed(repository) or _placeholder(image)


def _tagged(name: str) -> tuple[str, str, str]:
    """Repository, colon and tag; the colon of a port stands before the last slash."""
    folder, slash, last = name.rpartition("/")
    repository, colon, tag = last.partition(":")
    return f"{folder}{slash}{repository}", colon, tag


def _misnamed(repository: str) -> str:
    """Why a repository has no name that a registry could know."""
    domain, slash, path = repository.partition("/")
    if not slash or not _is_domain(domain):
        domain, path = "", repository
    if domain and not _DOMAIN.fullmatch(domain):
        return _placeholder(domain) or f"{domain!r} is no registry"
    if len(repository) > _LONGEST:
        return f"its name has more than {_LONGEST} characters"
    for part in path.split("/"):
        if not _PART.fullmatch(part):
            if part and part.lower() != part and _PART.fullmatch(part.lower()):
                return f"{part!r} must be in lower case"
            return _placeholder(part) or (f"{part!r} is no name" if part else "a part is empty")
    if not domain and re.fullmatch(r"[a-f0-9]{64}", path):
        return "64 hexadecimal digits are an image's id, not its name"
    return ""


def _is_domain(word: str) -> bool:
    """Whether the first part of a name is a registry, as the kubelet tells (docker.io else)."""
    return any(sign in word for sign in ".:") or word == "localhost" or word.lower() != word


def _placeholder(text: str) -> str:
    if _BRACKETS.search(text) or _PLACEHOLDER.search(text):
        return "it holds a placeholder"
    return ""


LINTS = (Lint("TRC303", "warning", not_pullable),)
