"""The runtime a TrainJob was first built with, kept beside it.

In: a TrainJob. Out: the text of its runtime. As in the reference: ConfigMap
``NAME-runtime-snapshot``, key ``runtime``, owned by the TrainJob, made at the first build and used
ever after, so that neither an edit nor a deletion of the runtime reaches a job that exists.
"""

from __future__ import annotations

from trainc.controller.api import Api
from trainc.controller.conditions import NOT_SUPPORTED
from trainc.controller.paths import (
    CLUSTER_RUNTIMES,
    CONFIG_MAPS,
    RUNTIMES,
    collection,
    item,
)
from trainc.controller.view import Json, owned_by
from trainc.manifest.emit import emit
from trainc.names import (
    API_VERSION,
    CLUSTER_TRAINING_RUNTIME,
    GROUP,
    MANAGED_BY_LABEL,
    RUNTIME_KINDS,
    TRAIN_JOB,
    TRAINC,
    TRAINING_RUNTIME,
    TRAINJOB_LABEL,
)

SUFFIX = "-runtime-snapshot"
KEY = "runtime"
_FAILED = "TrainJobResourcesCreationFailed"


class UnusableError(Exception):
    """A TrainJob whose objects cannot be made; says why, and the condition's reason."""

    def __init__(self, message: str, reason: str) -> None:
        """Keeps both."""
        super().__init__(message)
        self.reason = reason


class Snapshots:
    """The snapshots of all TrainJobs."""

    def __init__(self, api: Api) -> None:
        """They are in the cluster; nothing is kept here."""
        self._api = api

    def runtime(self, trainjob: Json) -> str:
        """The text of the TrainJob's runtime: its snapshot, which is made where there is none.

        Raises:
            UnusableError: if there is no such runtime, or the snapshot is not this TrainJob's.
            ApiError: if the cluster refuses or does not answer.
        """
        kind, name = _reference(trainjob)
        metadata = trainjob["metadata"]
        path = item(CONFIG_MAPS, metadata["namespace"], metadata["name"] + SUFFIX)
        found = self._api.find(path)
        if found is None:
            text = self._live(kind, name, metadata["namespace"])
            made = _snapshot(trainjob, text)
            if self._api.create(collection(CONFIG_MAPS, metadata["namespace"]), made):
                return text
            found = self._api.get(path)
        return _checked(found, trainjob, kind, name)

    def _live(self, kind: str, name: str, namespace: str) -> str:
        if kind == TRAINING_RUNTIME:
            path = item(RUNTIMES, namespace, name)
        else:
            path = f"{collection(CLUSTER_RUNTIMES)}/{name}"
        found = self._api.find(path)
        if found is None:
            raise UnusableError(f"{kind} {name} not found", _FAILED)
        kept = ("name", "namespace", "labels", "annotations")
        metadata = {key: found["metadata"][key] for key in kept if key in found["metadata"]}
        return emit(
            {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": found["spec"]}
        )


def _reference(trainjob: Json) -> tuple[str, str]:
    """Kind and name of the runtime it names."""
    reference = trainjob["spec"]["runtimeRef"]
    kind = reference.get("kind", CLUSTER_TRAINING_RUNTIME)
    group = reference.get("apiGroup", GROUP)
    if group != GROUP or kind not in RUNTIME_KINDS:
        raise UnusableError(f"unsupported runtime: {kind}.{group}", NOT_SUPPORTED)
    return kind, reference["name"]


def _snapshot(trainjob: Json, text: str) -> Json:
    metadata = trainjob["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": metadata["name"] + SUFFIX,
            "namespace": metadata["namespace"],
            "labels": {MANAGED_BY_LABEL: TRAINC, TRAINJOB_LABEL: metadata["name"]},
            **owned_by(API_VERSION, TRAIN_JOB, metadata["name"], metadata["uid"]),
        },
        "data": {KEY: text},
    }


def _checked(found: Json, trainjob: Json, kind: str, name: str) -> str:
    """The snapshot's text, if it is this TrainJob's and of the runtime it names."""
    from trainc.source.parse import parse

    label = found["metadata"]["name"]
    owners = found["metadata"].get("ownerReferences") or []
    if not any(owner["uid"] == trainjob["metadata"]["uid"] for owner in owners):
        raise UnusableError(f"ConfigMap {label} is not owned by this TrainJob", _FAILED)
    text: str = (found.get("data") or {}).get(KEY, "")
    if not text:
        raise UnusableError(f"ConfigMap {label} has no key {KEY}", _FAILED)
    documents, problems = parse(text.encode(), label)
    if problems or len(documents) != 1:
        raise UnusableError(f"ConfigMap {label} holds no runtime", _FAILED)
    (document,) = documents
    if (document.api_version, document.kind, document.name) != (API_VERSION, kind, name):
        message = f"ConfigMap {label} holds {document.label}, runtimeRef names {kind}/{name}"
        raise UnusableError(message, _FAILED)
    return text
