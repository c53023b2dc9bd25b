"""TrainJobs made straight in the cluster (``--compile``): compiled and applied by the controller.

In: a TrainJob without a JobSet, or one that changed while suspended. Out: its objects, by
server-side apply, owned by the TrainJob. It is the compiler of ``trainc build``, given the runtime
in the cluster as it was at the first build: later edits of the runtime change no job.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from trainc.api import Build, build
from trainc.controller.api import APPLY_PATCH, Api, ApiError
from trainc.controller.conditions import finished
from trainc.controller.decide import ended_before_it_went
from trainc.controller.decision import Observed
from trainc.controller.gather import Gathering
from trainc.controller.paths import JOB_SETS, LEADER_WORKER_SETS, TRAIN_JOBS, Kind, item
from trainc.controller.snapshot import Snapshots, UnusableError
from trainc.controller.view import (
    JobSetView,
    Json,
    Key,
    TrainJobView,
    jobset_view,
    key_of,
    owned_by,
    trainjob_view,
)
from trainc.errors import Problem
from trainc.names import (
    API_VERSION,
    CACHE_LABEL,
    CACHE_SHARED_PREFIX,
    CACHE_SUFFIX,
    GENERATION_ANNOTATION,
    JOBSET_READERS,
    MANAGED_BY,
    TRAIN_JOB,
    TTL_ANNOTATION,
)

logger = logging.getLogger(__name__)

FIELD_MANAGER = "trainc"
CREATION_FAILED = "TrainJobResourcesCreationFailed"
_PREFIX = "TrainJob resources reconciliation failed: "
_LONGEST = 950  # characters of the reasons, as the reference cuts them
_TTL = "ttlSecondsAfterFinished"
_SHARED = re.compile(f"{CACHE_SHARED_PREFIX}[0-9a-f]{{10}}{CACHE_SUFFIX}")
# Where the kinds that the compiler prints are: kind -> (group and version, plural).
_KINDS: dict[str, Kind] = {
    "ConfigMap": ("/api/v1", "configmaps"),
    "Service": ("/api/v1", "services"),
    "ServiceAccount": ("/api/v1", "serviceaccounts"),
    "Role": ("/apis/rbac.authorization.k8s.io/v1", "roles"),
    "RoleBinding": ("/apis/rbac.authorization.k8s.io/v1", "rolebindings"),
    "LeaderWorkerSet": LEADER_WORKER_SETS,
    "JobSet": JOB_SETS,
}


class Compiling:
    """Makes the objects of TrainJobs that nobody built."""

    def __init__(self, api: Api, gathering: Gathering, features: Iterable[str]) -> None:
        """``features`` are on for every job."""
        self._api = api
        self._gathering = gathering
        self._snapshots = Snapshots(api)
        self._features = tuple(features)

    def ensure(self, observed: Observed) -> Observed:
        """What is observed after the job's objects were made, or why they could not be.

        Raises:
            ApiError: if the API server does not answer.
        """
        trainjob = observed.trainjob
        if trainjob is None or not _is_due(observed):
            return _as_it_is(observed)
        observed = replace(observed, compiled=True)
        try:
            # In this order: the end of a job is written before its JobSet goes.
            jobset = self._api.find(item(JOB_SETS, *key_of(trainjob)))
            found = self._api.find(item(TRAIN_JOBS, *key_of(trainjob)))
            if found is None or found["metadata"]["uid"] != trainjob.uid:
                return observed
            observed = self._learned(found, jobset)
            # It may have ended, or its JobSet been made; events of that may still be on their way.
            return self._made(observed, found) if _is_due(observed) else _as_it_is(observed)
        except UnusableError as why:
            return replace(observed, error=str(why), reason=why.reason)
        except ApiError as error:
            if error.is_passing:
                raise
            return replace(observed, error=_cut(str(error)), reason=CREATION_FAILED)

    def _made(self, observed: Observed, trainjob: Json) -> Observed:
        runtime = self._snapshots.runtime(trainjob)
        built = self._built(trainjob, runtime)
        for manifest in built.objects:
            self._apply(_of_trainjob(manifest, trainjob))
        key = _key(trainjob)
        logger.info("compiled %s/%s: %d objects", *key, len(built.objects))
        return replace(observed, jobset=self._gathering.jobsets.get(key))

    def _learned(self, trainjob: Json, jobset: Json | None) -> Observed:
        """What the cluster has now; the decision is made with it, so no event of it is needed."""
        found = trainjob_view(trainjob)
        there = None if jobset is None else jobset_view(jobset)
        self._gathering.trainjobs.put(found)
        if there is not None:
            self._gathering.jobsets.put(there)
        return Observed(found, there, compiled=True)

    def _built(self, found: Json, runtime: str) -> Build:
        try:
            built = build([_source(found), runtime], features=self._features)
        except Exception as error:  # our bug, and this TrainJob's owner sees no log
            logger.exception("compiling %s/%s", *_key(found))
            message = f"{_PREFIX}a bug of the compiler: {type(error).__name__}"
            raise UnusableError(message, CREATION_FAILED) from error
        if not built.ok:
            raise UnusableError(_cut(_told(built.problems)), CREATION_FAILED)
        return built

    def _apply(self, manifest: Json) -> None:
        metadata = manifest["metadata"]
        kind = _KINDS.get(manifest["kind"]) or _podgroups(manifest)
        path = item(kind, metadata["namespace"], metadata["name"])
        query = {"fieldManager": FIELD_MANAGER, "force": "true"}
        applied = self._api.patch(path, manifest, APPLY_PATCH, query)
        if kind == JOB_SETS:
            self._gathering.learn_jobset(applied)


def _as_it_is(observed: Observed) -> Observed:
    """Where nothing must be made, or nothing can be."""
    trainjob, jobset = observed.trainjob, observed.jobset
    observed = replace(observed, compiled=False)
    if trainjob is None or not _is_wanted(trainjob):
        return observed
    if jobset is not None and _is_in_the_way(jobset):
        why = f"{_PREFIX}a JobSet of this name is there, and trainc did not build it"
        return replace(observed, error=why, reason=CREATION_FAILED)
    return replace(observed, compiled=_is_ours(trainjob, jobset))


def _is_wanted(trainjob: TrainJobView) -> bool:
    """Whether its objects are ours to make: a build's JobSet may come after its TrainJob."""
    over = trainjob.deleting or finished(trainjob.conditions)
    return trainjob.managed_by == MANAGED_BY and not trainjob.built and not over


