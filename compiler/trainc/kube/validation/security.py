"""Security contexts: users, privileges, profiles, kernel parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trainc.kube.validation.forms import relative_path, sysctl_name
from trainc.kube.validation.problem import Node, Path, PodProblem, Problems, one_of, shown

_CHECK: Final = "security"
_IDS: Final = ("runAsUser", "runAsGroup", "fsGroup")
_MAX_ID: Final = 2**31 - 1
_PROFILES: Final = ("RuntimeDefault", "Unconfined", "Localhost")
_PROC_MOUNTS: Final = ("Default", "Unmasked")
_CHOICES: Final = {
    "fsGroupChangePolicy": ("OnRootMismatch", "Always"),
    "supplementalGroupsPolicy": ("Merge", "Strict"),
    "seLinuxChangePolicy": ("Recursive", "MountOption"),
}
_NET_SYSCTLS: Final = ("net.", "net/")
_IPC_SYSCTLS: Final = (
    "kernel.shm",
    "kernel.msg",
    "kernel/shm",
    "kernel/msg",
    "fs.mqueue",
    "fs/mqueue",
)
_IPC_EXACT: Final = frozenset({"kernel.sem", "kernel/sem"})


def container_security(given: Node, host_users: bool, at: Path) -> Problems:
    """Checks a container's ``securityContext``."""
    yield from _shared(given, at)
    proc = given.get("procMount")
    if proc is not None and proc not in _PROC_MOUNTS:
        yield PodProblem((*at, "procMount"), one_of(proc, _PROC_MOUNTS), check=_CHECK)
    elif proc == "Unmasked" and host_users:
        message = "must not be Unmasked unless the Pod has hostUsers: false"
        yield PodProblem((*at, "procMount"), message, check=_CHECK)
    if given.get("allowPrivilegeEscalation") is not False:
        return
    added = (given.get("capabilities") or {}).get("add") or ()
    if given.get("privileged") or "CAP_SYS_ADMIN" in added:
        other = "privileged: true" if given.get("privileged") else "capability CAP_SYS_ADMIN"
        where = (*at, "allowPrivilegeEscalation")
        yield PodProblem(where, f"must not be false beside {other}", check=_CHECK)


def pod_security(given: Node, pod: Node, at: Path) -> Problems:
    """Checks a Pod's ``securityContext``."""
    yield from _shared(given, at)
    for i, group in enumerate(given.get("supplementalGroups") or ()):
        if not 0 <= group <= _MAX_ID:
            where = (*at, "supplementalGroups", i)
            yield PodProblem(where, f"must be between 0 and {_MAX_ID}, got {group}", check=_CHECK)
    for key, known in _CHOICES.items():
        if key in given and given[key] not in known:
            yield PodProblem((*at, key), one_of(given[key], known), check=_CHECK)
    if given.get("sysctls"):
        yield from _sysctls(given["sysctls"], pod, (*at, "sysctls"))


def _shared(given: Node, at: Path) -> Problems:
    for key in _IDS:
        if key in given and not 0 <= given[key] <= _MAX_ID:
            message = f"must be between 0 and {_MAX_ID}, got {given[key]}"
            yield PodProblem((*at, key), message, check=_CHECK)
    if "seccompProfile" in given:
        yield from _seccomp(given["seccompProfile"], (*at, "seccompProfile"))
    if "appArmorProfile" in given:
        yield from _app_armor(given["appArmorProfile"], (*at, "appArmorProfile"))


def _seccomp(profile: Node, at: Path) -> Problems:
    kind, local = profile.get("type", ""), profile.get("localhostProfile")
    if kind not in _PROFILES:
        yield PodProblem((*at, "type"), one_of(kind, _PROFILES), check=_CHECK)
    if (kind == "Localhost") != (local is not None):
        message = "must be set with type Localhost, and with no other"
        yield PodProblem((*at, "localhostProfile"), message, check=_CHECK)
    elif local is not None and (wrong := relative_path(local)):
        where = (*at, "localhostProfile")
        yield PodProblem(where, f"{wrong}, got {shown(local)}", check=_CHECK)


def _app_armor(profile: Node, at: Path) -> Problems:
    kind, local = profile.get("type", ""), profile.get("localhostProfile")
    if kind not in _PROFILES:
        yield PodProblem((*at, "type"), one_of(kind, _PROFILES), check=_CHECK)
    elif (kind == "Localhost") != (local is not None):
        message = "must be set with type Localhost, and with no other"
        yield PodProblem((*at, "localhostProfile"), message, check=_CHECK)
    elif local is not None and (not local or local != local.strip() or len(local) > 4095):
        message = "must be a name of at most 4095 characters without spaces around it"
        yield PodProblem((*at, "localhostProfile"), message, check=_CHECK)


def _sysctls(given: Sequence[Node], pod: Node, at: Path) -> Problems:
    seen: set[str] = set()
    for i, sysctl in enumerate(given):
        name = sysctl.get("name", "")
        wrong = sysctl_name(name) or ("is there twice" if name in seen else "")
        if not wrong and pod.get("hostNetwork") and name.startswith(_NET_SYSCTLS):
            wrong = "must not be set in a Pod with hostNetwork: true"
        if not wrong and pod.get("hostIPC") and _is_ipc(name):
            wrong = "must not be set in a Pod with hostIPC: true"
        if wrong:
            yield PodProblem((*at, i, "name"), f"{shown(name)} {wrong}", check=_CHECK)
        seen.add(name)


def _is_ipc(name: str) -> bool:
    return name in _IPC_EXACT or name.startswith(_IPC_SYSCTLS)
