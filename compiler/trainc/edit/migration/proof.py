"""The proof that what a job becomes can be built: it is compiled, as ``trainc build`` would."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from trainc import codes
from trainc.compile import Inputs, compile_documents
from trainc.edit.migration.place import Place
from trainc.errors import Problem
from trainc.plan.plan import Output
from trainc.source.parse import parse
from trainc.spec.compat import SOUND
from trainc.spec.spec import Settings


def unbuildable(place: Place, objects: Sequence[Any]) -> Iterator[Problem]:
    """Errors of the build of the objects that a job becomes, at the old job's place."""
    text = "\n---\n".join(json.dumps(each) for each in objects)
    documents, problems = parse(text.encode(), place.document.file)
    plan = compile_documents(Inputs(tuple(documents)), Settings(SOUND, frozenset()), Output())
    for problem in (*problems, *plan.problems):
        if problem.severity == "error":
            field = f"{problem.field}: " if problem.field else ""
            message = f"what it becomes does not build: {field}{problem.message}"
            yield Problem(message, codes.MIGRATION, place.mark(()), place.label, hint=problem.hint)
