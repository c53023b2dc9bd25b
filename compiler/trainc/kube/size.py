"""How large an object is, as clients send it and servers keep it.

In: manifests. Out: bytes. The limits are the server's: of all annotations of an object together
(apimachinery's ``TotalAnnotationSizeLimitB``), and of what etcd takes in one request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

CLIENT_SIDE_LIMIT: Final = 256 << 10
"""Bytes of all annotations of an object; client-side apply keeps the whole object in one."""
SERVER_LIMIT: Final = 1 << 20
"""Bytes of an object beyond which a server may refuse it."""
_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_ESCAPED: Final = "<>&"  # Go writes each as six letters, \u003c


def size(manifest: Mapping[str, Any]) -> int:
    """Bytes of an object as Go writes JSON."""
    text = json.dumps(manifest, separators=(",", ":"), ensure_ascii=False)
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    return size + 5 * sum(map(text.count, _ESCAPED))


def annotated_size(manifest: Mapping[str, Any]) -> int:
    """Bytes of all annotations, once client-side apply has added its own to the others."""
    own = manifest["metadata"].get("annotations", {})
    written = sum(len(key.encode()) + len(value.encode()) for key, value in own.items())
    return written + len(_APPLIED) + size(manifest) + 1  # a line's end comes after the JSON
