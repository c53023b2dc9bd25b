"""Strategic merge: a base object and a patch of one Go type in, the merged object out.

Follows k8s.io/apimachinery/pkg/util/strategicpatch as the reference calls it: objects merge key by
key, lists with a merge key item by item, other lists are replaced, and ``$patch`` directives in
maps act. Neither argument is changed; the result shares what did not change.

Upstream merges field by field even where only one field may be set (a volume's source, an env's
value), and so leaves two; ``Rules`` tells where a merge shall differ.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from trainc.kube.gotypes import Field, fields

Path = tuple[str | int, ...]

# Types of which one field at most may be set, beside those named here.
_UNIONS: Final[dict[str, frozenset[str]]] = {
    "Volume": frozenset({"name"}),
    "EnvVar": frozenset({"name"}),
    "EnvVarSource": frozenset(),
    "LifecycleHandler": frozenset(),
}


class MergeError(Exception):
    """A patch that cannot be merged; ``path`` leads to the offending key inside the patch."""

    def __init__(self, message: str, path: Path) -> None:
        """Keeps the place beside the message."""
        super().__init__(message)
        self.path = path


class Rules(NamedTuple):
    """How a merge differs from upstream's.

    Attributes:
        unions: Whether a patch that sets one source of a volume or env drops the other.
        strict: Whether every ``$`` key that is no directive is refused. Upstream keeps those of new
            list items and new maps as plain keys, or drops them.
        items: Whether ``$patch`` directs items of keyed lists: ``delete`` removes the item of that
            key, ``replace`` puts the item in its place whole, and an item that is nothing but
            ``$patch: replace`` makes the patch's other items the whole list. The reference, whose
            patches are typed, has lost the directive before it merges.
        keys: Merge keys of lists whose Go type has none, by struct and field.
    """

    unions: bool = False
    strict: bool = True
    items: bool = False
    keys: Mapping[tuple[str, str], str] = {}


UPSTREAM: Final = Rules(unions=False, strict=False)


def merge(
    base: Mapping[str, Any], patch: Mapping[str, Any], type_name: str, rules: Rules = UPSTREAM
) -> dict[str, Any]:
    """Merges ``patch`` into ``base``, both of the Go struct ``type_name``.

    Args:
        base: The object as it is.
        patch: What shall change; null deletes a field.
        type_name: The Go type of both, which says how each list merges.
        rules: Where to differ from upstream.

    Raises:
        MergeError: A ``$`` key that is no directive, or a list item without its merge key.
    """
    return _merge_map(base, patch, type_name, (), rules)


def _merge_map(
    base: Mapping[str, Any], patch: Mapping[str, Any], type_name: str, path: Path, rules: Rules
) -> dict[str, Any]:
    directive = patch.get("$patch")
    if directive is not None:
        return _directed(patch, directive, path)
    out = dict(base)
    if rules.unions and type_name in _UNIONS:
        free = _UNIONS[type_name]
        if any(key not in free for key in patch):
            out = {key: value for key, value in base.items() if key in free or key in patch}
    known = fields(type_name)
    for key, value in patch.items():
        if key.startswith("$"):
            raise MergeError(f"{key} is not a merge directive", (*path, key))
        if value is None:
            out.pop(key, None)
            continue
        field = known.get(key)
        if field is not None and (type_name, key) in rules.keys:
            field = field._replace(strategy="merge", key=rules.keys[type_name, key])
        merged = _merge_value(out.get(key), value, field, (*path, key), rules)
        if merged is not None:
            out[key] = merged
    return out


def _directed(patch: Mapping[str, Any], directive: Any, path: Path) -> dict[str, Any]:
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    if directive == "delete":
        return {}
    raise MergeError(f'$patch must be "replace" or "delete", got {directive!r}', (*path, "$patch"))


def _merge_value(base: Any, value: Any, field: Field | None, path: Path, rules: Rules) -> Any:
    if isinstance(value, Mapping) and isinstance(base, Mapping):
        return _merge_map(base, value, field.type if field else "", path, rules)
    merges = field is not None and "merge" in field.strategy
    if isinstance(value, list) and isinstance(base, list):
        if merges and field is not None:
            return _merge_list(base, value, field, path, rules)
        return _new_item(value, path, rules)
    return _undirected(_new_item(value, path, rules, keep=True))


def _new_item(value: Any, path: Path, rules: Rules, *, keep: bool = False) -> Any:
    """A value the base lacks; strictly, without ``$`` keys that are no directives."""
    if not rules.strict:
        return value
    _check_directives(value, path)
    return value if keep else _undirected(value)


def _undirected(value: Any) -> Any:
    """The value without maps that carry a directive: there is nothing to direct (upstream)."""
    if isinstance(value, Mapping):
        if "$patch" in value:
            return None
        cleaned = {key: _undirected(item) for key, item in value.items()}
        return {key: item for key, item in cleaned.items() if item is not None}
    if isinstance(value, list):
        return [item for item in map(_undirected, value) if item is not None]
    return value


def _check_directives(value: Any, path: Path) -> None:
    if isinstance(value, Mapping):
        if "$patch" in value:
            _directed(value, value["$patch"], path)
        for key, item in value.items():
            if key.startswith("$") and key != "$patch":
                raise MergeError(f"{key} is not a merge directive", (*path, key))
            _check_directives(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_directives(item, (*path, index))


def _merge_list(
    base: Sequence[Any], patch: Sequence[Any], field: Field, path: Path, rules: Rules
) -> list[Any]:
    if not field.key:  # a list of scalars is a union (metadata.finalizers)
        return _ordered(list(base), list(patch))
    item_type = field.type[2:].lstrip("*")
    if rules.items:
        base, patch = _direct_items(base, patch, field.key, path)
    out = list(base)
    places: dict[Any, int] = {}
    for place, old in enumerate(out):
        places.setdefault(_key(old, field.key), place)
    for index, item in enumerate(patch):
        key = _key(item, field.key)
        if key is None:
            raise MergeError(f"an item of a merged list needs {field.key}", (*path, index))
        if key not in places:
            places[key] = len(out)
            out.append(_new_item(item, (*path, index), rules))
        else:
            out[places[key]] = _merge_map(out[places[key]], item, item_type, (*path, index), rules)
    keys = [_key(item, field.key) for item in base]
    order = {key: n for n, key in enumerate(_ordered(keys, [_key(p, field.key) for p in patch]))}
    return sorted(out, key=lambda item: order[_key(item, field.key)])


def _key(item: Any, name: str) -> Any:
    """The value that tells items apart; None where there is none that could."""
    value = item.get(name) if isinstance(item, Mapping) else None
    return None if isinstance(value, dict | list) else value


def _direct_items(
    base: Sequence[Any], patch: Sequence[Any], key: str, path: Path
) -> tuple[list[Any], list[Any]]:
    """Base and patch after the items of the patch that carry a directive."""
    kept: list[Any] = list(base)
    rest: list[Any] = []
    places: dict[Any, list[int]] = {}
    for place, old in enumerate(base):
        places.setdefault(_key(old, key), []).append(place)
    deleted: set[int] = set()
    for index, item in enumerate(patch):
        directive = item.get("$patch") if isinstance(item, Mapping) else None
        if directive is None:
            rest.append(item)
            continue
        _directed(item, directive, (*path, index))
        if directive == "replace" and len(item) == 1:
            return [], [o for o in patch if not (isinstance(o, Mapping) and "$patch" in o)]
        meant = _key(item, key)
        if meant is None or meant not in places:
            left = (old for place, old in enumerate(kept) if place not in deleted)
            there = ", ".join(str(_key(old, key)) for old in left)
            raise MergeError(f"no item has {key} {meant!r}; there are: {there}", (*path, index))
        if directive == "delete":
            deleted.update(places.pop(meant))
        else:
            new = {name: value for name, value in item.items() if name != "$patch"}
            for place in places[meant]:
                kept[place] = new
    return [old for place, old in enumerate(kept) if place not in deleted], rest


def _ordered(base: list[Any], patch: list[Any]) -> list[Any]:
    """Weaves the patch's order into the base's, as upstream's mergeSortedSlice does.

    Of the two heads (base items the patch does not name; items of the patch) the base's goes first
    only where both are in the base and its index is the smaller, so new items stand before the
    base's.
    """
    index: dict[Any, int] = {}
    for place, key in enumerate(base):
        index.setdefault(key, place)
    named = dict.fromkeys(patch)
    rest = [key for key in index if key not in named]
    todo = list(named)
    out: list[Any] = []
    one = other = 0
    while one < len(rest) and other < len(todo):
        if todo[other] in index and index[rest[one]] < index[todo[other]]:
            out.append(rest[one])
            one += 1
        else:
            out.append(todo[other])
            other += 1
    return out + rest[one:] + todo[other:]
