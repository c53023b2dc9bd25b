"""Initializers that fail at once on what another try cannot mend: a typo, a missing repository.

The initializer programs end with exit codes by kind; a podFailurePolicy (KEP-3329) tells Kubernetes
which of them are final. It needs ``restartPolicy: Never``.
"""

from __future__ import annotations

from typing import Any, Final

from trainc import names
from trainc.info.info import Info
from trainc.info.podset import PodSet

_INITIALIZERS: Final = (names.DATASET_INITIALIZER, names.MODEL_INITIALIZER)


def fails_fast(info: Info) -> bool:
    """Whether the runtime asks for it, by an annotation of its own or of its template."""
    if not info.spec.compat.extends:
        return False
    own = info.spec.runtime.document.root["metadata"].get("annotations") or {}
    annotations = {**own, **info.spec.template.annotations}
    return annotations.get(names.FAIL_FAST_ANNOTATION) == "true"


def failing_fast(pod_set: PodSet) -> PodSet:
    """An initializer's pod set with the policy, unless it has one of its own."""
    name = next((n for n in _INITIALIZERS if n in (pod_set.ancestor, pod_set.name)), None)
    template = pod_set.raw["template"]
    job = template["spec"]
    if name is None or "podFailurePolicy" in job:
        return pod_set
    codes = {"containerName": name, "operator": "In", "values": list(names.PERMANENT_EXITS)}
    pod_template = job["template"]
    pod: dict[str, Any] = {**pod_template.get("spec", {}), "restartPolicy": "Never"}
    spec = {
        **job,
        "podFailurePolicy": {"rules": [{"action": "FailJob", "onExitCodes": codes}]},
        "template": {**pod_template, "spec": pod},
    }
    return pod_set._replace(raw={**pod_set.raw, "template": {**template, "spec": spec}})
