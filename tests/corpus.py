"""The conformance corpus: its cases, and a build of one in this process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import conformance, corpora
from trainc.compile import Inputs, compile_documents
from trainc.errors import Problem
from trainc.plan.plan import Output, Plan
from trainc.source.parse import parse
from trainc.spec.compat import Compat
from trainc.spec.spec import Settings

ROOT = corpora.ROOT
CORPUS = corpora.conformance()


@dataclass(frozen=True)
class Built:
    """What a build gave: objects by kind and name, and every problem."""

    objects: dict[str, Any]
    problems: tuple[Problem, ...]

    @property
    def failed(self) -> bool:
        return any(problem.severity == "error" for problem in self.problems)


def cases() -> list[Path]:
    """The folders of all cases."""
    return conformance.case_folders(CORPUS)


def features(case: Path) -> frozenset[str]:
    """The feature gates that are on in a case."""
    path = case / "features.yaml"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return frozenset(line.partition(":")[0].strip() for line in lines if line.endswith("true"))


def build(case: Path, compat: Compat) -> Built:
    """Builds a case without printing it; Secrets are left out, for they are never the same."""
    documents, problems = parse((case / "input.yaml").read_bytes(), "input.yaml")
    settings = Settings(compat, features(case))
    plan: Plan = compile_documents(Inputs(tuple(documents)), settings, Output())
    objects = {f"{o.manifest['kind']}/{o.manifest['metadata']['name']}": o.manifest
               for o in plan.objects}  # fmt: skip
    return Built(objects, (*problems, *plan.problems))
