"""Environments: the folders of ``overlays/``, what each builds on, and what it changes.

In: a project. Out: the names of its environments, and of one of them the layers from the base to
the leaf with their patches and values.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from hashlib import sha256
from typing import Any, Final, NamedTuple

from trainc import codes
from trainc.errors import Mark, Problem, TraincError
from trainc.project.file import Project
from trainc.source.document import Document
from trainc.source.files import File, find, read
from trainc.source.overlay import Patch, patch_of
from trainc.source.parse import parse
from trainc.source.reader import RefusedError
from trainc.source.values import Values, of_document
from trainc.source.walk import forbidden, printable, refused

OVERLAY_FILE: Final = "overlay.yaml"
VALUES_FILE: Final = "values.yaml"
ALL: Final = "all"
MAX_LAYERS: Final = 100
"""Overlays of one environment."""
_KEYS: Final = ("extends", "abstract", "patches")


class Layer(NamedTuple):
    """One overlay.

    Attributes:
        name: Name of its folder.
        extends: The overlays it builds on, in their order.
        abstract: Whether it is for others to build on, and no environment itself.
        patches: In the order of files and in them.
        values: What its ``values.yaml`` says.
        digests: SHA-256 of its files by printed name.
        marks: Where it names each overlay it builds on.
    """

    name: str
    extends: tuple[str, ...] = ()
    abstract: bool = False
    patches: tuple[Patch, ...] = ()
    values: Values = Values()
    digests: tuple[tuple[str, str], ...] = ()
    marks: Mapping[str, Mark] = {}


def environments(project: Project) -> tuple[str, ...]:
    """The names of the environments, sorted; empty where the project has none.

    Raises:
        TraincError: An ``overlay.yaml`` is wrong, or one is called as all of them are.
    """
    found = tuple(name for name in _folders(project) if not _settings(project, name).abstract)
    if ALL in found:
        mark = Mark(f"{project.overlays}/{ALL}")
        hint = "rename the folder, or make it abstract"
        raise TraincError(
            [Problem(f"--env {ALL} means every environment", codes.ENVIRONMENT, mark, hint=hint)]
        )
    return found


def chosen(
    project: Project, wanted: str | None, *, several: bool, remedy: str = ""
) -> tuple[str | None, ...]:
    """The environments a command works on: where none is named all of them, or the default one.

    Args:
        project: The project.
        wanted: What ``--env`` says: a name, ``all``, or None where it is not given.
        several: Whether the command can take more than one.
        remedy: How else it would take all of them, empty where there is no way.

    Returns:
        Names; one None for a project without environments.

    Raises:
        TraincError: There is no such environment, or one has to be named.
    """
    known = environments(project)
    if wanted == "":
        hint = f"environments: {', '.join(known) or 'none'}"
        raise TraincError(
            [Problem("--env names no environment: it is empty", codes.ENVIRONMENT, hint=hint)]
        )
    wanted = wanted or (ALL if several else project.default_env or None)
    if wanted is None and len(known) == 1:
        return known
    if wanted == ALL and several:
        return known or (None,)
    if wanted in known:
        return (wanted,)
    if not known and wanted in (None, ALL):
        return (None,)
    names = f"environments: {', '.join(known) or 'none'}"
    if wanted is None or wanted == ALL:
        message = "one environment at a time: say which with --env"
        raise TraincError(
            [Problem(message, codes.ENVIRONMENT, hint="; ".join(filter(None, (names, remedy))))]
        )
    raise TraincError([_unknown(project, wanted, names)])


def layers(project: Project, env: str) -> tuple[Layer, ...]:
    """The overlays of an environment, each once, what it builds on before itself.

    Raises:
        TraincError: An overlay builds on one there is not, or on itself; a file is wrong.
    """
    return tuple(_layer(project, name) for name in _ordered(project, env))


def _ordered(project: Project, env: str) -> Iterator[str]:
    """The names of an environment's overlays, what each builds on before itself."""
    folders = dict.fromkeys(_folders(project))
    done: dict[str, None] = {}
    above: dict[str, tuple[Layer, Iterator[str]]] = {}
    _enter(project, env, above)
    while above:
        name = next(reversed(above))
        layer, bases = above[name]
        base = next(bases, None)
        if base is None:
            del above[name]
            done[name] = None
            continue
        place = layer.marks.get(base)
        if base in above:
            chain = " -> ".join((*above, base))
            raise TraincError(
                [Problem(f"overlays build on each other: {chain}", codes.ENVIRONMENT, place)]
            )
        if base not in folders:
            hint = f"there are: {', '.join(folders)}"
            raise TraincError(
                [
                    Problem(
                        f"no overlay {base!r}", codes.ENVIRONMENT, place, "", "extends", hint=hint
                    )
                ]
            )
        if base in done:
            continue
        if len(done) + len(above) >= MAX_LAYERS:
            message = f"{env} builds on more than {MAX_LAYERS} overlays"
            hint = "put what they share into one overlay"
            raise TraincError(
                [Problem(message, codes.ENVIRONMENT, place, "", "extends", hint=hint)]
            )
        _enter(project, base, above)
    return iter(done)


