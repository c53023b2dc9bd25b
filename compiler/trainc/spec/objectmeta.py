"""The metadata of a TrainJob or runtime, which no CRD describes.

In: a document the schema admits. Out: what the API server's ObjectMeta validation refuses,
and the fields that strict decoding does not know. The reference's corpus leaves these checks
out, so they belong to the default mode; without, a mistyped ``label:`` is lost without a word.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trainc.errors import Problem, field_path
from trainc.kube.schema import resolve, tree
from trainc.kube.validation.forms import dns_label, dns_subdomain
from trainc.kube.validation.metadata import metadata
from trainc.source.document import Document
from trainc.spec.remedy import unknown_hint
from trainc.spec.violation import Violation, shown


def check_metadata(document: Document, schema_name: str) -> list[Problem]:
    """Gives what is wrong with the metadata of a document, its name being set."""
    given: dict[str, Any] = document.root["metadata"]
    found = [*_names(given, schema_name), *_maps(given), *_unknown(given, schema_name)]
    return [
        Problem(
            message=violation.message,
            mark=document.mark(violation.path),
            object=document.label,
            # The API server names the map, not the entry.
            field=field_path(violation.path[:2]),
            hint=violation.hint,
            code="metadata-unchecked",
        )
        for violation in found
    ]


def _names(given: dict[str, Any], schema_name: str) -> Iterator[Violation]:
    # Of a TrainJob's name the CRD demands more.
    wrong = dns_subdomain(given["name"]) if schema_name != "TrainJob" else ""
    if wrong:
        yield Violation(("metadata", "name"), f"{wrong}, got {shown(given['name'])}")
    namespace = given.get("namespace")
    if schema_name == "ClusterTrainingRuntime":
        return  # it has none, and the API server clears what is written there
    if namespace and (wrong := dns_label(namespace)):
        yield Violation(("metadata", "namespace"), f"{wrong}, got {shown(namespace)}")


def _maps(given: dict[str, Any]) -> Iterator[Violation]:
    if "labels" in given or "annotations" in given:
        for problem in metadata(given, ("metadata",)):
            yield Violation(problem.path, problem.message, problem.hint)


def _unknown(given: dict[str, Any], schema_name: str) -> Iterator[Violation]:
    schema = tree(schema_name)
    known = resolve(schema, schema["properties"]["metadata"])["properties"]
    for key in given:
        if key not in known:
            path = ("metadata", key)
            yield Violation(path, "unknown field", unknown_hint(schema, path))
