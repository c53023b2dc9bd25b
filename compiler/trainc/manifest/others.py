"""The kept documents of other kinds as objects of the output.

In: documents, and the objects that TrainJobs make. Out: an ``Object`` each, and an error for one
that a TrainJob makes too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from trainc import codes, names
from trainc.errors import Problem
from trainc.manifest.order import identity
from trainc.plan.plan import Object
from trainc.source.document import Document
from trainc.source.kinds import KINDS, PRIORITY_CLASS
from trainc.source.others import has_namespace


def others_of(documents: Iterable[Document]) -> tuple[Document, ...]:
    """The documents that are not compiled."""
    return tuple(
        document
        for document in documents
        if not (document.api_version == names.API_VERSION and document.kind in KINDS)
    )


def kept_objects(others: Iterable[Document], namespace: str) -> tuple[Object, ...]:
    """What is printed of documents that are not compiled.

    Args:
        others: The documents, after the overlays.
        namespace: Of those that stand in one and name none.
    """
    return tuple(_object(document, namespace) for document in others)


def made_twice(
    documents: Sequence[Document], kept: Sequence[Object], made: Iterable[Object]
) -> Iterator[Problem]:
    """An error for each kept object that a TrainJob makes too, or that is kept twice.

    Args:
        documents: Those that are kept.
        kept: Their objects.
        made: The objects of the TrainJobs.
    """
    makers = {identity(each): f"TrainJob {'/'.join(each.trainjob)} makes" for each in made}
    for document, each in zip(documents, kept, strict=True):
        maker = makers.get(identity(each))
        mark = document.mark(("metadata", "name"))
        makers.setdefault(identity(each), f"{mark} is")
        if maker is None or document.kind == PRIORITY_CLASS:
            continue
        yield Problem(
            f"{maker} the {document.kind} {document.name!r} too",
            codes.DUPLICATE,
            mark,
            document.label,
            "metadata.name",
            hint="rename or remove one of the two",
        )


def _object(document: Document, namespace: str) -> Object:
    manifest = document.root
    if has_namespace(document.api_version, document.kind) and not document.namespace:
        manifest = {**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}
    return Object(manifest, document.file, ("", ""), (document.file,), kept=True)