def _enter(project: Project, name: str, above: dict[str, tuple[Layer, Iterator[str]]]) -> None:
    layer = _settings(project, name)
    above[name] = (layer, iter(layer.extends))


def _unknown(project: Project, wanted: str, names: str) -> Problem:
    near = get_close_matches(wanted, environments(project), 1)
    hint = f"did you mean {near[0]}? {names}" if near else names
    if wanted in _folders(project):
        hint = f"{wanted} is abstract: it is for others to build on; {names}"
    where = project.document.mark(("default_env",)) if project.document else None
    mark = where if project.default_env == wanted else None
    return Problem(f"no environment {wanted!r}", codes.ENVIRONMENT, mark, hint=hint)


def _folders(project: Project) -> tuple[str, ...]:
    folder, reader = os.path.join(project.root, project.overlays), project.reader
    boundary = reader.boundary(project.root)
    name = project.overlays
    try:
        with os.scandir(reader.check(folder, boundary)) as entries:
            found = sorted(e.name for e in entries if e.is_dir() and e.name[0] not in "._")
        for each in found:
            name = f"{project.overlays}/{each}"
            reader.check(os.path.join(folder, each), boundary)
        return tuple(found)
    except RefusedError as error:
        raise TraincError([forbidden(error, printable(name))]) from error
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise TraincError([refused(error, project.overlays)]) from error


def _settings(project: Project, name: str) -> Layer:
    """An overlay's ``overlay.yaml`` alone: enough to know its place."""
    path = os.path.join(project.root, project.overlays, name, OVERLAY_FILE)
    if not os.path.lexists(path):
        return Layer(name)
    document, digest = _document(project, path, f"{project.overlays}/{name}/{OVERLAY_FILE}")
    if document is None:
        return Layer(name, digests=(digest,))
    root = document.root
    extends = root.get("extends") if isinstance(root, dict) else None
    extends = [extends] if isinstance(extends, str) else extends
    _refuse(document, extends)
    patches = _inline(project, document, root.get("patches") or ())
    bases = tuple(extends or ())
    listed = isinstance(root.get("extends"), list)
    paths = {base: ("extends", n) if listed else ("extends",) for n, base in enumerate(bases)}
    marks = {base: document.mark(path) for base, path in paths.items()}
    abstract = root.get("abstract") is True
    return Layer(name, bases, abstract, patches, digests=(digest,), marks=marks)


