"""Makes tests/data/pod_verdicts.json.gz: thousands of changed JobSets and what is refused in each.

    (cd ../jobset && CGO_ENABLED=0 go build -trimpath -o JOBSET_ORACLE .)
    CGO_ENABLED=0 go build -trimpath -o POD_ORACLE .
    python generate.py JOBSET_ORACLE POD_ORACLE JOBSET_CRD GOTYPES OUT

The CRD is that of JobSet v0.12.0, GOTYPES is compiler/trainc/kube/gotypes.json. A case is a base
(bases.py), a few edits of it (a path and a value; null deletes), and the fields that are refused,
as paths of the JobSet: first by the JobSet CRD, then by the JobSet webhook or, in Jobs, Pods and
claims, by the API server. Seeded: the same cases each time.
"""

from __future__ import annotations

import copy
import gzip
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bases import BASES
from pools import NAMES, NUMBERS, TEXTS, by_name

Edit = list[Any]
RANDOM_CASES = 5000


def main(jobset_oracle: str, pod_oracle: str, crd: str, gotypes: str, out: str) -> None:
    """Writes the table."""
    types = json.loads(Path(gotypes).read_text())
    cases = list(every_case(types))
    verdicts = judge(
        [changed(BASES[base], edits) for base, edits in cases], jobset_oracle, pod_oracle, crd
    )
    kept = [
        [base, edits, *verdict]
        for (base, edits), verdict in zip(cases, verdicts, strict=True)
        if verdict is not None
    ]
    refused = sum(bool(case[2] or case[3]) for case in kept)
    print(f"{len(kept)} of {len(cases)} cases, {refused} refused", file=sys.stderr)
    text = json.dumps({"bases": BASES, "cases": kept}, separators=(",", ":"), ensure_ascii=True)
    Path(out).write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def every_case(types: Any) -> Iterator[tuple[int, list[Edit]]]:
    """The bases as they are, each of their leaves changed in each way, then random additions."""
    for base, jobset in enumerate(BASES):
        yield base, []
        for name in NAMES:
            yield base, [[["metadata", "name"], name]]
        for path, value in leaves(jobset["spec"], ["spec"]):
            yield base, [[path, None]]
            for other in values_for(path, value):
                if other != value:
                    yield base, [[path, other]]
    rng = random.Random(20261122)
    for _ in range(RANDOM_CASES):
        base = rng.randrange(len(BASES))
        jobset, edits = BASES[base], []
        for _ in range(rng.choice((1, 1, 2, 3))):
            edits.append(random_edit(jobset, types, rng))
            jobset = changed(jobset, edits[-1:])
        yield base, edits


