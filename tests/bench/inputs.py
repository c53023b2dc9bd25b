"""The inputs of the benchmark: a TrainJob of 29 lines against a runtime of 112, many times over.

Every job differs in what jobs of a team differ in: name, arguments, env, a count.
"""

from pathlib import Path
from typing import Final

_JOB: Final = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata:
  name: train-{number:05d}
  namespace: team-{team}
  labels:
    kueue.x-k8s.io/queue-name: gpu
spec:
  runtimeRef:
    kind: TrainingRuntime
    name: bench
  trainer:
    image: ghcr.io/acme/train:{number}.2
    numNodes: {nodes}
    command:
    - torchrun
    - train.py
    args:
    - --lr=1e-{team}
    - --run={number}
    env:
    - name: RUN
      value: "{number}"
    - name: STAGE
      value: nightly
    resourcesPerNode:
      limits:
        cpu: "8"
        memory: 64Gi
"""

_STEP: Final = """\
    - name: {step}
      template:
        metadata:
          labels:
            trainer.kubeflow.org/trainjob-ancestor-step: {step}
        spec:
          backoffLimit: 3
          template:
            spec:
              restartPolicy: OnFailure
              containers:
              - name: {step}
                image: ghcr.io/kubeflow/trainer/{step}:v2.3.0
                env:
                - name: STORAGE_URI
                  value: hf://acme/{step}
                resources:
                  requests:
                    cpu: "2"
                    memory: 8Gi
                volumeMounts:
                - name: workspace
                  mountPath: /workspace
              volumes:
              - name: workspace
                persistentVolumeClaim:
                  claimName: workspace
"""

_RUNTIME: Final = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainingRuntime
metadata:
  name: bench
  namespace: team-{team}
spec:
  mlPolicy:
    numNodes: 2
    torch: {{}}
  template:
    spec:
      network:
        publishNotReadyAddresses: true
      replicatedJobs:
{steps}      - name: node
        dependsOn:
        - name: dataset-initializer
          status: Complete
        - name: model-initializer
          status: Complete
        template:
          metadata:
            labels:
              trainer.kubeflow.org/trainjob-ancestor-step: trainer
          spec:
            backoffLimit: 0
            template:
              spec:
                restartPolicy: Never
                terminationGracePeriodSeconds: 60
                nodeSelector:
                  accelerator: h100
                tolerations:
                - key: nvidia.com/gpu
                  operator: Exists
                  effect: NoSchedule
                containers:
                - name: node
                  image: pytorch/pytorch:2.9.1-cuda12.8-cudnn9-runtime
                  env:
                  - name: NCCL_DEBUG
                    value: WARN
                  resources:
                    limits:
                      nvidia.com/gpu: "8"
                  volumeMounts:
                  - name: workspace
                    mountPath: /workspace
                  - name: shm
                    mountPath: /dev/shm
                volumes:
                - name: workspace
                  persistentVolumeClaim:
                    claimName: workspace
                - name: shm
                  emptyDir:
                    medium: Memory
                    sizeLimit: 64Gi
"""

TEAMS: Final = 4


def job(number: int) -> str:
    """The nth TrainJob."""
    return _JOB.format(number=number, team=number % TEAMS + 1, nodes=number % 8 + 1)


def runtime(team: int) -> str:
    """The runtime of one team's namespace."""
    steps = "".join(_STEP.format(step=f"{kind}-initializer") for kind in ("dataset", "model"))
    indented = "".join(f"  {line}\n" for line in steps.splitlines())
    return _RUNTIME.format(team=team, steps=indented)


def write(folder: Path, jobs: int) -> Path:
    """A folder with one file a TrainJob and the runtimes they need."""
    folder.mkdir(parents=True)
    for team in range(1, min(jobs, TEAMS) + 1):
        (folder / f"runtime-{team}.yaml").write_text(runtime(team))
    for number in range(jobs):
        (folder / f"job-{number:05d}.yaml").write_text(job(number))
    return folder