def _refuse(document: Document, extends: Any) -> None:
    """Stops at what an ``overlay.yaml`` cannot say."""
    problems = []
    root = document.root
    if not isinstance(root, dict):
        hint = f"known: {', '.join(_KEYS)}"
        raise TraincError(
            [Problem("must be a map", codes.ENVIRONMENT, document.mark(()), hint=hint)]
        )
    for key in root:
        if key not in _KEYS:
            hint = f"known: {', '.join(_KEYS)}"
            problems.append(
                Problem(
                    "unknown key", codes.ENVIRONMENT, document.mark((key,)), field=key, hint=hint
                )
            )
    if extends is not None and not (
        isinstance(extends, list) and all(isinstance(base, str) for base in extends)
    ):
        message = "must be the name of an overlay, or a list of names"
        problems.append(
            Problem(message, codes.ENVIRONMENT, document.mark(("extends",)), field="extends")
        )
    if not isinstance(root.get("abstract") or False, bool):
        mark = document.mark(("abstract",))
        problems.append(Problem("must be true or false", codes.ENVIRONMENT, mark, field="abstract"))
    if not isinstance(root.get("patches") or [], list):
        mark = document.mark(("patches",))
        problems.append(Problem("must be a list", codes.ENVIRONMENT, mark, field="patches"))
    if problems:
        raise TraincError(problems)


def _inline(project: Project, document: Document, items: Sequence[Any]) -> tuple[Patch, ...]:
    places = document.marks.get(id(items), [])
    parts = [document.part(item, place) for item, place in zip(items, places, strict=True)]
    return _patches(project, parts, [])


def _layer(project: Project, name: str) -> Layer:
    """An overlay with everything in its folder."""
    settings = _settings(project, name)
    folder = os.path.join(project.root, project.overlays, name)
    files, problems = find(
        [folder], root=project.root, exclude=project.exclude, reader=project.reader
    )
    problems += _templates(folder, f"{project.overlays}/{name}")
    own = {os.path.join(folder, OVERLAY_FILE), os.path.join(folder, VALUES_FILE)}
    documents: list[Document] = []
    digests = list(settings.digests)
    for file in files:
        if os.path.realpath(file.path) in {os.path.realpath(path) for path in own}:
            continue
        data = read(file, reader=project.reader)
        if isinstance(data, Problem):
            problems.append(data)
            continue
        parsed, found = parse(data, file.name)
        documents += parsed
        problems += found
        digests.append((file.name, sha256(data).hexdigest()))
    patches = (*settings.patches, *_patches(project, documents, problems))
    values = _values(project, name, digests)
    return settings._replace(patches=patches, values=values, digests=tuple(digests))


def _templates(folder: str, name: str) -> list[Problem]:
    """Templates among the patches: they would be left out, and the environment be another."""
    hint = "write plain YAML here; a template of the job can look at env and values"
    if not os.access(folder, os.R_OK):
        return []  # told already
    return [
        Problem(
            "patches are not templates",
            codes.ENVIRONMENT,
            Mark(printable(f"{name}/{entry}")),
            hint=hint,
        )
        for entry in sorted(os.listdir(folder))
        if entry.endswith(".j2") and not entry.startswith(".")
    ]


def _patches(
    project: Project, documents: Sequence[Document], problems: list[Problem]
) -> tuple[Patch, ...]:
    found = [patch_of(document, project.others == "keep") for document in documents]
    problems += [each for each in found if isinstance(each, Problem)]
    if problems:
        raise TraincError(problems)
    return tuple(each for each in found if isinstance(each, Patch))


def _values(project: Project, name: str, digests: list[tuple[str, str]]) -> Values:
    path = os.path.join(project.root, project.overlays, name, VALUES_FILE)
    if not os.path.lexists(path):
        return Values()
    document, digest = _document(project, path, f"{project.overlays}/{name}/{VALUES_FILE}")
    digests.append(digest)
    return Values() if document is None else of_document(document, document.root)


def _document(project: Project, path: str, name: str) -> tuple[Document | None, tuple[str, str]]:
    boundary = project.reader.boundary(project.root)
    data = read(File(path, name, True, boundary), reader=project.reader)
    if isinstance(data, Problem):
        raise TraincError([data])
    documents, problems = parse(data, name)
    if len(documents) > 1:
        problems.append(Problem("must be one document", codes.ENVIRONMENT, documents[1].mark(())))
    if problems:
        raise TraincError(problems)
    return documents[0] if documents else None, (name, sha256(data).hexdigest())
