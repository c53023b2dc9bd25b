"""A thin HTTP client of the API server for tests: JSON in, JSON out, as a given user."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import urllib3

Json = dict[str, Any]

_TRY_AGAIN = 429  # said by an API server that has just started, and meant so
_ATTEMPTS = 30

# kind -> (path of its API group and version, plural, namespaced)
KINDS: dict[str, tuple[str, str, bool]] = {
    "TrainJob": ("/apis/trainer.kubeflow.org/v1alpha1", "trainjobs", True),
    "TrainingRuntime": ("/apis/trainer.kubeflow.org/v1alpha1", "trainingruntimes", True),
    "ClusterTrainingRuntime": (
        "/apis/trainer.kubeflow.org/v1alpha1",
        "clustertrainingruntimes",
        False,
    ),
    "JobSet": ("/apis/jobset.x-k8s.io/v1alpha2", "jobsets", True),
    "LeaderWorkerSet": ("/apis/leaderworkerset.x-k8s.io/v1", "leaderworkersets", True),
    # Both groups have a PodGroup; `kind_of` tells them apart.
    "PodGroup": ("/apis/scheduling.x-k8s.io/v1alpha1", "podgroups", True),
    "PodGroup.volcano": ("/apis/scheduling.volcano.sh/v1beta1", "podgroups", True),
    "ResourceFlavor": ("/apis/kueue.x-k8s.io/v1beta2", "resourceflavors", False),
    "ClusterQueue": ("/apis/kueue.x-k8s.io/v1beta2", "clusterqueues", False),
    "LocalQueue": ("/apis/kueue.x-k8s.io/v1beta2", "localqueues", True),
    "Workload": ("/apis/kueue.x-k8s.io/v1beta2", "workloads", True),
    "WorkloadPriorityClass": (
        "/apis/kueue.x-k8s.io/v1beta2",
        "workloadpriorityclasses",
        False,
    ),
    "GitRepository": ("/apis/source.toolkit.fluxcd.io/v1", "gitrepositories", True),
    "OCIRepository": ("/apis/source.toolkit.fluxcd.io/v1", "ocirepositories", True),
    "Kustomization": ("/apis/kustomize.toolkit.fluxcd.io/v1", "kustomizations", True),
    "Application": ("/apis/argoproj.io/v1alpha1", "applications", True),
    "AppProject": ("/apis/argoproj.io/v1alpha1", "appprojects", True),
    "Job": ("/apis/batch/v1", "jobs", True),
    "Pod": ("/api/v1", "pods", True),
    "Node": ("/api/v1", "nodes", False),
    "Namespace": ("/api/v1", "namespaces", False),
    "Secret": ("/api/v1", "secrets", True),
    "ConfigMap": ("/api/v1", "configmaps", True),
    "Service": ("/api/v1", "services", True),
    "ServiceAccount": ("/api/v1", "serviceaccounts", True),
    "Event": ("/api/v1", "events", True),
    "PersistentVolumeClaim": ("/api/v1", "persistentvolumeclaims", True),
    "Lease": ("/apis/coordination.k8s.io/v1", "leases", True),
    "Deployment": ("/apis/apps/v1", "deployments", True),
    "NetworkPolicy": ("/apis/networking.k8s.io/v1", "networkpolicies", True),
    "PodDisruptionBudget": ("/apis/policy/v1", "poddisruptionbudgets", True),
    "StorageClass": ("/apis/storage.k8s.io/v1", "storageclasses", False),
    "PriorityClass": ("/apis/scheduling.k8s.io/v1", "priorityclasses", False),
    "Role": ("/apis/rbac.authorization.k8s.io/v1", "roles", True),
    "RoleBinding": ("/apis/rbac.authorization.k8s.io/v1", "rolebindings", True),
    "ClusterRole": ("/apis/rbac.authorization.k8s.io/v1", "clusterroles", False),
    "ClusterRoleBinding": ("/apis/rbac.authorization.k8s.io/v1", "clusterrolebindings", False),
    "CustomResourceDefinition": (
        "/apis/apiextensions.k8s.io/v1",
        "customresourcedefinitions",
        False,
    ),
    "ValidatingAdmissionPolicy": (
        "/apis/admissionregistration.k8s.io/v1",
        "validatingadmissionpolicies",
        False,
    ),
    "ValidatingAdmissionPolicyBinding": (
        "/apis/admissionregistration.k8s.io/v1",
        "validatingadmissionpolicybindings",
        False,
    ),
    "ValidatingWebhookConfiguration": (
        "/apis/admissionregistration.k8s.io/v1",
        "validatingwebhookconfigurations",
        False,
    ),
    "MutatingWebhookConfiguration": (
        "/apis/admissionregistration.k8s.io/v1",
        "mutatingwebhookconfigurations",
        False,
    ),
}


class ApiError(Exception):
    """The API server refused; ``code`` is the HTTP status, ``status`` its Status object."""

    def __init__(self, code: int, status: Json) -> None:
        """Keeps both."""
        super().__init__(f"{code}: {status.get('message', status)}")
        self.code = code
        self.status = status

    @property
    def causes(self) -> list[Json]:
        """The fields it names, each with reason and message."""
        causes: list[Json] = (self.status.get("details") or {}).get("causes") or []
        return causes


class Client:
    """The API server seen by one user."""

    def __init__(self, server: str, ca_file: str, token: str) -> None:
        """Talks to ``server`` (``https://host:port``) with a bearer token."""
        self.server = server
        self._pool = urllib3.PoolManager(
            maxsize=16, ca_certs=ca_file, retries=False, timeout=urllib3.Timeout(30)
        )
        self._headers = {"Authorization": f"Bearer {token}"}
        self._warnings: list[str] = []

    def warnings(self, work: Callable[[], Any]) -> list[str]:
        """What the API server warned of while ``work`` was done."""
        before = len(self._warnings)
        work()
        return self._warnings[before:]

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        **query: str,
    ) -> Json:
        """One request; the answer's JSON.

        Raises:
            ApiError: if the status is 400 or above.
        """
        url = f"{self.server}{path}"
        for _ in range(_ATTEMPTS):
            response = self._pool.request(
                method,
                f"{url}?{urlencode(query)}" if query else url,
                headers={**self._headers, "Content-Type": content_type, "Accept": accept},
                body=None if body is None else json.dumps(body).encode(),
            )
            if response.status != _TRY_AGAIN:
                break
            time.sleep(int(response.headers.get("Retry-After", 1)))
        self._warnings += response.headers.getlist("Warning")
        answer = _json_or_text(response.data)
        if response.status >= 400:
            raise ApiError(response.status, answer)
        return answer

    def get(self, kind: str, namespace: str, name: str, subresource: str = "") -> Json:
        """One object."""
        return self.call("GET", path_of(kind, namespace, name, subresource))

    def find(self, kind: str, namespace: str, name: str) -> Json | None:
        """One object, or None where there is none."""
        try:
            return self.get(kind, namespace, name)
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    def list(self, kind: str, namespace: str = "", **query: str) -> list[Json]:
        """All objects of a kind, of one namespace or of all."""
        items: list[Json] = self.call("GET", path_of(kind, namespace), **query)["items"]
        return items

    def create(self, manifest: Mapping[str, Any], **query: str) -> Json:
        """POSTs an object."""
        metadata = manifest["metadata"]
        return self.call(
            "POST", path_of(kind_of(manifest), metadata.get("namespace", "")), manifest, **query
        )

    def apply(self, manifest: Mapping[str, Any], manager: str = "test", **query: str) -> Json:
        """Server-side apply, forced; strict about unknown fields."""
        metadata = manifest["metadata"]
        path = path_of(kind_of(manifest), metadata.get("namespace", ""), metadata["name"])
        query = {"fieldManager": manager, "force": "true", "fieldValidation": "Strict", **query}
        return self.call("PATCH", path, manifest, "application/apply-patch+yaml", **query)

    def merge(
        self, kind: str, namespace: str, name: str, patch: Mapping[str, Any], subresource: str = ""
    ) -> Json:
        """A JSON merge patch."""
        path = path_of(kind, namespace, name, subresource)
        return self.call("PATCH", path, patch, "application/merge-patch+json")

    def delete(self, kind: str, namespace: str, name: str, policy: str = "Background") -> Json:
        """Deletes one object."""
        return self.call("DELETE", path_of(kind, namespace, name), {"propagationPolicy": policy})

    def ready(self) -> bool:
        """Whether the API server says so."""
        try:
            self.call("GET", "/readyz")
        except (ApiError, urllib3.exceptions.HTTPError):
            return False
        return True


