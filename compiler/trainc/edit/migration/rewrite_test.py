"""Files of older APIs become files of today's, with their comments, or stay and say why."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from trainc import build
from trainc.edit.migration.rewrite import Migrated, migrated
from trainc.edit.migration.work import Options
from trainc.edit.text import of_bytes
from trainc.source.files import File

PYTORCH = """\
# Our digits.
apiVersion: kubeflow.org/v1
kind: PyTorchJob
metadata:
  name: mnist   # the name
  namespace: team
spec:
  runPolicy:
    # a day
    activeDeadlineSeconds: 86400
    cleanPodPolicy: None
    backoffLimit: 3
    ttlSecondsAfterFinished: 60
  nprocPerNode: "2"
  pytorchReplicaSpecs:
    Master:
      replicas: 1
      restartPolicy: OnFailure
      template: &pod
        metadata:
          annotations:
            sidecar.istio.io/inject: "false"  # no sidecar
        spec:
          # what runs
          containers:
          - name: pytorch
            image: 'example.com/mnist:1'   # pinned
            command:
            - torchrun
            # the program
            - mnist.py
            env: [{name: LR, value: "1"}]
            resources:
              limits: {memory: 1Gi}
            volumeMounts:
            - {name: data, mountPath: /data}
          volumes:
          - name: data  # shared
            persistentVolumeClaim: {claimName: data}
    Worker:
      replicas: 3
      restartPolicy: OnFailure
      template: *pod
# the end
"""
WANT = """\
# Our digits.
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata:
  name: mnist # the name
  namespace: team
spec:
  runtimeRef:
    name: mnist
    kind: TrainingRuntime
  trainer:
    image: 'example.com/mnist:1' # pinned
    command:
      - torchrun
      # the program
      - mnist.py
    env: [{name: LR, value: "1"}]
    numNodes: 4
    resourcesPerNode:
      limits: {memory: 1Gi}
    numProcPerNode: 2
  # a day
  activeDeadlineSeconds: 86400
---
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainingRuntime
metadata:
  name: mnist
  namespace: team
spec:
  mlPolicy:
    numNodes: 4
    torch: {}
  template:
    spec:
      replicatedJobs:
        - name: node
          template:
            metadata:
              labels:
                trainer.kubeflow.org/trainjob-ancestor-step: trainer
            spec:
              backoffLimit: 0
              template:
                metadata:
                  annotations:
                    sidecar.istio.io/inject: "false" # no sidecar
                spec:
                  volumes:
                    - name: data # shared
                      persistentVolumeClaim: {claimName: data}
                  # what runs
                  containers:
                    - name: node
                      env:
                        - name: PYTHONUNBUFFERED
                          value: "1"
                      volumeMounts:
                        - {name: data, mountPath: /data}
                  restartPolicy: Never
      failurePolicy:
        maxRestarts: 3
      ttlSecondsAfterFinished: 60
# the end
"""
MPI = """\
apiVersion: kubeflow.org/v2beta1
kind: MPIJob
metadata: {name: pi}
spec:
  slotsPerWorker: 2
  runPolicy: {cleanPodPolicy: Running}
  sshAuthMountPath: /home/mpiuser/.ssh
  mpiReplicaSpecs:
    Launcher:
      replicas: 1
      template:
        spec:
          containers:
            - {name: launcher, image: example.com/pi:1, command: [mpirun], args: [-n, "2", /pi]}
    Worker:
      replicas: 2
      template:
        spec:
          containers:
            - {name: worker, image: example.com/pi:1}
"""
OVERRIDES = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {name: mnist}
spec:
  runtimeRef: {name: torch-distributed}
  trainer: {image: example.com/mnist:1}
  podTemplateOverrides:
    # the platform's
    - targetJobs: [{name: node}]
      metadata: {labels: {team: a}}
      spec:
        serviceAccountName: trainer  # ours
    - targetJobs:
        - name: node
      spec:
        # fast
        nodeSelector: {disk: ssd}
"""


def migrate(text: str, manager: str = "acme.com/a") -> Migrated:
    text_of = of_bytes(text.encode(), File("a.yaml", "a.yaml", True))
    return migrated(text_of, Options(manager))


def test_a_pytorchjob_becomes_a_trainjob_and_its_runtime() -> None:
    done = migrate(PYTORCH)
    assert (done.text, done.objects, done.problems) == (WANT, ("PyTorchJob/mnist",), ())


