"""``kube/pod.py`` against the API server's own validation.

The table holds thousands of JobSets, each a base with a few changes, and the fields that the JobSet
CRD, the JobSet webhook and the API server refuse in them; ``tests/oracle/pod/generate.py`` makes it
from the code of Kubernetes 1.35.4 and JobSet 0.12.0. What they accept must pass here; what they
refuse and we let pass must be of a kind that is listed, with its reason.
"""

from __future__ import annotations

import copy
import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from trainc.kube.pod import problems

TABLE = Path(__file__).parent / "data" / "pod_verdicts.json.gz"
POD = "spec.replicatedJobs[].template.spec.template.spec"
VOLUME = f"{POD}.volumes[]"

GATE = "hangs on a feature gate: a cluster that has it the other way accepts"
RARE = "a detail of a volume source that has left Kubernetes, or of Windows"
ALIAS = "the deprecated alias of serviceAccountName"
SELECTOR = "a Job's own selector, which a JobSet has no use for"
LET_PASS = {
    f"{POD}": RARE,
    f"{POD}.containers[].restartPolicy": GATE,
    f"{POD}.containers[].securityContext.windowsOptions.gmsaCredentialSpecName": RARE,
    f"{POD}.containers[].securityContext.windowsOptions.runAsUserName": RARE,
    f"{POD}.hostnameOverride": GATE,
    f"{POD}.securityContext.seLinuxChangePolicy": GATE,
    f"{POD}.securityContext.windowsOptions": RARE,
    f"{POD}.serviceAccountName": ALIAS,
    f"{POD}.tolerations[].operator": GATE,
    f"{VOLUME}.azureDisk.diskURI": RARE,
    f"{VOLUME}.azureDisk.kind": RARE,
    f"{VOLUME}.cinder.secretRef.name": RARE,
    f"{VOLUME}.flocker.datasetName": RARE,
    f"{VOLUME}.image.reference": GATE,
    f"{VOLUME}.iscsi.iqn": RARE,
    f"{VOLUME}.iscsi.secretRef": RARE,
    f"{VOLUME}.quobyte.registry": RARE,
    f"{VOLUME}.storageos.secretRef.name": RARE,
    f"{VOLUME}.storageos.volumeName": RARE,
    f"{VOLUME}.storageos.volumeNamespace": RARE,
    "spec.replicatedJobs[].template.spec.selector.matchExpressions[].key": SELECTOR,
}


@cache
def table() -> Any:
    return json.loads(gzip.decompress(TABLE.read_bytes()))


def changed(base: Any, edits: list[Any]) -> Any:
    """A base with edits put in; as ``tests/oracle/pod/generate.py`` does it."""
    jobset = copy.deepcopy(base)
    for path, value in edits:
        node: Any = jobset
        for key in path[:-1]:
            node = node[key] if isinstance(node, list) else node.setdefault(key, {})
        if value is not None:
            node[path[-1]] = value
        elif isinstance(node, list):
            node.pop(path[-1])
        else:
            node.pop(path[-1], None)
    return jobset


def cases() -> Iterator[tuple[Any, list[Any], list[str], list[str]]]:
    """Each JobSet, what was changed in it, what its CRD refuses, what is refused after that."""
    bases = table()["bases"]
    for base, edits, by_schema, by_rules in table()["cases"]:
        yield changed(bases[base], edits), edits, by_schema, by_rules


def test_table_is_worth_comparing_with() -> None:
    verdicts = Counter(bool(case[2] or case[3]) for case in table()["cases"])
    assert verdicts[True] > 4000
    assert verdicts[False] > 4000


def test_bases_are_accepted() -> None:
    for base, edits, by_schema, by_rules in table()["cases"]:
        if not edits:
            assert by_schema + by_rules == []
            assert list(problems(table()["bases"][base])) == []


def test_what_the_api_server_accepts_passes() -> None:
    wrong = [
        (edits, found)
        for jobset, edits, by_schema, by_rules in cases()
        if not by_schema and not by_rules and (found := next(problems(jobset), None))
    ]
    assert wrong == []


def test_what_is_let_pass_is_listed() -> None:
    passed = {
        re.sub(r"\[\d+\]", "[]", by_rules[0]): edits
        for jobset, edits, by_schema, by_rules in cases()
        if by_rules and not by_schema and not any(problems(jobset))
    }
    assert {field: edits for field, edits in passed.items() if field not in LET_PASS} == {}
    assert sorted(LET_PASS.keys() - passed.keys()) == []
