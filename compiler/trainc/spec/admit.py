"""Documents in; defaulted documents, and what schema, list keys and CEL rules refuse, out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trainc import codes, names
from trainc.errors import Problem
from trainc.kube.schema import Extensions
from trainc.source.document import Document
from trainc.spec.compat import Compat
from trainc.spec.rules import check_rules
from trainc.spec.schema import check, default

# An unknown field is an error; the API server would prune it and check the rest all the same.
UNKNOWN: Final = "unknown field"


def admit(document: Document, compat: Compat, extensions: Extensions = ()) -> list[Problem]:
    """Checks a TrainJob or runtime as the API server does on create, and fills in its defaults.

    The rules run on a document that the schema admits only, as in the API server; unknown fields do
    not keep them from running.

    Args:
        document: Changed in place: defaults are added, nulls dropped.
        compat: Whether the bounds of v2.3.0 or the sound ones hold.
        extensions: Schemas of policies beyond those of the reference.
    """
    kind = document.kind
    problems = check(document, kind, extensions)
    if any(problem.message != UNKNOWN for problem in problems):
        return problems
    default(document, kind)
    problems += check_rules(
        document,
        kind,
        sound=not compat.keeps("nodes-below-one"),
        metadata=not compat.keeps("metadata-unchecked"),
    )
    if kind in names.RUNTIME_KINDS:
        problems += [*_policies(document, extensions), *_gangs(document, compat)]
    return problems


def _policies(document: Document, extensions: Extensions) -> list[Problem]:
    """The CRD's rule of one policy at most, for policies the CRD does not know."""
    more = {key.partition(".")[2] for key, _ in extensions if key.startswith("mlPolicy.")}
    written: Mapping[str, Any] = (document.root.get("spec") or {}).get("mlPolicy") or {}
    named = [key for key in written if key != "numNodes" and written[key] is not None]
    if len(named) < 2 or not more.intersection(named):
        return []
    path = ("spec", "mlPolicy")
    message = f"only one policy can be configured, got {' and '.join(sorted(named))}"
    mark = document.mark((*path, named[1]))
    return [Problem(message, codes.POLICY, mark, document.label, "spec.mlPolicy")]


def _gangs(document: Document, compat: Compat) -> list[Problem]:
    """Two gang policies: each would make its own PodGroup of the same pods."""
    written: Mapping[str, Any] = (document.root.get("spec") or {}).get("podGroupPolicy") or {}
    gangs = sorted(key for key, value in written.items() if value is not None)
    if len(gangs) < 2:
        return []
    kept = compat.keeps("two-gangs")
    path = ("spec", "podGroupPolicy")
    return [
        Problem(
            f"sets {' and '.join(gangs)}; a pod belongs to one gang scheduler",
            "two-gangs",
            document.mark((*path, gangs[1])),
            document.label,
            "spec.podGroupPolicy",
            "warning" if kept else "error",
            "" if kept else f"remove {gangs[1]}, or {gangs[0]}",
        )
    ]


def usable(problems: list[Problem]) -> bool:
    """Whether a document with these problems can be compiled, to find what else is wrong."""
    return all(p.severity != "error" or p.message == UNKNOWN for p in problems)
