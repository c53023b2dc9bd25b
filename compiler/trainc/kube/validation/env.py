"""Environment variables: names, and where their values come from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from trainc.kube.quantity import canonical, parse
from trainc.kube.validation import forms
from trainc.kube.validation.problem import Node, Path, PodProblem, Problems, one_of, shown

_CHECK: Final = "env"
_SOURCES: Final = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
ENV_FIELDS: Final = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
_SUBSCRIPT: Final = r"(metadata\.(?:annotations|labels))\['(.*)'\]"
_RESOURCES: Final = tuple(
    f"{side}.{name}"
    for side in ("limits", "requests")
    for name in ("cpu", "memory", "ephemeral-storage")
)
_CPU_DIVISORS: Final = frozenset({"1m", "1"})
_BYTE_DIVISORS: Final = frozenset(
    {"1", *(f"1{s}{i}" for s in "MGTPE" for i in ("", "i")), "1k", "1Ki"}
)


def env(given: Sequence[Node], volumes: Mapping[str, Node], at: Path) -> Problems:
    """Checks a container's ``env``; ``volumes`` are the Pod's, by name."""
    seen: set[str] = set()
    for i, variable in enumerate(given):
        name = variable.get("name", "")
        if wrong := forms.env_name(name):
            yield PodProblem((*at, i, "name"), f"{wrong}, got {shown(name)}", check=_CHECK)
        if name in seen:
            yield PodProblem((*at, i, "name"), f"{shown(name)} is there twice", check=_CHECK)
        seen.add(name)
        if "valueFrom" in variable:
            yield from _value_from(variable, volumes, (*at, i, "valueFrom"))


def env_from(given: Sequence[Node], at: Path) -> Problems:
    """Checks a container's ``envFrom``."""
    for i, source in enumerate(given):
        prefix = source.get("prefix")
        if prefix and (wrong := forms.env_name(prefix)):
            yield PodProblem((*at, i, "prefix"), f"{wrong}, got {shown(prefix)}", check=_CHECK)
        refs = [key for key in ("configMapRef", "secretRef") if source.get(key) is not None]
        if len(refs) != 1:
            message = "must name exactly one of configMapRef and secretRef"
            yield PodProblem((*at, i), message, check=_CHECK)
        for key in refs:
            name = source[key].get("name", "")
            # A name that ends with "-" passes here, as the start of a longer one would.
            if wrong := forms.dns_subdomain(name.removesuffix("-") if len(name) > 1 else name):
                where = (*at, i, key, "name")
                yield PodProblem(where, f"{wrong}, got {shown(name)}", check=_CHECK)


def _value_from(variable: Node, volumes: Mapping[str, Node], at: Path) -> Problems:
    source = variable["valueFrom"] or {}
    kinds = [kind for kind in _SOURCES if source.get(kind) is not None]
    if not kinds:
        yield PodProblem(at, f"must have one of {', '.join(_SOURCES)}", check=_CHECK)
    elif variable.get("value"):
        hint = "keep either value or valueFrom"
        yield PodProblem(at, "must not be set beside a value", hint, _CHECK)
    elif len(kinds) > 1:
        yield PodProblem(at, f"must have one source, has {' and '.join(kinds)}", check=_CHECK)
    for kind in kinds:
        if kind == "fieldRef":
            yield from field_ref(source[kind], ENV_FIELDS, (*at, kind))
        elif kind == "resourceFieldRef":
            yield from resource_field_ref(source[kind], (*at, kind))
        elif kind == "fileKeyRef":
            yield from _file_key_ref(source[kind], volumes, (*at, kind))
        else:
            yield from _key_ref(source[kind], (*at, kind))


def field_ref(ref: Node, fields: Sequence[str], at: Path) -> Problems:
    """Checks a reference to a field of the Pod; ``fields`` are allowed without a subscript."""
    version, path = ref.get("apiVersion") or "v1", ref.get("fieldPath", "")
    at = (*at, "fieldPath")
    if version != "v1":
        yield PodProblem(
            (*at[:-1], "apiVersion"), f"must be v1, got {shown(version)}", check=_CHECK
        )
    elif match := re.fullmatch(_SUBSCRIPT, path, re.DOTALL):
        key = match[2].lower() if match[1].endswith("annotations") else match[2]
        if wrong := forms.qualified_name(key):
            yield PodProblem(at, f"key {shown(match[2])} {wrong}", check=_CHECK)
    elif path not in fields and not (path == "spec.host" and fields is ENV_FIELDS):
        subscripts = ("metadata.labels['KEY']", "metadata.annotations['KEY']")
        yield PodProblem(at, one_of(path, (*fields, *subscripts)), check=_CHECK)


def resource_field_ref(ref: Node, at: Path) -> Problems:
    """Checks a reference to a container's request or limit, and its divisor."""
    name = ref.get("resource", "")
    huge = name.startswith(("limits.hugepages-", "requests.hugepages-"))
    if name not in _RESOURCES and not huge:
        yield PodProblem((*at, "resource"), one_of(name, _RESOURCES), check=_CHECK)
        return
    divisor = str(ref.get("divisor", "0"))
    allowed = _CPU_DIVISORS if name.endswith(".cpu") else _BYTE_DIVISORS
    if parse(divisor).nanos and canonical(divisor) not in allowed:
        message = f"must be {'1 or 1m' if name.endswith('.cpu') else '1 with or without a unit'}"
        yield PodProblem((*at, "divisor"), f"{message}, got {divisor}", check=_CHECK)


def _key_ref(ref: Node, at: Path) -> Problems:
    if wrong := forms.dns_subdomain(ref.get("name", "")):
        yield PodProblem((*at, "name"), f"{wrong}, got {shown(ref.get('name', ''))}", check=_CHECK)
    if wrong := forms.config_key(ref.get("key", "")):
        yield PodProblem((*at, "key"), f"{wrong}, got {shown(ref.get('key', ''))}", check=_CHECK)


def _file_key_ref(ref: Node, volumes: Mapping[str, Node], at: Path) -> Problems:
    if wrong := forms.env_name(ref.get("key", "")):
        yield PodProblem((*at, "key"), f"{wrong}, got {shown(ref.get('key', ''))}", check=_CHECK)
    path, name = ref.get("path", ""), ref.get("volumeName", "")
    if wrong := forms.no_backsteps(path) if path else "must be set":
        yield PodProblem((*at, "path"), f"{wrong}, got {shown(path)}", check=_CHECK)
    volume = volumes.get(name)
    sources = () if volume is None else [key for key in volume if key != "name"]
    if volume is None or sources not in ([], ["emptyDir"]):
        message = f"{shown(name)} must be a volume of the Pod of kind emptyDir"
        yield PodProblem((*at, "volumeName"), message, check=_CHECK)
