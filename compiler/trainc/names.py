"""Every label, annotation, environment variable, path and port that two rooms must agree on.

A leaf: imports nothing, is imported by every room. A name with one reader stands beside that
reader.
"""

from typing import Final

# --- The API group of Kubeflow Trainer v2 ---------------------------------------------------------
GROUP: Final = "trainer.kubeflow.org"
API_VERSION: Final = "trainer.kubeflow.org/v1alpha1"
TRAIN_JOB: Final = "TrainJob"
TRAINING_RUNTIME: Final = "TrainingRuntime"
CLUSTER_TRAINING_RUNTIME: Final = "ClusterTrainingRuntime"
RUNTIME_KINDS: Final = (TRAINING_RUNTIME, CLUSTER_TRAINING_RUNTIME)
JOBSET_API_VERSION: Final = "jobset.x-k8s.io/v1alpha2"

# Read by every policy: which of a runtime's jobs does what (label of the Job template).
ANCESTOR: Final = "trainer.kubeflow.org/trainjob-ancestor-step"
TRAINER: Final = "trainer"
DATASET_INITIALIZER: Final = "dataset-initializer"
MODEL_INITIALIZER: Final = "model-initializer"
ANCESTORS: Final = (TRAINER, DATASET_INITIALIZER, MODEL_INITIALIZER)

NODE: Final = "node"  # the trainer's container; in MPI also the job of the workers
LAUNCHER: Final = "launcher"  # in MPI: the job that runs mpirun
INITIALIZER_VOLUME: Final = "initializer"

# A runtime's own word on its support; the reference warns on "deprecated".
SUPPORT: Final = "trainer.kubeflow.org/support"

# The index of a pod inside its Job: its rank.
JOB_INDEX_FIELD: Final = "metadata.annotations['batch.kubernetes.io/job-completion-index']"

MANAGED_BY: Final = "trainer.kubeflow.org/trainjob-controller"

# --- Ours
# ------------------------------------------------------------------------------------------ One
# annotation on the JobSet tells the controller what it must know of the TrainJob.
JOB_ANNOTATION: Final = "trainc.dev/job"
MANAGED_BY_LABEL: Final = "app.kubernetes.io/managed-by"
TRAINC: Final = "trainc"

# Kueue's labels on a TrainJob reach its JobSet (kueue.x-k8s.io/queue-name, .../priority-class).
KUEUE_PREFIX: Final = "kueue.x-k8s.io/"

# Where training code posts its progress: our controller's Service, and the reference's.
STATUS_SERVER: Final = "trainc-controller.trainc-system.svc:10443"
REFERENCE_STATUS_SERVER: Final = "kubeflow-trainer-controller-manager.kubeflow-system.svc:10443"

# The CA that signs the status server's certificate, mounted into the trainer.
TLS_CONFIG_SUFFIX: Final = "-tls-config"
MPI_SSH_SUFFIX: Final = "-mpi-ssh-auth"
FLUX_CURVE_SUFFIX: Final = "-flux-curve"
CA_KEY: Final = "ca.crt"

# Where our own images (dataset-initializer, model-initializer, data-cache) come from. The stock
# runtimes are written with this prefix; `--image-prefix` puts another in its place at load.
IMAGE_PREFIX: Final = "ghcr.io/trainc-dev/trainc"
