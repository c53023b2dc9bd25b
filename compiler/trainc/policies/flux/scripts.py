"""The two scripts of a Flux cluster: ``init.sh`` unpacks Flux, ``entrypoint.sh`` starts a broker.

What each must do is in controlplane facts 3.10. The scripts are package data beside this module;
``@NAME@`` in them stands for a value, quoted for the shell where it may hold anything.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

_PLACEHOLDER: Final = re.compile("@([A-Z_]+)@")


class Cluster(NamedTuple):
    """What the scripts must know.

    Attributes:
        name: The job's name.
        namespace: The job's namespace.
        subdomain: The headless Service the hosts live under.
        host_prefix: A host's name without its index.
        nodes: Number of nodes.
        tasks: Tasks of one node.
        gpus: GPUs of one node.
        gpus_per_task: GPUs asked for with each task; 0 asks for none.
        device: The network interface brokers bind to.
        queue: Flux's queue policy.
        keep_words: Whether the command comes as one word to be split (v2.3.0).
        mask_exit: Whether the lead ends with 0 whatever the command does (v2.3.0).
    """

    name: str
    namespace: str
    subdomain: str
    host_prefix: str
    nodes: int
    tasks: int
    gpus: int
    gpus_per_task: int
    device: str
    queue: str
    keep_words: bool
    mask_exit: bool


def scripts(cluster: Cluster) -> dict[str, str]:
    """The scripts by file name, filled in."""
    hosts = f"{cluster.host_prefix}[{_range(cluster.nodes)}]"
    flags = f"-N {cluster.nodes} -n {cluster.tasks * cluster.nodes}"
    if cluster.gpus_per_task > 0:
        flags += f" -g {cluster.gpus_per_task}"
    resources = f"--cores={_range(cluster.tasks)}"
    if cluster.gpus > 0:
        resources += f" --gpu={_range(cluster.gpus)}"
    values = {
        "HOSTS": hosts,
        "LEAD": f"{cluster.host_prefix}0",
        "FLAGS": flags,
        "RESOURCES": resources,
        "DEVICE": _toml(cluster.device),
        "QUEUE": _toml(cluster.queue),
        "CONNECT": f"{cluster.subdomain}.{cluster.namespace}.svc.cluster.local",
        "COMMAND": "${1-}" if cluster.keep_words else '"$@"',
        "HAS_COMMAND": '[ -n "${1-}" ]' if cluster.keep_words else '[ "$#" -gt 0 ]',
        "END": "0" if cluster.mask_exit else '"$code"',
    }
    return {name: _filled(_text(name), values) for name in ("entrypoint.sh", "init.sh")}


def _range(count: int) -> str:
    """A Flux id set of ``count`` ids: ``0`` or ``0-3``."""
    return "0" if count == 1 else f"0-{count - 1}"


def _toml(value: str) -> str:
    """A value inside a basic string of TOML, on one line: JSON's escapes are TOML's too."""
    return json.dumps(value, ensure_ascii=False)[1:-1].replace("\x7f", "\\u007f")


def _filled(text: str, values: dict[str, str]) -> str:
    """The text with each placeholder filled in, in one pass: values are not looked at again."""
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)


@cache
def _text(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
