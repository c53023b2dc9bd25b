"""The order of objects in the output, and the refusal of two of one name.

In: the objects of a plan. Out: the same, by namespace, then TrainJob, and inside one TrainJob in an
order a cluster can take them: what a pod refers to stands before what starts pods.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from trainc import codes
from trainc.errors import Mark, Problem
from trainc.plan.plan import Object

_KINDS: Final = (
    "Namespace",
    "CustomResourceDefinition",
    "PriorityClass",
    "StorageClass",
    "ResourceQuota",
    "LimitRange",
    "ServiceAccount",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "ConfigMap",
    "Secret",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Topology",
    "ResourceFlavor",
    "WorkloadPriorityClass",
    "AdmissionCheck",
    "Cohort",
    "ClusterQueue",
    "LocalQueue",
    "PodGroup",
    "Service",
    "LeaderWorkerSet",
    "JobSet",
    "TrainJob",
)
_RANK: Final = {kind: rank for rank, kind in enumerate(_KINDS)}
# A kind only a policy of somebody else's knows: before what may use it.
_OTHER: Final = _RANK["PodGroup"]

Identity = tuple[str, str, str, str]  # API group, kind, namespace, name


def in_order(objects: Iterable[Object]) -> tuple[Object, ...]:
    """The objects in the order in which they are printed."""
    return tuple(sorted(objects, key=_position))


def _position(each: Object) -> tuple[str, str, int, str, str, str]:
    """Where it stands; independent of the order in which the objects were made."""
    manifest = each.manifest
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    return (*each.trainjob, _RANK.get(kind, _OTHER), kind, manifest["apiVersion"], name)


def identity(each: Object) -> Identity:
    """What a cluster tells objects apart by; the version of the group is no part of it."""
    metadata = each.manifest["metadata"]
    group = each.manifest["apiVersion"].rpartition("/")[0]
    return group, each.manifest["kind"], metadata.get("namespace", ""), metadata["name"]


def doubles(
    objects: Sequence[Object], place: Callable[[tuple[str, str]], Mark | None] = lambda job: None
) -> list[Problem]:
    """One error for every object that another TrainJob already makes.

    Two TrainJobs of one name are not told here: they are refused at their own places.

    Args:
        objects: Of all jobs.
        place: Where a TrainJob, by namespace and name, has its name.
    """
    found: list[tuple[Object, Object]] = []
    first: dict[Identity, Object] = {}
    for each in objects:
        other = first.setdefault(identity(each), each)
        if other is not each:
            found.append((each, other))
    # A job makes one JobSet: with two there are two jobs.
    twice = {each.trainjob for each, other in found if _is_jobset(each, other)}
    return [
        _double(*pair, place(pair[0].trainjob)) for pair in found if pair[0].trainjob not in twice
    ]


def _is_jobset(each: Object, other: Object) -> bool:
    return each.manifest["kind"] == "JobSet" and each.trainjob == other.trainjob


def _double(each: Object, other: Object, mark: Mark | None) -> Problem:
    _, kind, namespace, name = identity(each)
    makers = " and ".join(sorted({"/".join(each.trainjob), "/".join(other.trainjob)}))
    return Problem(
        f"{kind} {namespace}/{name} would be made twice, by TrainJob {makers}",
        codes.DUPLICATE,
        mark,
        object=f"TrainJob/{each.trainjob[1]}",
        field="metadata.name",
        hint="rename one of them",
    )