@pytest.mark.parametrize("text", [PYTORCH, MPI, OVERRIDES], ids=["pytorch", "mpi", "overrides"])
def test_what_comes_out_builds_and_is_not_migrated_again(tmp_path: Path, text: str) -> None:
    new = migrate(text).text
    assert migrate(new) == (new, (), ())
    (tmp_path / "a.yaml").write_text(new)
    built = build(tmp_path)
    assert [str(each) for each in built.problems if each.severity != "note"] == []
    assert any(each["kind"] == "JobSet" for each in built.objects)


def test_overrides_become_patches_in_their_order() -> None:
    new = migrate(OVERRIDES).text
    assert "  runtimePatches:\n    # the platform's\n    - manager: acme.com/a\n" in new
    assert new.index("acme.com/a\n") < new.index("serviceAccountName: trainer # ours")
    assert new.index("serviceAccountName") < new.index("    - manager: acme.com/a-2\n")
    pad = 24 * " "
    assert new.endswith(f"{pad}# fast\n{pad}nodeSelector: {{disk: ssd}}\n")
    assert new.startswith(OVERRIDES.partition("  podTemplate")[0])


def test_maps_of_one_entry_keep_their_braces() -> None:
    text = OVERRIDES.replace("nodeSelector: {disk: ssd}", "schedulingGates: [{name: a}, {name: b}]")
    assert "schedulingGates: [{name: a}, {name: b}]\n" in migrate(text).text


def test_a_job_that_an_override_names_twice_is_one() -> None:
    twice = OVERRIDES.replace("[{name: node}]", "[{name: node}, {name: node}]")
    assert migrate(twice).text == migrate(OVERRIDES).text


def test_a_program_without_torchrun_is_told_of_its_peers() -> None:
    new = migrate(PYTORCH.replace("- torchrun", "- python")).text
    for word in ("env", "MASTER_ADDR=$(PET_MASTER_ADDR)", "WORLD_SIZE=8", "RANK=$(PET_NODE_RANK)"):
        assert f"      - {word}\n" in new
    assert new.index("- env\n") < new.index("- python\n") < new.index("# the program")
    alone = PYTORCH.replace("- torchrun", "- python").replace('nprocPerNode: "2"', "")
    assert "WORLD_SIZE=$(PET_NNODES)" in migrate(alone).text


def test_one_node_is_told_of_itself_too() -> None:
    alone = PYTORCH.partition("    Worker:\n")[0].replace("&pod", "")
    new = migrate(alone.replace("- torchrun", "- python")).text
    for word in ("env", "WORLD_SIZE=2", "RANK=$(PET_NODE_RANK)", "python"):
        assert f"      - {word}\n" in new
    asks = alone.replace("- torchrun", "- bash").replace("- mnist.py", "- torchrun --rank $RANK x")
    new = migrate(asks).text
    for word in ("env", "WORLD_SIZE=2", "RANK=$(PET_NODE_RANK)", "bash", "torchrun --rank $RANK x"):
        assert f"      - {word}\n" in new


def test_what_kubectl_noted_of_the_old_job_is_left_behind() -> None:
    note = "annotations: {kubectl.kubernetes.io/last-applied-configuration: '{}'KEPT}"
    for kept in ("", ", a: b"):
        old = PYTORCH.replace("  namespace: team\n", f"  namespace: team\n  {note}\n", 1)
        new = migrate(old.replace("KEPT", kept)).text
        assert "last-applied" not in new
        head = new.partition("spec:")[0]
        assert ("annotations: {a: b}" in head) is bool(kept)
        assert ("annotations" in head) is bool(kept)


def test_an_mpijob_becomes_a_launcher_and_its_nodes() -> None:
    done = migrate(MPI)
    for part in (
        "numNodes: 2\n    numProcPerNode: 2",
        'args: [-n, "2", /pi]',
        "sshAuthMountPath: /home/mpiuser/.ssh\n      runLauncherAsNode: false",
        "- /usr/sbin/sshd\n",
        "- name: launcher\n",
        "status: Ready\n",
    ):
        assert part in done.text
    assert "AtStartup" not in migrate(MPI.replace("spec:\n  slots", "spec:\n  launcherCreation"
        "Policy: AtStartup\n  slots")).text  # fmt: skip
    old = migrate(MPI.replace("v2beta1", "v1"))
    assert [(each.severity, "sshd" in each.message) for each in old.problems] == [("warning", True)]
    assert done.text.count("restartPolicy: Never\n") == 1  # of workers
    assert old.text.count("restartPolicy: Never\n") == 2
    written = MPI.replace("template:", "restartPolicy: OnFailure\n      template:")
    assert "Never" not in migrate(written.replace("v2beta1", "v1")).text