def _is_in_the_way(jobset: JobSetView) -> bool:
    """Whether a person made it: nobody else will ever act on the TrainJob of its name."""
    return not jobset.owner and jobset.note is None and not jobset.malformed


def _is_ours(trainjob: TrainJobView, jobset: JobSetView | None) -> bool:
    """Whether this controller makes the job's objects: not where Git or another one does."""
    return jobset is None or jobset.owner == trainjob.uid and jobset.note is not None


def _is_due(observed: Observed) -> bool:
    """Whether the objects must be made: running jobs are never changed."""
    trainjob, jobset = observed.trainjob, observed.jobset
    if trainjob is None or not _is_wanted(trainjob) or not _is_ours(trainjob, jobset):
        return False
    if jobset is None:
        return ended_before_it_went(observed) is None
    changed = jobset.compiled_from != trainjob.generation
    return changed and (jobset.suspended or trainjob.suspended) and not jobset.deleting


def _key(found: Json) -> Key:
    return found["metadata"]["namespace"], found["metadata"]["name"]


def _source(found: Json) -> Json:
    """The TrainJob as somebody would have written it."""
    metadata = {
        key: found["metadata"][key]
        for key in ("name", "namespace", "labels", "annotations")
        if key in found["metadata"]
    }
    return {
        "apiVersion": API_VERSION,
        "kind": TRAIN_JOB,
        "metadata": metadata,
        "spec": found["spec"],
    }


def _of_trainjob(manifest: dict[str, Any], trainjob: Json) -> Json:
    """The object owned by its TrainJob; a JobSet also says which generation it is made from.

    A cache that several jobs use belongs to none of them.
    """
    cache = manifest["metadata"].get("labels", {}).get(CACHE_LABEL, "")
    if _SHARED.fullmatch(cache):
        return manifest
    theirs = trainjob["metadata"]
    owner = owned_by(API_VERSION, TRAIN_JOB, theirs["name"], theirs["uid"])
    metadata = {**manifest["metadata"], **owner}
    if manifest["kind"] != "JobSet":
        return {**manifest, "metadata": metadata}
    generation = {GENERATION_ANNOTATION: str(theirs["generation"])}
    metadata["annotations"] = {**metadata.get("annotations", {}), **generation, **_kept(manifest)}
    # Here Kueue suspends the TrainJob, and the JobSet follows it; a tool syncs the TrainJob alone.
    for field in ("labels", "annotations"):
        written = metadata.get(field, {})
        kept = {k: v for k, v in written.items() if not k.startswith(JOBSET_READERS)}
        metadata[field] = kept
    spec = {**manifest["spec"], "suspend": bool(trainjob["spec"].get("suspend"))}
    spec.pop(_TTL, None)
    return {**manifest, "metadata": metadata, "spec": spec}


def _kept(jobset: Json) -> dict[str, str]:
    """How long the JobSet is kept after its finish.

    JobSet would delete it while no controller runs to see how it ended, and a job of which nothing
    is left would be made again.
    """
    seconds = jobset["spec"].get(_TTL)
    return {} if seconds is None else {TTL_ANNOTATION: str(seconds)}


def _podgroups(manifest: Json) -> Kind:
    return f"/apis/{manifest['apiVersion']}", "podgroups"


def _told(problems: Iterable[Problem]) -> str:
    errors = (problem for problem in problems if problem.severity == "error")
    return _PREFIX + "; ".join(
        f"{problem.field}: {problem.message}" if problem.field else problem.message
        for problem in errors
    )


def _cut(text: str) -> str:
    limit = _LONGEST + len(_PREFIX)
    return text if len(text) <= limit else f"{text[:limit]} ..."
