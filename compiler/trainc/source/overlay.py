"""Overlays: an environment's changes to TrainJobs and runtimes, before anything is compiled.

In come documents and patches, out go documents as if they had been written so; each entry keeps
the place it was written at. A patch that reaches nothing is an error: it is a misspelt name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from trainc import codes, names
from trainc.budget import JOB, Budget, LimitError, weight
from trainc.errors import Problem, TraincError, field_path
from trainc.kube.gotypes import fields
from trainc.kube.merge import MergeError, Rules, merge
from trainc.source.composed import ComposedDocument, copied, origins
from trainc.source.document import Document
from trainc.source.jsonpatch import JSONPatchError, patched
from trainc.source.selector import Target, target_of

_TYPES: Final = {
    names.TRAIN_JOB: "TrainJob",
    names.TRAINING_RUNTIME: "TrainingRuntime",
    names.CLUSTER_TRAINING_RUNTIME: "TrainingRuntime",
}
# Lists the CRDs keep as maps (x-kubernetes-list-map-keys) whose Go types have no merge key.
_KEYS: Final = {
    ("TrainJobSpec", "runtimePatches"): "manager",
    ("Trainer", "env"): "name",
    ("DatasetInitializer", "env"): "name",
    ("ModelInitializer", "env"): "name",
}
RULES: Final = Rules(unions=True, strict=True, items=True, keys=_KEYS)
_PARTNER_KEYS: Final = (
    "name",
    "manager",
    "containerPort",
    "mountPath",
    "devicePath",
    "key",
    "uid",
)
_IDENTITY: Final = frozenset({"apiVersion", "kind", "name", "namespace"})
_MATCH: Final = 100
"""Units of looking whether a patch is for a document."""
_EARNED: Final = 8 * JOB
"""Units that each object brings along for the overlays of its environment."""
_MERGE: Final = 2
"""Units of a merged change, for each unit of its weight."""
_DIRECTIVES: Final = '$patch is "delete" or "replace"'


class Patch(NamedTuple):
    """One change.

    Attributes:
        document: Where it stands.
        target: Whom it is for.
        change: A map is merged strategically, a list holds JSON 6902 operations.
        path: Where the change stands in its document.
    """

    document: Document
    target: Target
    change: Any
    path: tuple[str | int, ...]


def patch_of(document: Document, any_kind: bool = False) -> Patch | Problem:
    """Reads a document of an overlay.

    It is part of an object, which is merged into the object of its kind and name; or a map of
    ``target`` (kind, name, namespace, labelSelector) and ``patch``.

    Args:
        document: What was parsed.
        any_kind: Whether objects of other kinds are printed too (``others: keep``), and patched.
    """
    root = document.root
    if isinstance(root, dict) and "patch" in root:
        target = target_of(document, any_kind)
        if isinstance(target, Problem):
            return target
        change = root["patch"]
        if isinstance(change, dict | list):
            return Patch(document, target, change, ("patch",))
        message = "must be a map to merge, or a list of JSON 6902 operations"
        hint = "leave out the | behind patch:" if isinstance(change, str) else ""
        return Problem(message, codes.PATCH, document.mark(("patch",)), field="patch", hint=hint)
    if (document.kind in _TYPES or (any_kind and document.kind)) and document.name:
        target = Target(document.kind, document.name, document.namespace)
        return Patch(document, target, root, ())
    hint = f"write part of a {', '.join(_TYPES)} with kind and metadata.name, or target: and patch:"
    return Problem("this is no patch", codes.PATCH, document.mark(()), hint=hint)


def overlaid(
    documents: Iterable[Document],
    patches: Sequence[Patch],
    *,
    whole: bool = True,
    budget: Budget | None = None,
) -> tuple[list[Document], list[Problem]]:
    """Returns the documents after the patches, one after another, and what is wrong with these.

    Args:
        documents: What patches are for.
        patches: The patches.
        whole: Whether these are all documents: where some cannot be read, a patch that matches
            nothing may well be for one of them.
        budget: What the patches may do; a new one where there is none.

    Raises:
        TraincError: They do more.
    """
    budget = budget or Budget()
    held: list[Document] = list(documents)
    budget.earn(_EARNED * sum(document.kind in _TYPES for document in held))
    problems: list[Problem] = []
    for patch in patches:
        hit = False
        left: list[Document] = []
        _pay_matches(patch, len(held), budget)
        for document in held:
            if not _is_for(patch.target, document):
                left.append(document)
                continue
            hit = True
            changed = _changed(document, patch, budget)
            if isinstance(changed, Problem):
                problems.append(changed)
                if budget.is_spent:
                    raise TraincError(list(dict.fromkeys(problems)))
                left.append(document)
            elif changed is not None:
                left.append(changed)
        held = left
        if not hit and whole:
            problems.append(_unmatched(patch, held))
    return held, list(dict.fromkeys(problems))


def _is_for(target: Target, document: Document) -> bool:
    """Whether a document is meant; one of another kind only where the kind is named."""
    is_ours = document.kind in _TYPES or target.kind == document.kind
    return is_ours and target.matches(document)


def _type_of(document: Document) -> str:
    """The Go type of a document; none is known of other kinds, whose lists are replaced."""
    return _TYPES.get(document.kind, "")


def _pay_matches(patch: Patch, documents: int, budget: Budget) -> None:
    """Counts looking at each document.

    Raises:
        TraincError: There is not enough left; says so at the patch.
    """
    try:
        budget.pay(_MATCH * documents)
    except LimitError as error:
        mark = patch.document.mark(patch.path)
        raise TraincError([Problem(error.message, codes.PATCH, mark, hint=error.hint)]) from error


def _changed(document: Document, patch: Patch, budget: Budget) -> Document | Problem | None:
    """The document after a patch; None where the patch deletes it."""
    if isinstance(patch.change, dict) and patch.change.get("$patch") == "delete":
        return None
    parts = origins(document)
    marks = dict(document.marks)
    try:
        budget.pay(_MERGE * weight(patch.change, budget.left))
        change = copied(patch.change, patch.document.marks, marks, len(parts))
        if isinstance(change, list):
            root = patched(document.root, change, marks, budget)
        else:
            budget.deep(document.root)
            root = merge(document.root, change, _type_of(document), RULES)
            _remark(root, document.root, change, _type_of(document), marks)
            if not patch.path:
                _keep_identity(root, document.root, marks)
    except (MergeError, JSONPatchError) as error:
        at = (*patch.path, *error.path)
        hint = _DIRECTIVES if isinstance(error, MergeError) and "$" in str(error) else ""
        hint = error.hint if isinstance(error, JSONPatchError) else hint
        mark = patch.document.mark(at)
        return Problem(str(error), codes.PATCH, mark, document.label, field_path(at), hint=hint)
    except LimitError as error:
        mark = patch.document.mark(patch.path)
        hint = error.hint or "an API server takes objects of 1.5 MiB"
        return Problem(error.message, codes.PATCH, mark, document.label, hint=hint)
    if wrong := _lost(document, root):
        mark = patch.document.mark(patch.path)
        return Problem(
            wrong, codes.PATCH, mark, document.label, hint="$patch: delete takes an object out"
        )
    every = (*parts, *(origins(patch.document)))
    return ComposedDocument(every, document.index, root, marks, document.place, document.text)


def _lost(document: Document, root: Any) -> str:
    """Says what of its identity the object has no longer, empty where it is still the same."""
    if not isinstance(root, dict):
        return "the patch leaves no object"
    for key in ("apiVersion", "kind"):
        if root.get(key) != document.root.get(key):
            return f"a patch cannot change {key}: it was {document.root.get(key)}"
    return ""


def _remark(root: Any, base: Any, change: Any, type_name: str, marks: dict[int, list[int]]) -> None:
    """Puts down the places of what the merge has made anew from both."""
    if id(root) in marks and (root is base or root is change):
        return
    if isinstance(root, dict):
        _remark_map(root, base, change, type_name, marks)
    elif isinstance(root, list):
        _remark_list(root, base, change, type_name, marks)


def _remark_map(
    root: dict[str, Any], base: Any, change: Any, type_name: str, marks: dict[int, list[int]]
) -> None:
    old, new = _as_map(base), _as_map(change)
    known = fields(type_name)
    at_old, at_new = _indexes(old), _indexes(new)
    places = []
    for key, value in root.items():
        field = known.get(key)
        _remark(value, old.get(key), new.get(key), field.type if field else "", marks)
        places.append(
            _nth(change, at_new[key], marks) if key in new else _nth(base, at_old.get(key), marks)
        )
    marks[id(root)] = places


def _remark_list(
    root: list[Any], base: Any, change: Any, type_name: str, marks: dict[int, list[int]]
) -> None:
    item_type = type_name[2:].lstrip("*") if type_name.startswith("[]") else ""
    old_items, new_items = _Partners(base), _Partners(change)
    places = []
    for item in root:
        old, new = old_items.index(item), new_items.index(item)
        first = change if new is not None else base
        _remark(item, _at(base, old), _at(change, new), item_type, marks)
        places.append(_nth(first, new if new is not None else old, marks))
    marks[id(root)] = places


class _Partners:
    """The items of a list, for finding the one that another was, or was made from."""

    def __init__(self, items: Any) -> None:
        """Takes the list; anything else has no items."""
        self._same: dict[int, int] = {}
        self._equal: dict[Any, int] = {}
        for index, item in enumerate(items if isinstance(items, list) else ()):
            self._same.setdefault(id(item), index)
            if not isinstance(item, dict):
                self._equal.setdefault(_hashable(item), index)
                continue
            for key in _PARTNER_KEYS:
                if key in item:
                    self._equal.setdefault((key, _hashable(item[key])), index)

    def index(self, item: Any) -> int | None:
        """The index of the item that this one was, or was made from."""
        if not isinstance(item, dict):
            return self._equal.get(_hashable(item))
        if id(item) in self._same:
            return self._same[id(item)]
        key = next((key for key in _PARTNER_KEYS if key in item), None)
        return None if key is None else self._equal.get((key, _hashable(item[key])))


def _hashable(value: Any) -> Any:
    return (repr(value),) if isinstance(value, dict | list) else value


def _keep_identity(root: Any, base: Any, marks: dict[int, list[int]]) -> None:
    """Leaves the places of what part of an object repeats to say which object it is for."""
    for container, old in ((root, base), (_as_map(root).get("metadata"), base.get("metadata"))):
        for index, (key, value) in enumerate(_as_map(container).items()):
            if key in _IDENTITY and key in _as_map(old) and old[key] == value:
                marks[id(container)][index] = _nth(old, _indexes(old)[key], marks)


def _indexes(container: Mapping[str, Any]) -> dict[str, int]:
    return {key: index for index, key in enumerate(container)}


def _nth(container: Any, index: int | None, marks: Mapping[int, list[int]]) -> int:
    """The place of the entry at an index of a map or list."""
    places = marks.get(id(container), [])
    if index is not None and index < len(places):
        return places[index]
    return places[0] if places else 1 << 12 | 1


def _at(items: Any, index: int | None) -> Any:
    return items[index] if index is not None else None


def _as_map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _unmatched(patch: Patch, documents: Sequence[Document]) -> Problem:
    kind = patch.target.kind
    known = sorted({d.name for d in documents if kind == d.kind or (d.kind in _TYPES and not kind)})
    near = get_close_matches(patch.target.name, known, 1)
    hint = f"there are: {', '.join(known[:12])}{', ...' if len(known) > 12 else ''}"
    hint = f"did you mean {near[0]}?" if near else hint
    hint = _elsewhere(patch.target, documents) or hint
    path = ("target",) if patch.path else ("metadata", "name")
    return Problem(
        f"the patch matches nothing: no {patch.target}",
        codes.PATCH,
        patch.document.mark(path),
        patch.document.label if not patch.path else "",
        hint=hint if known else "there is no such object among the sources",
    )


def _elsewhere(target: Target, documents: Sequence[Document]) -> str:
    """Where an object of the name is, if only its namespace is another; empty where none is."""
    anywhere = target._replace(namespace="")
    found = [d.namespace for d in documents if target.name and anywhere.matches(d)]
    if not found:
        return ""
    where = f"is in namespace {found[0]}" if found[0] else "names no namespace: leave it out"
    return f"{target.name} {where}"
