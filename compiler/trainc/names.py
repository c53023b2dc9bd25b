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
LWS_API_VERSION: Final = "leaderworkerset.x-k8s.io/v1"

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

# --- Ours ---------------------------------------------------------------------------------------
# One annotation on the JobSet tells the controller what it must know of the TrainJob.
JOB_ANNOTATION: Final = "trainc.dev/job"
MANAGED_BY_LABEL: Final = "app.kubernetes.io/managed-by"
TRAINC: Final = "trainc"

# On a runtime's template: how the cache of a cache:// dataset comes to be.
CACHE_ANNOTATION: Final = "trainc.dev/cache"  # "compiled": printed as manifests
CACHE_INSECURE_ANNOTATION: Final = "trainc.dev/cache-insecure"  # "true": no TLS, no token
# On the cache's objects and pods: the name of its LeaderWorkerSet.
CACHE_LABEL: Final = "trainc.dev/cache"
CACHE_ROLE_LABEL: Final = "trainc.dev/cache-role"  # of its pods: head or worker

# The index of a folder that --out-dir wrote; such a folder is never read as a source.
OUTPUT_INDEX: Final = ".trainc.json"

KUEUE_PREFIX: Final = "kueue.x-k8s.io/"
QUEUE_LABEL: Final = "kueue.x-k8s.io/queue-name"
JOB_UID_LABEL: Final = "kueue.x-k8s.io/job-uid"  # of a Workload: its job's
MULTIKUEUE: Final = "kueue.x-k8s.io/multikueue"  # a value of managedBy, of TrainJobs and JobSets

# Labels and annotations of a TrainJob for those who act on the object they see, which is its
# JobSet: Kueue (jobframework copies provreq. to the Workload), Argo CD and Flux.
JOBSET_READERS: Final = (
    "argocd.argoproj.io/",
    KUEUE_PREFIX,
    "kustomize.toolkit.fluxcd.io/",
    "provreq.kueue.x-k8s.io/",
    "reconcile.fluxcd.io/",
)
# By these the tools know the objects they made: on an object that is not theirs they prune it.
TRACKING: Final = (
    "argocd.argoproj.io/installation-id",
    "argocd.argoproj.io/instance",
    "argocd.argoproj.io/tracking-id",
    "kustomize.toolkit.fluxcd.io/name",
    "kustomize.toolkit.fluxcd.io/namespace",
)

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

# What the trainer's container is told of the status server (KEP-2779): values and paths.
STATUS_URL_ENV: Final = "KUBEFLOW_TRAINER_SERVER_URL"
STATUS_CA_ENV: Final = "KUBEFLOW_TRAINER_SERVER_CA_CERT"
STATUS_TOKEN_ENV: Final = "KUBEFLOW_TRAINER_SERVER_TOKEN"  # noqa: S105 - a path, not a token
JOB_COMPLETION_INDEX: Final = "JOB_COMPLETION_INDEX"  # what the Job controller sets: the rank

# --- The controller ------------------------------------------------------------------------------
# On what the controller makes: the TrainJob it is for.
TRAINJOB_LABEL: Final = "trainc.dev/trainjob"
# On a JobSet: the last progress reported, where no TrainJob is in the cluster to hold it.
PROGRESS_ANNOTATION: Final = "trainc.dev/progress"
# On a JobSet: made again after its TrainJob had finished, and therefore held suspended by us.
HELD_ANNOTATION: Final = "trainc.dev/held"
# On a JobSet: compiled in the cluster from this generation of its TrainJob.
GENERATION_ANNOTATION: Final = "trainc.dev/generation"
# Seconds that a compiled JobSet is kept after its finish: the controller deletes it, once told.
TTL_ANNOTATION: Final = "trainc.dev/ttl-seconds-after-finished"

# --- The initializers ---------------------------------------------------------------------------
# What both sides of an initializer's pod must agree on: the compiler writes the pod, the program
# (trainc.initializers) runs in it.

# Exit codes by kind, after sysexits.h. 75 alone is worth another try with the same settings.
EXIT_CONFIGURATION: Final = 64  # bad URI, unknown scheme, a setting that cannot be
EXIT_INTEGRITY: Final = 65  # the bytes are not the ones promised, or a name leaves the target
EXIT_NOT_FOUND: Final = 66  # no such object, revision or repository, or nothing matched
EXIT_SOFTWARE: Final = 70  # a bug of the program
EXIT_DISK: Final = 74  # no space, or the target cannot be written
EXIT_TRANSIENT: Final = 75  # refused, reset, time-out, 5xx: after the last retry
EXIT_PERMISSION: Final = 77  # no credentials, or not these
PERMANENT_EXITS: Final = (
    EXIT_CONFIGURATION,
    EXIT_INTEGRITY,
    EXIT_NOT_FOUND,
    EXIT_DISK,
    EXIT_PERMISSION,
)

# On a runtime: "true" asks for a podFailurePolicy on the initializers' Jobs that fails the Job at
# once on PERMANENT_EXITS (and needs restartPolicy Never there); other ends are retried.
FAIL_FAST_ANNOTATION: Final = "trainc.dev/initializer-fail-fast"

