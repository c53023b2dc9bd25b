"""Plan: the objects that shall exist, each with its origin; and what the controller must know."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from trainc import names
from trainc.errors import Problem
from trainc.info.info import Info, SecretRequest
from trainc.plan.digest import canonical, digest
from trainc.plan.jobset import Manifest, jobset
from trainc.plan.secret import secret
from trainc.plan.trainjob import trainjob

Secrets = Literal["refer", "inline"]
Emit = Literal["jobset", "both"]


class Object(NamedTuple):
    """One object of the output.

    Attributes:
        manifest: The whole object. Parts of it are shared with other objects: never change it.
        origin: What it was made from, as the comment above it says.
        trainjob: Namespace and name of the TrainJob it belongs to, as it is written, whatever the
            job is called; no name where it is several's.
        files: Printed names of the files it was made from: of its TrainJobs.
        kept: Whether it is printed as a person has written it (``others: keep``).
    """

    manifest: Mapping[str, Any]
    origin: str
    trainjob: tuple[str, str]
    files: tuple[str, ...] = ()
    kept: bool = False


class Plan(NamedTuple):
    """All objects of a build, and all problems found on the way.

    Attributes:
        objects: What shall exist.
        problems: What was found, in file order.
        sources: SHA-256 of each file that was read, by its printed name.
        paths: Real paths of the files of a printed name.
    """

    objects: tuple[Object, ...] = ()
    problems: tuple[Problem, ...] = ()
    sources: Mapping[str, str] = {}
    paths: Mapping[str, tuple[str, ...]] = {}


class Output(NamedTuple):
    """What a build is asked to print.

    Attributes:
        secrets: ``refer`` leaves Secrets to the cluster, ``inline`` prints fresh ones.
        emit: ``both`` prints the TrainJob beside its JobSet.
        status_ca: The CA certificate that signs the status server's, PEM; None leaves the ConfigMap
            that holds it to the controller.
    """

    secrets: Secrets = "refer"
    emit: Emit = "jobset"
    status_ca: str | None = None


def plan(info: Info, output: Output) -> tuple[Object, ...]:
    """The objects of one job, in no particular order."""
    job = info.spec.job
    origin = f"{job.document.file} (TrainJob {job.document.name}, {info.spec.runtime.label})"
    key = (job.namespace, job.document.name)
    files = (job.document.file,)
    made = tuple(Object(manifest, origin, key, files) for manifest in _manifests(info, output))
    return (*made, *_shared(info, output, origin)) if info.shared else made


def _shared(info: Info, output: Output, origin: str) -> Iterator[Object]:
    """What several jobs make alike: of no TrainJob, so that it stands before all of them."""
    key = (info.spec.job.namespace, "")
    made = list(info.shared)
    if output.secrets == "inline":
        wanted = (request for request in info.secrets if _is_shared(request, info))
        made += [secret(request, info.name, key[0]) for request in wanted]
    for manifest in made:
        yield Object(
            _stamped(manifest, info, sound=True), origin, key, (info.spec.job.document.file,)
        )


def _is_shared(request: SecretRequest, info: Info) -> bool:
    """Whether a Secret is of a cache that several jobs use."""
    return request.kind == "cache-auth" and info.cache is not None and info.cache.shared


def _manifests(info: Info, output: Output) -> Iterator[Manifest]:
    sound = info.spec.compat.version is None
    for manifest in (*info.objects, *_minted(info, output)):
        yield _stamped(manifest, info, sound)
    built = jobset(info)
    if sound:
        built = _stamped(built, info, sound)
        note = {names.JOB_ANNOTATION: annotation(info, output)}
        built["metadata"]["annotations"] = {**built["metadata"].get("annotations", {}), **note}
    yield built
    if sound and output.emit == "both":
        # By the mark a controller that compiles leaves it to its JobSet, which may come later.
        yield _stamped(trainjob(info), info, sound)


def _minted(info: Info, output: Output) -> Iterator[Manifest]:
    for request in info.secrets:
        if request.kind == "ca":
            if output.status_ca is not None or output.secrets == "inline":
                yield _authority(request.name, output.status_ca or "")
        elif output.secrets == "inline" and not _is_shared(request, info):
            yield secret(request, info.name, info.spec.job.namespace)


def _authority(name: str, certificate: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name},
        "data": {names.CA_KEY: certificate},
    }


def _stamped(manifest: Mapping[str, Any], info: Info, sound: bool) -> Manifest:
    """The object in the job's namespace, marked as made by trainc."""
    metadata = {**manifest["metadata"], "namespace": info.spec.job.namespace}
    if sound:
        metadata["labels"] = {**metadata.get("labels", {}), names.MANAGED_BY_LABEL: names.TRAINC}
    return {**manifest, "metadata": metadata}


def annotation(info: Info, output: Output) -> str:
    """What the status controller must know of a job, as one line of JSON.

    Keys: ``version`` of this format, ``trainjob``, ``digest`` of the spec, and where there are any:
    ``cache`` (the LeaderWorkerSet that ends with the job), ``deadlineSeconds``, ``features``, and
    ``secrets`` to mint (``name`` and ``kind``).
    """
    job = info.spec.job
    known: dict[str, Any] = {"digest": digest(info.spec), "trainjob": job.name, "version": 1}
    if info.cache is not None and not info.cache.shared:
        known["cache"] = info.cache.name + names.CACHE_SUFFIX
    deadline = job.spec.get("activeDeadlineSeconds")
    if deadline:
        known["deadlineSeconds"] = deadline
    if info.spec.settings.features:
        known["features"] = sorted(info.spec.settings.features)
    missing = [
        {"kind": request.kind, "name": request.name}
        for request in info.secrets
        if output.secrets == "refer" and not (request.kind == "ca" and output.status_ca is not None)
    ]
    if missing:
        known["secrets"] = missing
    return canonical(known)
