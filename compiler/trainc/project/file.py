"""``trainc.yaml`` to a ``Project``: what a repository says once, so that nobody has to type it.

In: the folder the file stands in. Out: a frozen ``Project`` with every default filled in, or the
file's problems, each with its place. Checked by ``schema.json`` beside this module, which is what
an editor reads too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from trainc import codes
from trainc.errors import Problem, TraincError, field_path
from trainc.kube.engine import Draft4Validator
from trainc.project.sound import unsound
from trainc.source.document import Document
from trainc.source.files import File, read
from trainc.source.others import Others
from trainc.source.parse import parse
from trainc.source.reader import PROJECT_FILE, Reader
from trainc.source.values import Values, of_document
from trainc.spec.violation import Violation, violation

SCHEMA: Final = Path(__file__).parent / "schema.json"
RUNTIMES: Final = "runtimes"
TEMPLATES: Final = "templates"


class Project(NamedTuple):
    """What ``trainc.yaml`` says. Paths are relative to ``root``.

    Attributes:
        root: The folder of the project, absolute.
        sources: Files and folders to build.
        exclude: Patterns of what is not read.
        runtimes: Where runtimes are looked up after the sources.
        overlays: Folder of the environments.
        default_env: The environment where none is named, empty for none.
        output: Folder of the rendered output.
        namespace: Of objects that name none.
        emit: ``jobset`` or ``both``.
        profile: ``none``, ``argocd`` or ``flux``.
        on_change: ``keep``, ``rename`` or ``replace``.
        others: What becomes of documents that are not compiled: ``note``, ``keep`` or ``refuse``.
        features: Feature gates by name.
        values: For templates.
        delimiters: Of templates: kind of tag -> (begin, end).
        rules: As written; lint reads them.
        document: The file; None where there is none.
        digest: SHA-256 of the file, empty where there is none.
        reader: Opens the project's files.
    """

    root: str
    sources: tuple[str, ...] = (".",)
    exclude: tuple[str, ...] = ()
    runtimes: tuple[str, ...] = (RUNTIMES,)
    overlays: str = "overlays"
    default_env: str = ""
    output: str = "out"
    namespace: str = "default"
    emit: str = "jobset"
    profile: str = "none"
    on_change: str = "keep"
    others: Others = "note"
    features: Mapping[str, bool] = {}
    values: Values = Values()
    delimiters: Mapping[str, tuple[str, str]] = {}
    rules: Any = ()
    document: Document | None = None
    digest: str = ""
    reader: Reader = Reader()


def project(root: str, reader: Reader | None = None) -> Project:
    """Reads the project of a folder; one without ``trainc.yaml`` has all defaults.

    Args:
        root: Its folder.
        reader: Opens its files; None for one that looks for the repository.

    Raises:
        TraincError: The file cannot be read, or says something it cannot say.
    """
    reader = reader or Reader()
    path = os.path.join(root, PROJECT_FILE)
    if not os.path.lexists(path):
        return Project(root, reader=reader)
    data = read(File(path, PROJECT_FILE, True), reader=reader)
    if isinstance(data, Problem):
        raise TraincError([data])
    documents, problems = parse(data, PROJECT_FILE)
    if len(documents) > 1:
        problems.append(
            Problem("a project file is one document", codes.PROJECT, documents[1].mark(()))
        )
    if problems:
        raise TraincError(problems)
    if not documents:
        return Project(root, reader=reader)
    problems = _check(documents[0]) or sorted(unsound(root, documents[0], reader), key=_order)
    if problems:
        raise TraincError(problems)
    return _project(root, documents[0], data)._replace(reader=reader)


def _project(root: str, document: Document, data: bytes) -> Project:
    from hashlib import sha256  # already loaded where a build writes; not needed where none does

    written = {key: _frozen(value) for key, value in document.root.items() if value is not None}
    values = written.pop("values", None)
    kept: dict[str, Any] = {
        "values": of_document(document, values, ("values",)),
        "document": document,
        "digest": sha256(data).hexdigest(),
    }
    return Project(root=root, **written, **kept)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _check(document: Document) -> list[Problem]:
    """What the schema refuses, in file order."""
    if not isinstance(document.root, dict):
        return [
            Problem(
                "a project file is a map", codes.PROJECT, document.mark(()), hint="write key: value"
            )
        ]
    errors = _validator().iter_errors(_present(document.root))
    found = [each for error in errors for each in _meant(error)]
    problems = [
        Problem(
            each.message,
            codes.PROJECT,
            document.mark(each.path),
            field=field_path(each.path),
            hint=each.hint,
        )
        for each in found
    ]
    return sorted(problems, key=_order)


def _order(problem: Problem) -> tuple[Any, ...]:
    return problem.mark or ()


def _present(root: Mapping[str, Any]) -> dict[str, Any]:
    """The map without keys whose value is left empty: they mean the default."""
    return {key: value for key, value in root.items() if value is not None}


def _meant(error: Any) -> list[Violation]:
    if error.kind.name != "additionalProperties":
        return [violation(error)]
    path = tuple(error.instance_path)
    schema: Any = json.loads(SCHEMA.read_bytes())
    for step in path:
        schema = schema["properties"][step]
    known = list(schema["properties"])
    unexpected = error.kind.as_dict()["unexpected"]
    return [Violation((*path, name), "unknown key", _near(name, known)) for name in unexpected]


def _near(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, 1)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known))}"


@cache
def _validator() -> Draft4Validator:
    return Draft4Validator(json.loads(SCHEMA.read_bytes()))
