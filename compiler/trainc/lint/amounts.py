"""Lints on resources: names that no node has, amounts in the wrong unit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from trainc.errors import Problem
from trainc.info.podset import PodSet
from trainc.kube.quantity import NANO, QuantityError, parse
from trainc.lint.lint import Finding, Job, Lint, Path, of_pods
from trainc.lint.near import distance

# Devices by the vendor's domain, as their device plugins register them.
_DEVICES: Final = {
    "amd.com": ("gpu",),
    "aws.amazon.com": ("neuron", "neuroncore", "neurondevice"),
    "cloud-tpus.google.com": ("preemptible-v2", "preemptible-v3", "v2", "v3"),
    "google.com": ("tpu",),
    "gpu.intel.com": ("i915", "millicores", "tiles", "xe"),
    "habana.ai": ("gaudi", "gaudi2", "gaudi3", "goya"),
    "huawei.com": ("Ascend310", "Ascend310P", "Ascend910", "Ascend910B"),
    "intel.com": ("gpu", "qat"),
    "nvidia.com": ("gpu", "gpu.shared", "hostdev", "pgpu", "vgpu"),
    "vpc.amazonaws.com": ("efa", "pod-eni"),
}
# Names that a vendor's plugin makes up, of a device's model, a slice or a network.
_MADE_UP: Final = re.compile(r"mig-.+|.*(?:mig|sriov|roce|ib|rdma|nic|pf|vf).*", re.IGNORECASE)
# Labels of a node, and counts, taken for a resource.
_LABELS: Final = re.compile(
    r"(?:num[-_.]?)?gpus?[-_.](?:count|product|memory|machine|replicas)", re.I
)
# As Kubernetes called them once.
_OLD: Final = {
    "alpha.kubernetes.io/nvidia-gpu": "nvidia.com/gpu",
    "beta.amd.com/gpu": "amd.com/gpu",
}
_LARGEST_NODE: Final = 1000  # CPUs; beyond it somebody counts thousandths
_SMALLEST: Final = 2**20 * NANO  # bytes of memory in which nothing runs
_BYTES: Final = ("memory", "ephemeral-storage")
_PARTS: Final = ("limits", "requests")


@of_pods
def unknown_device(pod_set: PodSet) -> Iterator[Finding]:
    """A device's name that is nearly one that exists."""
    for path, resources in _resources(pod_set):
        for part in _PARTS:
            for name in resources.get(part) or ():
                near = _near(name)
                if near:
                    yield (
                        (*path, part, name),
                        f"no node has {name}: the pod waits for ever",
                        f"did you mean {near}?",
                    )


@lru_cache(1024)
def _near(name: str) -> str:
    """The device that a name is nearly that of; empty where it is one, or another's."""
    domain, slash, device = name.partition("/")
    if not slash:
        return ""
    if name in _OLD:
        return _OLD[name]
    known = _DEVICES.get(domain)
    if known is not None:
        if device in known or _MADE_UP.fullmatch(device):
            return ""
        best = min(known, key=lambda each: distance(device.lower(), each.lower()))
        near = _is_near(device, best) or (best == "gpu" and _LABELS.fullmatch(device))
        return f"{domain}/{best}" if near else ""
    for vendor, devices in _DEVICES.items():
        short = vendor.partition(".")[0]
        close = domain == short or (len(vendor) > 6 and distance(domain, vendor) == 1)
        if close and any(_is_near(device, each) for each in devices):
            best = min(devices, key=lambda each: distance(device.lower(), each.lower()))
            return f"{vendor}/{best}"
    return ""


def _is_near(device: str, known: str) -> bool:
    one, two = device.lower(), known.lower()
    return one == two or (distance(one, two) <= (1 if len(known) < 4 else 2) and one[0] == two[0])


@of_pods
def _in_pods(pod_set: PodSet) -> Iterator[Finding]:
    for path, resources in _resources(pod_set):
        for part in _PARTS:
            for name, amount in (resources.get(part) or {}).items():
                yield from _unlikely((*path, part, name), name, amount)
    for index, volume in enumerate(pod_set.volumes):
        limit = (volume.get("emptyDir") or {}).get("sizeLimit")
        if limit is not None:
            yield from _unlikely(("volumes", index, "emptyDir", "sizeLimit"), "memory", limit)


def _unlikely(path: Path, name: str, amount: Any) -> Iterator[Finding]:
    text = str(amount)
    try:
        nanos = parse(text).nanos
    except QuantityError:
        return  # refused elsewhere
    if name in _BYTES and 0 < nanos < _SMALLEST:
        number = re.match(r"[\d.]+", text)
        hint = f"write {number[0]}{'Mi' if text.endswith('m') else 'Gi'}" if number else ""
        yield path, f"{text} is {nanos / NANO:g} bytes: no program fits into it", hint
    elif name == "cpu" and nanos >= _LARGEST_NODE * NANO:
        cpus = nanos // NANO
        hint = f"write {cpus}m, or {cpus // 1000}"
        yield path, f"{cpus} CPUs are more than any node has: the pod waits for ever", hint


def _resources(pod_set: PodSet) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The requirements of each container and of the pod, with their places below its spec."""
    for number, each in enumerate(pod_set.containers):
        yield ("containers", number, "resources"), each.resources
    for number, each in enumerate(pod_set.init_containers):
        yield ("initContainers", number, "resources"), each.resources
    yield ("resources",), pod_set.pod.get("resources") or {}


def unlikely_amount(job: Job) -> Iterator[Problem]:
    """Memory of a few bytes, CPUs by the thousand; claims of the JobSet are looked at too."""
    yield from _in_pods(job)
    for place, policy in enumerate(job.jobset["spec"].get("volumeClaimPolicies", ())):
        for number, claim in enumerate(policy.get("templates", ())):
            storage = _at(claim, "spec", "resources", "requests", "storage")
            path: Path = ("spec", "volumeClaimPolicies", place, "templates", number, "spec",
                          "resources", "requests", "storage")  # fmt: skip
            if storage is not None:
                for where, message, hint in _unlikely(path, "ephemeral-storage", storage):
                    yield job.at(where, message, hint)


def _at(value: Any, *path: str) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


LINTS = (
    Lint("TRC105", "warning", unknown_device),
    Lint("TRC106", "warning", unlikely_amount),
)
