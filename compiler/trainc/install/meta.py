"""Names that the installed objects share."""

from __future__ import annotations

from typing import Any, Final

from trainc.names import STATUS_SERVER

# The Service that compiled jobs post to says where everything is.
NAME: Final = STATUS_SERVER.split(".")[0]
NAMESPACE: Final = STATUS_SERVER.split(".")[1]
PROGRESS_PORT: Final = int(STATUS_SERVER.rpartition(":")[2])
HEALTH_PORT: Final = 8081
TLS_SECRET: Final = "trainc-progress-tls"
SELECTOR: Final = {"app.kubernetes.io/name": NAME}


def metadata(name: str, namespace: str = "") -> dict[str, Any]:
    """The metadata of an installed object; no namespace for what has none."""
    out: dict[str, Any] = {
        "name": name,
        "labels": {**SELECTOR, "app.kubernetes.io/part-of": "trainc"},
    }
    return out | ({"namespace": namespace} if namespace else {})
