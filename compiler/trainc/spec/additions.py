"""What the default mode prints beside what Kubeflow Trainer v2.3.0 prints."""

from typing import Final, NamedTuple


class Addition(NamedTuple):
    """Something the default mode prints beside what v2.3.0 prints; ``touches`` as in Quirk."""

    name: str
    what: str
    touches: str


ADDITIONS: Final = {
    addition.name: addition
    for addition in (
        Addition(
            "job-annotation",
            "annotation trainc.dev/job on the JobSet: what the status controller must know",
            r"^JobSet\.metadata\.annotations",
        ),
        Addition(
            "managed-by",
            "label app.kubernetes.io/managed-by: trainc on every object",
            r"^\w+\.metadata\.labels",
        ),
        Addition(
            "claim-defaults",
            "volumeClaimPolicies as JobSet's webhook completes them, so that the same file can be "
            "applied again",
            r"\.volumeClaimPolicies",
        ),
        Addition(
            "job-defaults",
            "completionMode and restartPolicy as JobSet's webhook sets them on creation, so that "
            "client-side apply is not refused for a JobSet that is there already",
            r"\.completionMode|\.restartPolicy",
        ),
        Addition(
            "initializer-claim",
            "storageUri pvc://CLAIM/path mounts CLAIM read-only into the initializer",
            r"\.volumes|\.volumeMounts",
        ),
        Addition(
            "initializer-fail-fast",
            "annotation trainc.dev/initializer-fail-fast of a runtime gives its initializers a "
            "podFailurePolicy, and the restartPolicy Never that it needs",
            r"\.podFailurePolicy|\.restartPolicy",
        ),
        Addition(
            "compiled-cache",
            "annotation trainc.dev/cache: compiled of a runtime's template prints the data cache "
            "of a cache:// dataset (LeaderWorkerSet, Service, ServiceAccount, Role, RoleBinding); "
            "the initializer waits for it, and the trainer is told its address, CA and token",
            r"\.env|\.volumes|\.volumeMounts|\.activeDeadlineSeconds",
        ),
    )
}
