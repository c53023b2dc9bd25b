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
RARE = "a detail of a volume source that has left Kubernetes"
ALIAS = "the deprecated alias of serviceAccountName"
LET_PASS = {
    f"{POD}.containers[].restartPolicy": GATE,
    f"{POD}.hostnameOverride": GATE,
    f"{POD}.serviceAccountName": ALIAS,
    f"{POD}.tolerations[].operator": GATE,
    f"{VOLUME}.azureDisk": RARE,
    f"{VOLUME}.cinder": RARE,
    f"{VOLUME}.flocker": RARE,
    f"{VOLUME}.image.reference": GATE,
    f"{VOLUME}.iscsi": RARE,
    f"{VOLUME}.quobyte": RARE,
    f"{VOLUME}.storageos": RARE,
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
    kinds = {field: [kind for kind in LET_PASS if field.startswith(kind)] for field in passed}
    assert {field: passed[field] for field, found in kinds.items() if not found} == {}
    assert sorted(LET_PASS.keys() - {kind for found in kinds.values() for kind in found}) == []
