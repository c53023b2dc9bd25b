"""Rights of the controller, no more than it uses, and of those who use TrainJobs.

In: where it serves and whether it compiles. Out: roles and bindings. On Secrets it holds ``create``
alone: what it mints it never reads, and an admission policy limits what it may mint.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from trainc.install.meta import NAME, NAMESPACE, metadata
from trainc.names import GROUP

Json = dict[str, Any]

_RBAC: Final = "rbac.authorization.k8s.io"
_JOBSET: Final = "jobset.x-k8s.io"
_KUEUE: Final = "kueue.x-k8s.io"
_LWS: Final = "leaderworkerset.x-k8s.io"


def _rule(group: str, resources: Sequence[str], verbs: Sequence[str], *names: str) -> Json:
    rule: Json = {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}
    return rule | ({"resourceNames": list(names)} if names else {})


# In every namespace it serves.
_SERVE: Final = [
    _rule(GROUP, ["trainjobs"], ["get", "list", "watch"]),
    _rule(GROUP, ["trainjobs/status"], ["patch"]),
    # patch: to hold one that was made again after its TrainJob finished, and for progress where
    # there is no TrainJob; delete: at its deadline.
    _rule(_JOBSET, ["jobsets"], ["get", "list", "watch", "patch", "delete"]),
    _rule("", ["secrets", "configmaps", "events"], ["create"]),
    # To let a job's data cache end with its JobSet, and sleep while that does not run.
    _rule(_LWS, ["leaderworkersets"], ["get", "patch"]),
    # To hold a queued JobSet by spec.active: its spec.suspend is Kueue's.
    _rule(_KUEUE, ["workloads"], ["list", "patch"]),
    _rule("", ["pods"], ["get"]),  # whose token it is that reports
]
# Further, to compile TrainJobs made in the cluster.
_COMPILE: Final = [
    _rule(GROUP, ["trainingruntimes"], ["get"]),
    _rule(_JOBSET, ["jobsets"], ["create"]),
    _rule("", ["configmaps"], ["get", "patch"]),
    _rule("", ["services", "serviceaccounts"], ["create", "patch"]),
    _rule(_RBAC, ["roles", "rolebindings"], ["create", "patch"]),  # never more than it may itself
    _rule(_LWS, ["leaderworkersets"], ["create"]),
    _rule("scheduling.x-k8s.io", ["podgroups"], ["create", "patch"]),
    _rule("scheduling.volcano.sh", ["podgroups"], ["create", "patch"]),
]
_OWN: Final = [
    _rule("coordination.k8s.io", ["leases"], ["create"]),
    _rule("coordination.k8s.io", ["leases"], ["get", "update"], NAME),
    _rule("", ["secrets"], ["create"]),  # its own certificate, where nobody else makes one
]
_REVIEW: Final = [_rule("authentication.k8s.io", ["tokenreviews"], ["create"])]
_RUNTIMES: Final = [_rule(GROUP, ["clustertrainingruntimes"], ["get"])]
_WRITE: Final = ["create", "delete", "deletecollection", "patch", "update"]
_KINDS: Final = ["trainjobs", "trainingruntimes", "clustertrainingruntimes"]


def own_rights() -> list[Json]:
    """What it may in its own namespace: hold the Lease, make its certificate."""
    return [_role("Role", NAME, _OWN, NAMESPACE), _binding("Role", NAME, NAMESPACE)]


def rights(namespaces: Sequence[str], compiles: bool) -> list[Json]:
    """What it may where it serves; cluster-wide where ``namespaces`` is empty."""
    wide = _REVIEW + (_RUNTIMES if compiles else [])
    serve = _SERVE + (_COMPILE if compiles else [])
    if namespaces:
        out = [_role("ClusterRole", NAME, wide), _binding("ClusterRole", NAME)]
        for namespace in namespaces:
            out.append(_role("Role", f"{NAME}-jobs", serve, namespace))
            out.append(_binding("Role", f"{NAME}-jobs", namespace))
        return out
    out = [_role("ClusterRole", NAME, serve + wide), _binding("ClusterRole", NAME)]
    return out + _for_users()


def _for_users() -> list[Json]:
    """What the roles view and edit of every namespace hold in addition.

    JobSet has such roles, but gives them to nobody; a job is a JobSet too.
    """
    read = ["get", "list", "watch"]
    view = [_rule(GROUP, _KINDS, read), _rule(_JOBSET, ["jobsets"], read)]
    edit = [
        _rule(GROUP, ["trainjobs", "trainingruntimes"], _WRITE),
        _rule(_JOBSET, ["jobsets"], _WRITE),
    ]
    roles = []
    for name, rules in (("view", view), ("edit", edit)):
        role = _role("ClusterRole", f"trainc-{name}", rules)
        role["metadata"]["labels"][f"{_RBAC}/aggregate-to-{name}"] = "true"
        roles.append(role)
    return roles


def _role(kind: str, name: str, rules: Sequence[Json], namespace: str = "") -> Json:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": kind,
        "metadata": metadata(name, namespace),
        "rules": list(rules),
    }


def _binding(kind: str, name: str, namespace: str = "") -> Json:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": f"{kind}Binding",
        "metadata": metadata(name, namespace),
        "roleRef": {"apiGroup": _RBAC, "kind": kind, "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
    }
