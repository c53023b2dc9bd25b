"""The table of named differences between trainc and Kubeflow Trainer v2.3.0.

A quirk is a defect of the reference that ``--compat v2.3.0`` reproduces and the default mode
mends. ``docs/fidelity.md`` is made from this table.
"""

from typing import Final, NamedTuple


class Quirk(NamedTuple):
    """One difference.

    Attributes:
        name: How warnings and documents call it.
        defect: Its number in the list of the reference's known defects, empty where it has none.
        reference: What v2.3.0 does.
        sound: What trainc does by default.
        reason: Why the two cannot be one.
        touches: A regular expression of the paths in the output that the quirk may change
            (``JobSet.spec.replicatedJobs[0]...``); empty where it only admits or refuses.
    """

    name: str
    defect: str
    reference: str
    sound: str
    reason: str
    touches: str = ""


QUIRKS: Final = {
    quirk.name: quirk
    for quirk in (
        Quirk(
            "flux-nodes",
            "#1, #2",
            "crashes where a Flux job has no spec.trainer or no spec.trainer.numNodes",
            "takes the node count of the runtime",
            "a runtime's own numNodes is as good a number as the job's",
        ),
        Quirk(
            "patch-unknown-target",
            "#6, #7",
            "adds a job or an image-less container where a patch names one that is not there",
            "refuses the patch",
            "the API server refuses a container without image, long after the merge",
        ),
        Quirk(
            "ports",
            "#8",
            "takes two ports without a name for one, so user ports are lost or doubled",
            "keeps every user port and adds its own once, told apart by number and protocol",
            "a lost port breaks a service, a doubled one is refused by the API server",
            r"\.ports",
        ),
        Quirk(
            "mounts",
            "",
            "lets the last of two mounts at one path stand at both places",
            "refuses two mounts at one path",
            "the API server refuses them",
            r"\.volumeMounts",
        ),
        Quirk(
            "patch-keeps-source",
            "#9",
            "leaves the old source beside the new one where a patch changes a volume or an env",
            "replaces the source",
            "the API server refuses two sources",
            r"\.volumes\[|\.env\[",
        ),
        Quirk(
            "file-key-ref",
            "#10",
            "turns a fileKeyRef of the job's env into an empty valueFrom",
            "keeps it",
            "the variable would be refused by the API server",
            r"\.env\[",
        ),
        Quirk(
            "claims-lost",
            "#11",
            "drops resources.claims as soon as the job sets resourcesPerNode",
            "keeps the claims of both sides",
            "a job without its claim loses the device it was made for",
            r"\.resources",
        ),
        Quirk(
            "resources-need-policy",
            "#12",
            "ignores resourcesPerNode where the runtime has no mlPolicy",
            "merges it always",
            "what a user writes must act or be refused",
            r"\.resources|\.minResources",
        ),
        Quirk(
            "partial-resources",
            "#13",
            "counts processes from the job's resourcesPerNode alone",
            "counts them from the resources the container really gets",
            "a job that only raises memory would leave its GPUs idle",
            r"\.env\[|\.command\[|\.data\.",
        ),
        Quirk(
            "no-trainer-no-env",
            "",
            "gives the trainer no rendezvous env, port or count where spec.trainer is absent",
            "gives them always",
            "a job that takes its runtime as it is must still find its peers",
            r"\.env|\.ports",
        ),
        Quirk(
            "mpi-launcher-takes-all",
            "#14",
            "gives the launcher the runtime's numNodes, and resourcesPerNode",
            "gives them to the workers, and the launcher a share only where it is a node itself",
            "the counts and resources of a node are meant for the nodes",
            r"\.parallelism|\.completions|\.resources|\.hostfile|\.min|\.env\[",
        ),
        Quirk(
            "mpi-lonely-launcher",
            "#15",
            "runs a launcher and a worker where the launcher is the one node",
            "runs the launcher alone, with one line in the hostfile, and says so",
            "numNodes 1 is one node",
            r"\.parallelism|\.completions|\.hostfile|\.min",
        ),
        Quirk(
            "fixed-host",
            "#16",
            "names the first node <job>-node-0-0.<job> whatever job and subdomain are called",
            "uses the real job's name and the real subdomain",
            "a name that does not resolve ends in a time-out",
            r"\.env\[|\.command\[|\.data\.|\.spec\.template\.spec\.(volumes|initContainers)|\.volumeMounts",
        ),
        Quirk(
            "torchtune-count",
            "#17",
            "checks torchtune's limits against the job's numNodes alone",
            "checks them against the count that will run",
            "LoRA would be dropped silently on several nodes",
        ),
        Quirk(
            "flux-quoting",
            "#20",
            "joins command and arguments with spaces into one word for a shell",
            "passes each argument on as it is, the runtime's included",
            "an argument with a space or a quote would come apart",
            r"\.command|\.args|\.data\.entrypoint",
        ),
        Quirk(
            "flux-exit-code",
            "#20",
            "ends the lead broker's script with a touch, so a failed command looks complete",
            "ends with the command's own exit code",
            "a failed training must fail its Job",
            r"\.data\.entrypoint",
        ),
        Quirk(
            "flux-shm",
            "#20",
            "mounts /dev/shm read-only",
            "mounts it writable",
            "MPI and NCCL write to shared memory",
            r"\.volumeMounts",
        ),
        Quirk(
            "flux-gpus",
            "#20",
            "asks Flux for all of a node's GPUs for each task",
            "asks for a task's share",
            "flux run -g counts per task",
            r"\.data\.entrypoint",
        ),
        Quirk(
            "flux-value-from",
            "",
            "reads a Flux setting that the job takes from a Secret or field as empty",
            "leaves such a setting at what the runtime says",
            "nobody knows the value before the pod runs",
            r"\.image|\.data\.",
        ),
        Quirk(
            "narrow-count",
            "",
            "counts processes in 32 bits, so that 4G CPUs are less than none",
            "counts them as they are",
            "a number of processes is never negative",
            r"\.env\[|\.command\[",
        ),
        Quirk(
            "replicas-zero",
            "#22",
            "drops replicas: 0, which JobSet then reads as 1",
            "keeps replicas as written",
            "0 is what the user wrote",
            r"\.replicas",
        ),
        Quirk(
            "nodes-below-one",
            "#24",
            "takes numNodes and numProcPerNode below 1",
            "refuses them, in jobs and runtimes",
            "a job without pods never ends, a gang of none never starts",
        ),
        Quirk(
            "metadata-unchecked",
            "",
            "compiles whatever names, labels, annotations and keys the metadata holds",
            "refuses the metadata that the API server refuses, unknown fields included",
            "the operator only meets what a server has let in; a build is the first to look",
        ),
        Quirk(
            "initializer-by-label",
            "#25",
            "looks an initializer up by name when checking and by label when building",
            "finds it by label or name alike",
            "an initializer found by the check must get its settings",
            r"\.env|\.envFrom",
        ),
        Quirk(
            "two-gangs",
            "",
            "makes a PodGroup for each of two gang policies",
            "refuses a runtime that sets both",
            "a pod belongs to one scheduler",
        ),
        Quirk(
            "mpi-implementation",
            "#5",
            'admits mpiImplementation "" and fails when building',
            'reads "" as OpenMPI',
            "the schema admits it, and OpenMPI is the only one there is",
        ),
        Quirk(
            "mpi-key-mode",
            "",
            "mounts MPI's private key with mode 0640",
            "mounts it with mode 0600",
            "ssh ignores a key that others than its user may read, so a job of root never starts",
            r"\.volumes\[",
        ),
        Quirk(
            "openmpi-5",
            "",
            "tells mpirun of its hosts by OpenMPI 4's variables alone",
            "sets PRTE_MCA_prte_default_hostfile and PRTE_MCA_plm_ssh_args too",
            "OpenMPI 5 reads only these, and would train on the launcher alone",
            r"\.env\[|\.env$",
        ),
        Quirk(
            "initializer-group",
            "",
            "leaves a volume of an initializer's pod to the group that made it",
            "sets fsGroup 65532 on an initializer's pod where the image is called after it",
            "trainc's images run as uid 65532, which cannot write to a fresh volume of root's",
            r"\.securityContext",
        ),
        Quirk(
            "patch-directive",
            "#4",
            "crashes on a $patch value or $ key it does not know, or keeps it as a plain key",
            "refuses every $ key that is no directive",
            "no label may start with $",
        ),
        Quirk(
            "job-metadata",
            "",
            "leaves labels and annotations for Kueue, Argo CD and Flux, and managedBy: "
            "kueue.x-k8s.io/multikueue, on the TrainJob alone",
            "puts them on the JobSet too, and leaves spec.suspend of a queued one to Kueue",
            "without the operator the JobSet is the object that Kueue, Argo CD and Flux see",
            r"\.metadata\.(labels|annotations)|\.spec\.(suspend|managedBy)",
        ),
        Quirk(
            "suspend-false",
            "",
            "prints suspend: false on a JobSet that nobody suspends",
            "prints suspend only where it is true",
            "a GitOps tool that owns the field takes back what a person, a deadline or Kueue holds",
            r"\.spec\.suspend",
        ),
        Quirk(
            "env-zeroes",
            "",
            'writes value: "", containerName: "" and drops fieldRef.apiVersion in the job\'s env',
            "prints the job's env as it prints the runtime's",
            "the API server drops the empty ones again, which a GitOps tool shows as drift",
            r"\.env\[",
        ),
        Quirk(
            "env-order",
            "",
            "prints PET_* after the job's env, and the job's after the runtime's, so that "
            "$(PET_NNODES) in one of the first stays text",
            "prints a variable before the first that refers to it, if no author wrote it after",
            "the kubelet replaces $(X) by what stands before it alone",
            r"\.env",
        ),
        Quirk(
            "status-server",
            "",
            "lets training code report progress to the operator's Service",
            "lets it report to trainc's controller",
            "each answers for the objects it serves",
            r"\.env\[",
        ),
        Quirk(
            "late-refusal",
            "",
            "prints objects whose Jobs or Pods the API server refuses later",
            "refuses the named list of trainc.kube.pod.CHECKS at the field that was written",
            "an error is cheapest where it is made",
        ),
        Quirk(
            "priority-class",
            "",
            "refuses a job whose priority class is not among the inputs (volcano)",
            "warns",
            "offline nobody knows which priority classes the cluster holds",
        ),
    )
}