def kind_of(manifest: Mapping[str, Any]) -> str:
    """The name of an object's kind in ``KINDS``."""
    kind = str(manifest["kind"])
    volcano = f"{kind}.volcano"
    return volcano if volcano in KINDS and "volcano" in manifest["apiVersion"] else kind


def path_of(kind: str, namespace: str = "", name: str = "", subresource: str = "") -> str:
    """The path of a kind, of its objects in a namespace, or of one object."""
    root, plural, namespaced = KINDS[kind]
    parts = [root, *(["namespaces", namespace] if namespaced and namespace else []), plural]
    return "/".join([*parts, *([name] if name else []), *([subresource] if subresource else [])])


def eventually(check: Callable[[], Any], seconds: float = 30, every: float = 0.05) -> Any:
    """The first true value of ``check()``; what is not there so far is looked for again.

    Raises:
        AssertionError: the last one, or one that tells the time is over.
        LookupError: if a key or an item was missing to the end.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            found = check()
            if found:
                return found
            failure: Exception = AssertionError(f"not within {seconds} s: {check}")
        except (AssertionError, LookupError) as error:
            failure = error
        if time.monotonic() > end:
            raise failure
        time.sleep(every)


def _json_or_text(data: bytes) -> Json:
    try:
        value = json.loads(data)
    except ValueError:
        return {"message": data.decode(errors="replace")}
    return value if isinstance(value, dict) else {"value": value}