def leaves(node: Any, path: list[Any]) -> Iterator[tuple[list[Any], Any]]:
    """Every node below, leaves and branches, with its path."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in items:
        here = [*path, key]
        yield here, value
        if isinstance(value, dict | list):
            yield from leaves(value, here)


def values_for(path: list[Any], value: Any) -> list[Any]:
    """What a node is replaced with: values for its name, else for its type."""
    name = next((key for key in reversed(path) if isinstance(key, str)), "")
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, dict):
        return [{}]
    if isinstance(value, list):
        return [[], value + value[-1:]] if value else []
    if isinstance(value, int):
        return by_name(name) or NUMBERS
    return by_name(name) or TEXTS


def random_edit(jobset: Any, types: Any, rng: random.Random) -> Edit:
    """One field added somewhere, of its right type, with a value likely or unlikely."""
    spots = list(structs(jobset["spec"], "JobSetSpec", ["spec"], types))
    path, struct = rng.choice(spots)
    rows = types[struct]
    name, kind, *_ = rng.choice(rows)
    return [[*path, name], random_value(kind.lstrip("*"), name, types, rng, 0)]


def structs(node: Any, struct: str, path: list[Any], types: Any) -> Iterator[tuple[list[Any], str]]:
    """Every struct in a document, with its path and type."""
    yield path, struct
    for name, kind, *_ in types[struct]:
        kind = kind.lstrip("*")
        value = node.get(name)
        if value is None:
            continue
        if kind in types:
            yield from structs(value, kind, [*path, name], types)
        elif kind.startswith("[]") and kind[2:].lstrip("*") in types:
            for i, item in enumerate(value):
                yield from structs(item, kind[2:].lstrip("*"), [*path, name, i], types)


def random_value(kind: str, name: str, types: Any, rng: random.Random, depth: int) -> Any:
    """A value of a Go type."""
    if kind.startswith("[]"):
        count = rng.choice((0, 1, 1, 2)) if depth < 6 else 0
        return [
            random_value(kind[2:].lstrip("*"), name, types, rng, depth + 1) for _ in range(count)
        ]
    if kind.startswith("{}"):
        keys = rng.sample(by_name("{}" + name) or by_name("{}"), rng.choice((0, 1, 2)))
        return {key: random_value(kind[2:], name, types, rng, depth + 1) for key in keys}
    if kind in types:
        return random_struct(kind, types, rng, depth)
    if kind == "bool":
        return rng.choice((True, False))
    if kind == "quantity":
        return rng.choice(by_name("quantity"))
    if kind == "intstr":
        return rng.choice([80, 0, 70000, "http", "Http", "a-very-long-port-name"])
    if kind in ("int", "num"):
        return rng.choice(by_name(name) or NUMBERS)
    if kind == "time":
        return "2026-11-22T00:00:00Z"
    return rng.choice(by_name(name) or TEXTS)


def random_struct(struct: str, types: Any, rng: random.Random, depth: int) -> Any:
    """Some fields of a struct; the required ones nearly always."""
    out = {}
    for name, kind, omitempty, *_ in types[struct]:
        likely = 0.95 if not omitempty else 0.25
        if rng.random() < likely and depth < 6 and struct != "ManagedFieldsEntry":
            out[name] = random_value(kind.lstrip("*"), name, types, rng, depth + 1)
    return out


def changed(base: Any, edits: list[Edit]) -> Any:
    """A base with edits put in."""
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


def judge(jobsets: list[Any], jobset_oracle: str, pod_oracle: str, crd: str) -> list[Any]:
    """For each JobSet the fields refused by the CRD and by the rest; None where it was not read."""
    lines = [{"id": i, "jobset": jobset} for i, jobset in enumerate(jobsets)]
    firsts = run([jobset_oracle, crd], lines)
    work = []
    for first in firsts:
        work += [
            {"id": [first["id"], "job", i], "job": job}
            for i, job in enumerate(first.get("jobs", ()))
        ]
        work += [
            {"id": [first["id"], "claim", i], "claim": claim}
            for i, claim in enumerate(first.get("claims", ()))
        ]
    refused = [None if first.get("err") else fields(first, "refused") for first in firsts]
    for second in run([pod_oracle], work):
        number, kind, i = second["id"]
        known = refused[number]
        if known is None or second.get("err"):
            refused[number] = None
            continue
        known |= {
            translated(entry["field"], kind, i, part, jobsets[number])
            for part in ("job", "pod", "claim")
            for entry in second.get(part) or ()
        }
    return [
        None if known is None else [sorted(fields(first, "crd")), sorted(known)]
        for first, known in zip(firsts, refused, strict=True)
    ]


def fields(verdict: Any, part: str) -> set[str]:
    """The fields that one part of a JobSet's verdict names."""
    return {cause.get("field") or "spec" for cause in verdict.get(part) or ()}


def translated(field: str, kind: str, i: int, part: str, jobset: Any) -> str:
    """The path in the JobSet of a field of one of its Jobs, Pods or claims."""
    if kind == "claim":
        places = [
            f"spec.volumeClaimPolicies[{p}].templates[{t}]"
            for p, policy in enumerate(jobset["spec"].get("volumeClaimPolicies") or ())
            for t, _ in enumerate(policy.get("templates") or ())
        ]
        return f"{places[i]}.{field}"
    job = f"spec.replicatedJobs[{i}].template"
    if part == "pod":
        return (
            f"spec.replicatedJobs[{i}].name"
            if field == "metadata.name"
            else f"{job}.spec.template.{field}"
        )
    return f"spec.replicatedJobs[{i}].name" if field == "metadata.name" else f"{job}.{field}"


def run(command: list[str], lines: list[Any]) -> list[Any]:
    """Feeds JSON lines to a program and reads as many back."""
    text = "".join(json.dumps(line) + "\n" for line in lines)
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


if __name__ == "__main__":
    main(*sys.argv[1:])