# Other names of schemes, as Hadoop, Spark and the clouds' own tools write them -> ours.
SCHEME_ALIASES: Final = {
    "abfs": "az",
    "abfss": "az",
    "azure": "az",
    "gcs": "gs",
    "s3a": "s3",
    "s3n": "s3",
    "wasb": "az",
    "wasbs": "az",
}
# Schemes of storageUri that our images know; one file each in trainc/initializers/providers.
MODEL_SCHEMES: Final = (
    "abfs",
    "abfss",
    "az",
    "azure",
    "file",
    "gcs",
    "gs",
    "hf",
    "http",
    "https",
    "pvc",
    "s3",
    "s3a",
    "s3n",
    "wasb",
    "wasbs",
)
CACHE_SCHEMES: Final = (
    "cache",
    "cache+arrow",
    "cache+csv",
    "cache+iceberg",
    "cache+orc",
    "cache+parquet",
)
DATASET_SCHEMES: Final = (*MODEL_SCHEMES[:4], *CACHE_SCHEMES, *MODEL_SCHEMES[4:])

# pvc://CLAIM/path: the compiler mounts CLAIM read-only at PVC_ROOT/CLAIM.
PVC_ROOT: Final = "/mnt/pvc"

# Where the data is put, below the workspace that TRAINC_WORKSPACE may move.
WORKSPACE: Final = "/workspace"
DATASET_FOLDER: Final = "dataset"
MODEL_FOLDER: Final = "model"

# cache://: the Service of the cache's head, and the port that answers GET /ready.
CACHE_HEAD_ENV: Final = "CACHE_HEAD"  # host:port of it, where it is not TRAIN_JOB_NAME's
CACHE_SERVICE_SUFFIX: Final = "-cache-service"
CACHE_READY_PORT: Final = 8080

# --- The data cache: what manifests, head, workers and readers must agree on --------------------
# A container runs `python -m trainc.cache head|worker HOST PORT`.
CACHE_COMMAND: Final = ("python", "-m", "trainc.cache")
CACHE_HEAD: Final = "head"
CACHE_WORKER: Final = "worker"
CACHE_PORT: Final = 50051  # Flight, of head and workers; health is CACHE_READY_PORT
CACHE_READY_PATH: Final = (
    "/ready"  # readinessProbe: the range (worker) or all ranges (head) are held
)
CACHE_ALIVE_PATH: Final = "/healthz"  # livenessProbe: the process answers
CACHE_SUFFIX: Final = "-cache"
CACHE_SHARED_PREFIX: Final = "shared-"  # and ten hex digits of its content: several jobs' cache
CACHE_AUTH_SUFFIX: Final = "-cache-auth"  # Secret: tls.crt, tls.key, ca.crt, token
CACHE_AUTH_PATH: Final = "/var/run/secrets/trainc/cache"  # where that Secret is mounted
CACHE_TOKEN_KEY: Final = "token"
CACHE_CERT_KEY: Final = "tls.crt"
CACHE_PRIVATE_KEY: Final = "tls.key"
CACHE_SPILL_PATH: Final = "/var/cache/trainc"  # an emptyDir of the worker, never shared

# Environment of head and workers. The first eight are the reference's, and what it calls them.
METADATA_LOC_ENV: Final = "METADATA_LOC"  # Iceberg metadata file
SCHEMA_NAME_ENV: Final = "SCHEMA_NAME"
TABLE_NAME_ENV: Final = "TABLE_NAME"
LWS_LEADER_ADDRESS_ENV: Final = "LWS_LEADER_ADDRESS"  # set by LeaderWorkerSet
LWS_GROUP_SIZE_ENV: Final = "LWS_GROUP_SIZE"  # set by LeaderWorkerSet; the head counts
CONNECT_TIMEOUT_ENV: Final = "CONNECT_TIMEOUT_SECS"
HEALTH_PORT_ENV: Final = "HEALTH_PORT"
RUNTIME_ENV: Final = "RUNTIME_ENV"  # set to anything: workers on localhost:50052 and :50053
CACHE_SOURCE_ENV: Final = "STORAGE_URI"  # cache://schema/table or cache+KIND://LOCATION
SNAPSHOT_ID_ENV: Final = "SNAPSHOT_ID"
CATALOG_ENV: Final = "CATALOG_NAME"  # a catalog of PYICEBERG_CATALOG__NAME__*
COLUMNS_ENV: Final = "COLUMNS"  # comma list
CACHE_FILES_ENV: Final = "FILES"  # comma list of patterns
ROW_FILTER_ENV: Final = "ROW_FILTER"
CACHE_WORKERS_ENV: Final = "TRAINC_CACHE_WORKERS"  # HOST:PORT,... in place of LWS discovery
CACHE_SPILL_ENV: Final = "TRAINC_CACHE_SPILL_DIR"
CACHE_MEMORY_ENV: Final = "TRAINC_CACHE_MEMORY_LIMIT"  # of a load, bytes or 256Mi
CACHE_CERT_ENV: Final = "TRAINC_CACHE_TLS_CERT"  # these three are paths
CACHE_PRIVATE_KEY_ENV: Final = "TRAINC_CACHE_TLS_KEY"
CACHE_CA_ENV: Final = "TRAINC_CACHE_TLS_CA"
CACHE_TOKEN_ENV: Final = "TRAINC_CACHE_TOKEN_FILE"  # a path
CACHE_INSECURE_ENV: Final = "TRAINC_CACHE_INSECURE"  # "true": no TLS, no token, anywhere
CACHE_LOG_ENV: Final = "TRAINC_CACHE_LOG"  # INFO, WARNING, ERROR
# Environment of readers: the CA and token paths above, and one of these.
CACHE_ADDRESS_ENV: Final = "TRAINC_CACHE_ADDRESS"  # grpc://HOST:PORT or grpc+tls://HOST:PORT
TRAIN_JOB_NAME_ENV: Final = "TRAIN_JOB_NAME"  # else the Service of this job's cache