@pytest.mark.parametrize(
    ("before", "behind", "end"),
    [
        ("", "---\nkind: ConfigMap\ndata:   {a:   b}  # kept\n", "\n"),
        ("# first\n---\na:     1\n--- # here\n", "", "\r\n"),
        ("\ufeff", "...\n# last\n", "\n"),
    ],
)
def test_the_rest_of_the_file_stays(before: str, behind: str, end: str) -> None:
    text, want = (f"{before}{each}{behind}".replace("\n", end) for each in (PYTORCH, WANT))
    assert migrate(text).text == want.removeprefix("\ufeff")


def test_a_flow_document_is_migrated_too() -> None:
    text = (
        '--- {apiVersion: kubeflow.org/v1, kind: PyTorchJob, metadata: {name: a}, spec: '
        "{pytorchReplicaSpecs: {Master: {template: {spec: {containers: "
        "[{name: pytorch, image: x, command: [a]}]}}}}}}\n"
    )  # fmt: skip
    done = migrate(text)
    assert done.objects == ("PyTorchJob/a",)
    assert "image: x" in done.text


@dataclass(frozen=True)
class Lost:
    __test__ = False
    name: str
    text: str
    old: str
    new: str
    want: str


LOST = [
    Lost("an unknown key", PYTORCH, "  nproc", "  foo: 1\n  nproc", "14:3: error: spec.foo"),
    Lost(
        "an elastic job", PYTORCH, "  nproc", "  elasticPolicy: {}\n  nproc",
        "14:3: error: spec.elasticPolicy: has no counterpart",
    ),
    Lost("all pods cleaned", PYTORCH, "cleanPodPolicy: None", "cleanPodPolicy: All", "11:5"),
    Lost("a name of the cluster's", PYTORCH, "  name: mnist  ", "  generateName: mnist-  ",
         "metadata.name: must be set [TRC041]\n    hint: write a name"),
    Lost("a queue", PYTORCH, "    back", "    schedulingPolicy: {}\n    back", "podGroupPolicy"),
    Lost("exit codes", PYTORCH, "OnFailure", "ExitCode", "restart OnFailure or Never"),
    Lost(
        "workers of another kind", PYTORCH, "template: *pod", "template: {spec: {hostIPC: true}}",
        "Master and Worker differ at template.spec.containers",
    ),
    Lost("no main container", PYTORCH, "name: pytorch", "name: torch", "no container is called"),
    Lost(
        "processes by chance", PYTORCH, '"2"', "many",
        "spec.nprocPerNode: many has no counterpart",
    ),
    Lost("replicas that are none", PYTORCH, "replicas: 3", "replicas: x", "whole number"),
    Lost("a map that is none", PYTORCH, "  runPolicy:", "  runPolicy: 1\n  x:", "must be a map"),
    Lost("another MPI", MPI, "  slots", "  mpiImplementation: Intel\n  slots", "OpenMPI alone"),
    Lost("two launchers", MPI, "replicas: 1", "replicas: 2", "one launcher"),
    Lost("no worker", MPI, "    Worker:", "    Wrkr:", "needs both Launcher and Worker"),
    Lost(
        "an image in an override", OVERRIDES, "serviceAccountName: trainer",
        "containers: [{name: node, image: x}]", "containers[0].image: has no counterpart",
    ),
    Lost("no target", OVERRIDES, "targetJobs: [{name: node}]", "targetJobs: []", "no targetJobs"),
    Lost("another kind", PYTORCH, "kind: PyTorchJob", "kind: TFJob", "cannot be migrated"),
]  # fmt: skip


@pytest.mark.parametrize("case", LOST, ids=lambda case: case.name)
def test_what_has_no_counterpart_is_listed_and_the_text_stays(case: Lost) -> None:
    assert case.old in case.text
    text = case.text.replace(case.old, case.new)
    done = migrate(text)
    assert case.want in "\n".join(str(problem) for problem in done.problems)
    assert (done.text, done.objects) == (text, ())
