"""The conformance corpus's refused objects, sent to a real API server."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.cluster.client import ApiError, Client
from tests.cluster.jobs import Json
from tests.corpus import CORPUS
from trainc.install.rulebook import RULES
from trainc.source.parse import parse

# What only a second object can tell: refused by trainc build, and by --compile as a condition.
NEEDS_ANOTHER_OBJECT = {rule.field.lower() for rule in RULES if rule.needs}


@dataclass(frozen=True)
class Refused:
    """An object of the corpus that the reference refuses, and where."""

    case: str
    root: Json
    fields: frozenset[str]
    unknown: frozenset[str]


@dataclass
class Comparison:
    """What the API server said of all of them.

    Attributes:
        wrong: Fields that it should have named and did not, each with its case.
        left: Fields that only a second object can tell.
        cases: How many objects were sent.
    """

    wrong: list[str] = field(default_factory=list)
    left: set[str] = field(default_factory=set)
    cases: int = 0


def refused() -> Iterator[Refused]:
    """Every object that the reference's admission refuses."""
    for folder in sorted((CORPUS / "cases").glob("*")):
        documents, _ = parse((folder / "input.yaml").read_bytes(), "input.yaml")
        for entry in json.loads((folder / "expected.json").read_text()):
            admission = entry.get("admission", {})
            errors = admission.get("errors") or []
            unknown = admission.get("unknownFields") or []
            if errors or unknown:
                (root,) = [d.root for d in documents if d.label == entry["object"]]
                fields = frozenset(e["field"] for e in errors if e["field"])
                yield Refused(folder.name, root, fields, frozenset(unknown))


def compare(admin: Client) -> Comparison:
    """Sends all of them, by dry-run."""
    found = Comparison()
    for case in refused():
        found.cases += 1
        answer = _posted(admin, case.root)
        told = _told(answer)
        for name in case.fields | case.unknown:
            if name == "<nil>":  # a rule on the whole object
                found.wrong += [] if answer else [f"{case.case}: {name}"]
            elif not any(_bare(name) in _bare(each) for each in told):
                found.left.add(_bare(name))
                if _bare(name) not in NEEDS_ANOTHER_OBJECT or case.unknown:
                    found.wrong.append(f"{case.case}: {name} not in {told}")
    return found


def _bare(text: str) -> str:
    """Without the numbers of list items: a policy speaks of all of them."""
    return re.sub(r"\[\d+\]", "[]", text).lower()


def _posted(admin: Client, root: Json) -> Json | None:
    """The API server's refusal, None where it takes the object."""
    root = copy.deepcopy(root)
    namespaced = root["kind"] != "ClusterTrainingRuntime"
    if namespaced:
        root.setdefault("metadata", {})["namespace"] = "default"
    try:
        admin.create(root, dryRun="All", fieldValidation="Strict")
    except ApiError as error:
        return error.status
    return None


def _told(status: Json | None) -> list[str]:
    if status is None:
        return []
    causes = (status.get("details") or {}).get("causes") or []
    return [*(str(cause.get("field")) for cause in causes), str(status["message"])]
