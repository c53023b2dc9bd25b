"""The rules of ``rules.py`` in Python: each a function of the value it stands on.

In: a value of the type the schema demands. Out: whether the rule holds. The CEL text of each stands
in the table; where that text cannot be evaluated the API server refuses, and so do these.
"""

from __future__ import annotations

import re
from typing import Any, Final

# Python's ``fullmatch`` is Go's ``^...$``; ``.`` leaves out the newline in both.

_NAME: Final = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_URI: Final = r"[A-Za-z][A-Za-z0-9+.-]*://.+"
_CONTROLLERS: Final = ("trainer.kubeflow.org/trainjob-controller", "kueue.x-k8s.io/multikueue")
_POLICIES: Final = ("torch", "mpi", "jax", "xgboost", "flux")


def has_name(root: Any) -> bool:
    """An object has a name: the API server requires it of every kind."""
    return bool(root.get("metadata", {}).get("name"))


def has_runtime_ref(root: Any) -> bool:
    """A job says what it runs on; the CRD requires it below ``spec`` only."""
    return "spec" in root


def name_is_label(root: Any) -> bool:
    """A job's name begins pod and host names: RFC 1035."""
    name = root.get("metadata", {}).get("name")
    return name is not None and _NAME.fullmatch(name) is not None


def name_is_short(root: Any) -> bool:
    """A host name has no room for more."""
    name = root.get("metadata", {}).get("name")
    return name is not None and len(name) <= 63


def is_uri(uri: str) -> bool:
    """A storage URI is empty or has a scheme."""
    return not uri or re.fullmatch(_URI, uri) is not None


def is_controller(manager: str) -> bool:
    """One of the two controllers a TrainJob can belong to."""
    return manager in _CONTROLLERS


def has_time(status: Any) -> bool:
    """A reported status says of when it is."""
    return "lastUpdatedTime" in status


def one_policy(policy: Any) -> bool:
    """At most one of the reference's ML policies."""
    return sum(name in policy for name in _POLICIES) <= 1


def at_least_one(number: int) -> bool:
    """A count of something there must be one of."""
    return number >= 1


def spares_node(containers: list[str]) -> bool:
    """PET variables go to ``node`` anyway, so it may not be named."""
    return "node" not in containers


def in_order_or_depends(spec: Any) -> bool:
    """Jobs start in order or when others are ready, not both."""
    if spec.get("startupPolicy", {}).get("startupPolicyOrder") != "InOrder":
        return True
    # Without jobs the CEL text cannot be evaluated, and the API server refuses.
    return "replicatedJobs" in spec and not any(
        "dependsOn" in job for job in spec["replicatedJobs"]
    )


def claims_have_no_namespace(policy: Any) -> bool:
    """Claims live where their JobSet lives."""
    # Without templates or their metadata the CEL text cannot be evaluated: refused.
    return "templates" in policy and all(
        "metadata" in claim and not claim["metadata"].get("namespace")
        for claim in policy["templates"]
    )
