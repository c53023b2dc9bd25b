"""The quirks that keep a job of the reference from starting; part of the table in ``quirks.py``."""

from typing import Final

from trainc.spec.quirk import Quirk

STARTING: Final = (
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
)
