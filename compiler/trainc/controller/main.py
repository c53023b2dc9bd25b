"""The controller as a process: credentials, signals, the end.

In: ``Options`` and where the cluster is. Out: the exit status, 0 after SIGTERM or Ctrl-C.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from pathlib import Path
from queue import SimpleQueue
from types import FrameType

import kubernetes

from trainc import codes
from trainc.controller.controller import Controller, Options
from trainc.errors import Problem, TraincError

logger = logging.getLogger(__name__)

# Threads that wait for the API server far outnumber those that compute: a worker whose answer came
# must not wait out the interpreter's 5 ms. A burst's latency is halved by it.
_SWITCH_INTERVAL = 0.0005

_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def run(options: Options, kubeconfig: str | None, context: str | None) -> int:
    """Runs until a signal comes.

    Raises:
        TraincError: if there are no credentials, or an address cannot be listened on.
    """
    # A handler may run in the midst of whatever the main thread does, waiting and logging included:
    # an Event that it sets may be locked by that very thread, this queue never is.
    asked: SimpleQueue[int] = SimpleQueue()
    sys.setswitchinterval(_SWITCH_INTERVAL)

    def ask(number: int, frame: FrameType | None) -> None:
        asked.put(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    try:
        reach = client(kubeconfig, context, connections(options))
        controller = Controller(options, reach)
    except kubernetes.config.ConfigException as error:
        hint = "give --kubeconfig, or run it in a pod with a service account"
        raise TraincError(
            [Problem(f"no credentials: {error}", codes.CLUSTER, hint=hint)]
        ) from error
    except OSError as error:
        raise TraincError([Problem(f"cannot listen: {error}", codes.CLUSTER)]) from error
    # What was imported stays: to look through it again and again more than doubles a list's cost.
    gc.freeze()
    controller.start()
    logger.info("stopping on %s", signal.Signals(asked.get()).name)
    controller.stop()
    return 0


def connections(options: Options) -> int:
    """How many connections the controller holds at a time.

    Each worker has one and each watch (two kinds in each namespace), and the Events, the lease and
    the progress server share the rest.
    """
    return options.workers + 2 * max(len(options.namespaces), 1) + 16


def client(kubeconfig: str | None, context: str | None, pool: int) -> kubernetes.client.ApiClient:
    """A client of the cluster: by the kubeconfig where there is one, else as the pod it runs in.

    Args:
        kubeconfig: The kubeconfig's path, None for the default.
        context: Its context, None for the current one.
        pool: How many connections are kept open.

    Raises:
        kubernetes.config.ConfigException: if there is none, or it cannot be used.
    """
    configuration = kubernetes.client.Configuration()
    if is_pods_own(kubeconfig, context):
        kubernetes.config.load_incluster_config(configuration)
    else:
        try:
            kubernetes.config.load_kube_config(kubeconfig, context, configuration)
        except kubernetes.config.ConfigException:
            raise
        except Exception as error:  # whatever the file holds: no YAML, no mapping, a folder
            message = f"{kubeconfig or 'the kubeconfig'} cannot be used: {error}"
            raise kubernetes.config.ConfigException(message) from error
    configuration.connection_pool_maxsize = pool
    return kubernetes.client.ApiClient(configuration)


def is_pods_own(kubeconfig: str | None, context: str | None) -> bool:
    """Whether the pod's own service account is meant: kubectl's rule, so a kubeconfig comes first.

    A pipeline's pod often has one, of another cluster.
    """
    asked = kubeconfig or context or os.environ.get("KUBECONFIG")
    if asked or not os.environ.get("KUBERNETES_SERVICE_HOST"):
        return False
    return (
        not Path(kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION).expanduser().exists()
    )


def own_namespace() -> str:
    """The namespace of the pod this runs in, empty where it runs in none."""
    try:
        return _NAMESPACE.read_text().strip()
    except OSError:
        return ""
