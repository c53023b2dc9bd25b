"""Exclusive placement of JobSet: one Job a topology domain, asked for by annotations."""

from __future__ import annotations

from typing import Final

from trainc.kube.validation.forms import label_value, qualified_name
from trainc.kube.validation.problem import Node, Path, PodProblem, Problems, shown

EXCLUSIVE: Final = "alpha.jobset.sigs.k8s.io/exclusive-topology"
BY_NODE_SELECTOR: Final = "alpha.jobset.sigs.k8s.io/node-selector"


def exclusive_placement(meta: Node, rjob: Node, job: str, at: Path) -> Problems:
    """Checks what the annotations put into the Pods of a replicated job.

    Args:
        meta: The JobSet's metadata; its annotations hold for every replicated job.
        rjob: The replicated job; the annotations of its Job template win.
        job: The name of its Job with the highest index.
        at: The place of the replicated job.
    """
    shared = meta.get("annotations") or {}
    own = ((rjob.get("template") or {}).get("metadata") or {}).get("annotations") or {}
    where: Path = (*at, "template", "metadata", "annotations", EXCLUSIVE)
    if EXCLUSIVE not in own:
        where = ("metadata", "annotations", EXCLUSIVE)
    topology = own.get(EXCLUSIVE, shared.get(EXCLUSIVE))
    if topology is None:
        return
    if BY_NODE_SELECTOR in own or (EXCLUSIVE in shared and BY_NODE_SELECTOR in shared):
        selected = f"{meta.get('namespace', 'default')}_{job}"
        if wrong := label_value(selected):
            message = f"the nodes' label value {shown(selected)} {wrong}"
            yield PodProblem((*at, "name"), message, check="name")
    elif wrong := qualified_name(topology):
        yield PodProblem(where, f"key {shown(topology)} {wrong}", check="scheduling")
