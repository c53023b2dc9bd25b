"""What each code means, with a bad and a good example; what ``trainc help CODE`` prints."""

from __future__ import annotations

from typing import Final, NamedTuple


class Explanation(NamedTuple):
    """One code: why it matters, and how it looks wrong and right."""

    why: str
    bad: str
    good: str


EXPLANATIONS: Final = {
    "TRC101": Explanation("GPUs are paid for, but fewer processes run on a node than it has.",
                          "numProcPerNode: 1, limits: {nvidia.com/gpu: 4}",
                          "numProcPerNode: 4, limits: {nvidia.com/gpu: 4}"),
    "TRC102": Explanation("Extended resources cannot be overcommitted; the server wants a limit.",
                          "requests: {nvidia.com/gpu: 4}",
                          "limits: {nvidia.com/gpu: 4}"),
    "TRC103": Explanation("A flag goes before what the policy sets: torchrun waits for nodes "
                          "that never come, nodes take the same rank, mpirun finds too few "
                          "slots or leaves some idle.",
                          "numNodes: 2, command: [torchrun, --nnodes=4, train.py]",
                          "numNodes: 2, command: [torchrun, train.py]"),
    "TRC104": Explanation("The nodes of a torch job find each other by PET_*, which torchrun "
                          "reads. Another launcher starts a world of its own on each node, "
                          "and all of them exit with 0.",
                          "numNodes: 2, command: [accelerate, launch, train.py]",
                          "numNodes: 2, command: [torchrun, train.py]"),
    "TRC105": Explanation("A pod that asks for a device no node has waits for ever.",
                          "limits: {nvidia.com/gpus: 4}",
                          "limits: {nvidia.com/gpu: 4}"),
    "TRC106": Explanation("Memory without a unit is in bytes, m is a thousandth, and CPUs are "
                          "whole ones: the container is killed, or its pod waits for ever.",
                          "limits: {memory: 64, cpu: 8000}",
                          "limits: {memory: 64Gi, cpu: 8}"),
    "TRC107": Explanation("The xgboost policy counts one worker a GPU, and a pod starts one "
                          "program. The tracker waits for the others for ever, unless the "
                          "program starts them itself.",
                          "numNodes: 2, limits: {nvidia.com/gpu: 4}",
                          "numNodes: 8, limits: {nvidia.com/gpu: 1}"),
    "TRC108": Explanation("A runtime's replicated jobs are what its JobSet runs: without one it "
                          "starts no pod and trains nothing.",
                          "template: {spec: {}}",
                          "template: {spec: {replicatedJobs: [{name: node, template: ...}]}}"),
    "TRC201": Explanation("Nodes without a fabric exchange gradients over the pod network's TCP.",
                          "numNodes: 8, limits: {nvidia.com/gpu: 8}",
                          "numNodes: 8, limits: {nvidia.com/gpu: 8, rdma/ib: 8}"),
    "TRC202": Explanation("A ReadWriteOnce volume is attached to one node; pods of others wait. "
                          "Claims among the sources are looked at too.",
                          "accessModes: [ReadWriteOnce], numNodes: 2",
                          "accessModes: [ReadWriteMany], numNodes: 2"),
    "TRC203": Explanation("The trainer must mount what the initializer wrote, and wait for it.",
                          "two claims, no dependsOn",
                          "one claim, dependsOn: [{name: dataset-initializer, status: Complete}]"),
    "TRC204": Explanation("The initializer's image does not know the scheme of storageUri.",
                          "storageUri: ftp://data/set",
                          "storageUri: s3://data/set"),
    "TRC205": Explanation("Without the annotation the initializer makes the cache from inside the "
                          "cluster, with rights to do so, and its failures look like success.",
                          "storageUri: cache://schema/table, a template without annotation",
                          "annotations: {trainc.dev/cache: compiled} on the runtime's template"),
    "TRC206": Explanation("The claims among the sources hold one that is called nearly so. A "
                          "pod waits for ever for a claim that is not there.",
                          "claimName: imagenet-dta, a PersistentVolumeClaim imagenet-data",
                          "claimName: imagenet-data"),
    "TRC207": Explanation("spec.trainer.image goes to the jobs labelled trainer. Where the "
                          "launcher alone is, the ranks on the workers run in the runtime's "
                          "image.",
                          "trainer: {image: example.com/llm:1.0}, a node of another image",
                          "one image in both jobs of a runtime of your own"),
    "TRC208": Explanation("mpirun starts remote ranks by ssh, which hands no variables on. "
                          "Variables of OMPI_, PRTE_ and PMIX_ are handed on by Open MPI "
                          "itself.",
                          "env: [{name: NCCL_DEBUG, value: INFO}], command: [mpirun, python, "
                          "train.py]",
                          "command: [mpirun, -x, NCCL_DEBUG, python, train.py]"),
    "TRC301": Explanation("A secret as text is readable by all who read Git or the pod.",
                          "env: [{name: HF_TOKEN, value: hf_...}]",
                          "env: [{name: HF_TOKEN, valueFrom: {secretKeyRef: {...}}}]"),
    "TRC302": Explanation("The tag names another image tomorrow; nodes then run different code.",
                          "image: example.com/llm:latest",
                          "image: example.com/llm:2.1.0"),
    "TRC303": Explanation("The kubelet refuses a name that is none (InvalidImageName), or the "
                          "registry does not know it, after the pods were placed.",
                          "image: <registry>/llm:1.0",
                          "image: ghcr.io/acme/llm:1.0"),
    "TRC304": Explanation("The kubelet replaces $(X) in a value by a variable that stands "
                          "before it in the same container, in command and args by any. What "
                          "it does not find stays text.",
                          "env: [{name: A, value: $(B)}, {name: B, value: x}]",
                          "env: [{name: B, value: x}, {name: A, value: $(B)}]"),
    "TRC401": Explanation("A GitOps tool puts a removed job back, and it trains again.",
                          "ttlSecondsAfterFinished: 3600",
                          "no TTL; remove the job from Git"),
    "TRC402": Explanation("One pod is retried alone while the others hang in their collectives.",
                          "backoffLimit: 3, numNodes: 4",
                          "backoffLimit: 0, failurePolicy: {maxRestarts: 3}"),
    "TRC403": Explanation("Spot machines vanish; 30 s rarely suffice for a checkpoint.",
                          "tolerations for spot, no grace period",
                          "terminationGracePeriodSeconds: 300"),
    "TRC404": Explanation("A job that hangs holds its nodes until somebody looks.",
                          "no activeDeadlineSeconds",
                          "activeDeadlineSeconds: 86400"),
    "TRC405": Explanation("The runtime's owner has marked it as deprecated.",
                          "labels: {trainer.kubeflow.org/support: deprecated}",
                          "runtimeRef to another runtime"),
    "TRC406": Explanation("Kueue suspends and resumes a queued job; suspend: false would go past "
                          "its queue, and is not printed.",
                          "labels: {kueue.x-k8s.io/queue-name: gpu}, suspend: false",
                          "labels: {kueue.x-k8s.io/queue-name: gpu}"),
    "TRC407": Explanation("Flux replaces ${VAR} by nothing once it substitutes variables; $${VAR} "
                          "is its escape.",
                          "args: ['--nnodes=${PET_NNODES}']",
                          "args: ['--nnodes=$PET_NNODES'], or --profile flux"),
    "TRC408": Explanation("Over 256 KiB client-side apply fails, over 1 MiB the server refuses. "
                          "Under a profile the first is seen to.",
                          "args: [a whole script]",
                          "the script in the image or a volume"),
    "TRC409": Explanation("The workers' sshd never ends, and a JobSet without a success "
                          "policy is complete when all its jobs are: a finished job holds its "
                          "GPUs.",
                          "mlPolicy: {mpi: {}}, no successPolicy",
                          "successPolicy: {operator: All, targetReplicatedJobs: [launcher]}"),
    "TRC410": Explanation("Kueue's webhook refuses the annotations in the cluster, or the job "
                          "waits in its queue for ever: pods that do not come to whole slices "
                          "are never placed.",
                          "numNodes: 6, kueue.x-k8s.io/podset-slice-size: \"4\"",
                          "numNodes: 8, kueue.x-k8s.io/podset-slice-size: \"4\""),
    "TRC411": Explanation("A Workload of Kueue has 18 pod sets at most (8 in v0.17), one "
                          "for each replicated job; Kueue cannot make that of a larger job.",
                          "20 replicatedJobs beside a queue name",
                          "replicas: 20 of one replicated job"),
    "TRC420": Explanation("Kueue resumes a queued job when there is quota; suspend: true would "
                          "fight it for the field, and is not printed.",
                          "labels: {kueue.x-k8s.io/queue-name: gpu}, suspend: true",
                          "stopPolicy: Hold on the LocalQueue, or trainc suspend NAME"),
    "TRC421": Explanation("Kueue adds a flavor's node labels and tolerations to the job's own, in "
                          "fields that are replaced whole. Flux applies the job again at every "
                          "interval, which JobSet refuses while it runs; with force it would be "
                          "deleted each time. With on_change: rename Flux applies it once, under a "
                          "name that follows all that is printed.",
                          "profile: flux, on_change: keep, a queued job with tolerations",
                          "on_change: rename; or tolerations on the ResourceFlavor, and affinity "
                          "in place of nodeSelector"),
    "TRC422": Explanation("Kueue adds a flavor's node labels and tolerations to the job's own, in "
                          "fields that are replaced whole: the same file applied a second time is "
                          "refused while the job runs.",
                          "labels: {kueue.x-k8s.io/queue-name: gpu}, tolerations",
                          "tolerations on the ResourceFlavor, and affinity in place of "
                          "nodeSelector"),
    "TRC423": Explanation("The JobSet has those labels and annotations of its TrainJob that Kueue, "
                          "Argo CD and Flux read, and no other.",
                          "annotations: {acme.com/budget: \"7\"} on the TrainJob, for a webhook "
                          "that sees JobSets",
                          "the same below runtimePatches[].trainingRuntimeSpec.template.metadata"),
    "TRC424": Explanation("Argo CD deletes and creates an object with Force=true,Replace=true in "
                          "every sync of its Application, changed or not, and in the dry run.",
                          "profile: argocd, on_change: replace",
                          "profile: argocd, on_change: rename"),
    "TRC425": Explanation("Kueue's framework trainer.kubeflow.org/trainjob, on by default, refuses "
                          "a TrainJob whose runtime is not in the cluster, and Flux then applies "
                          "nothing of the build; trainc diff --cluster says so too. Reported "
                          "once a build; set it to off when the runtimes are there.",
                          "emit: both, a queued job, no runtime in the cluster",
                          "kubectl apply --server-side -f runtimes/"),
}  # fmt: skip


UNSPARED: Final = frozenset({"TRC102", "TRC108", "TRC424"})
"""No advice: what a cluster would refuse. Always errors."""
FIXED: Final = frozenset({"TRC406", "TRC420"})
"""Reports of the compiler on what it does: a comment takes them away, their level stays."""


def page(code: str) -> str:
    """The page of a code, as text for a terminal.

    Raises:
        KeyError: There is no such code.
    """
    known = EXPLANATIONS[code]
    text = f"{code}: {known.why}\n\n  bad:   {known.bad}\n  good:  {known.good}\n\n"
    if code in UNSPARED:
        return text + "Always an error: no comment and no level takes it away.\n"
    text += f"Take a finding away with a comment:  # trainc: ignore[{code}] reason\n"
    if code in FIXED:
        return text
    return f"{text}Change its level in trainc.yaml:     rules: {{{code}: error|warning|info|off}}\n"
