"""An object of a cluster after our manifest is applied to it: only our own fields move.

In: the object as it is, what was applied of it before, what is to be applied. Out: the object as it
shall be. What others or defaults have put there stays; what we applied before and no longer print
goes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from trainc.diff.fields import keys_of, named

_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
# By these the tools know their objects; they are in no file.
_MARKS: Final = (
    _APPLIED,
    "app.kubernetes.io/instance",
    "argocd.argoproj.io/installation-id",
    "argocd.argoproj.io/tracking-id",
    "kustomize.toolkit.fluxcd.io/name",
    "kustomize.toolkit.fluxcd.io/namespace",
)
# Written by the API server alone, or no part of what is applied.
_NOT_OURS: Final = ("status", "apiVersion", "kind")


def applied(live: Mapping[str, Any], manifest: Mapping[str, Any], manager: str) -> dict[str, Any]:
    """The object after the manifest; neither argument is changed.

    Args:
        live: The object as the cluster has it.
        manifest: What is to be applied.
        manager: Whose former fields go where they are no longer printed; empty for those of
            whoever applied the object, of the last one where several have.
    """
    before = previous(live, manager)
    kept = {key: value for key, value in manifest.items() if key not in _NOT_OURS}
    kept["metadata"] = {
        key: value
        for key, value in manifest["metadata"].items()
        if key in ("labels", "annotations")
    }
    out: dict[str, Any] = _merged(live, before, kept)
    return out


def previous(live: Mapping[str, Any], manager: str = "") -> Any:
    """What was applied of an object before: of ``kubectl apply``, or by server-side apply."""
    metadata = live["metadata"]
    text = (metadata.get("annotations") or {}).get(_APPLIED)
    if text and not manager:
        try:
            found: Any = json.loads(text)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}
    entries = [
        entry
        for entry in metadata.get("managedFields") or ()
        if entry.get("operation") == "Apply"
        and not entry.get("subresource")
        and entry.get("manager") == (manager or entry.get("manager"))
        and set(entry.get("fieldsV1") or ()) - {"f:metadata"}
    ]
    if not entries:
        return {}
    return _owned(live, max(entries, key=lambda entry: entry.get("time", ""))["fieldsV1"])


def _owned(value: Any, fields: Mapping[str, Any]) -> Any:
    """The part of a value that a manager owns (``fieldsV1`` of the Kubernetes API)."""
    below = {key: inner for key, inner in fields.items() if key != "."}
    if not below:
        return value
    if isinstance(value, dict):
        return {key: _owned(value[key], below[f"f:{key}"]) for key in value if f"f:{key}" in below}
    if isinstance(value, list):
        return [
            _owned(item, inner)
            for key, inner in below.items()
            if key[:2] == "k:"
            for item in value
            if _has(item, json.loads(key[2:]))
        ] or value
    return value


def _has(item: Any, keys: Mapping[str, Any]) -> bool:
    return isinstance(item, dict) and all(item.get(key) == value for key, value in keys.items())


def _merged(live: Any, before: Any, new: Any) -> Any:
    if isinstance(live, dict) and isinstance(new, dict):
        old = before if isinstance(before, dict) else {}
        gone = {key for key in old if key not in new and _is_free(key, old)}
        out = {key: value for key, value in live.items() if key not in gone}
        return {**out, **{k: _merged(live.get(k), old.get(k), v) for k, v in new.items()}}
    if isinstance(live, list) and isinstance(new, list):
        keys = keys_of(live, new)
        if keys:
            return _items(live, before, new, keys)
        if len(live) == len(new):
            # Lists without keys are replaced whole; what a default adds to an item is no change.
            return [_merged(*each) for each in zip(live, new, new, strict=True)]
    return new


def _is_free(key: str, old: Mapping[str, Any]) -> bool:
    """Whether a field that is no longer printed goes.

    Not those that make up the object itself, nor the marks of the tool that applies it.
    """
    return key not in _MARKS and not (
        key in ("metadata", *_NOT_OURS) or ("kind" in old and key == "spec")
    )


def _items(live: list[Any], before: Any, new: list[Any], keys: tuple[str, ...]) -> list[Any]:
    """A keyed list: the items of both, in the cluster's order where that agrees with ours."""
    had = {named(item, keys): item for item in live}
    ours = {named(item, keys): item for item in new}
    old = {named(item, keys): item for item in before or () if isinstance(item, dict)}
    left = [name for name in had if name in ours or name not in old]
    order = [*left, *(name for name in ours if name not in had)]
    if [name for name in left if name in ours] != [name for name in ours if name in had]:
        order = [*ours, *(name for name in left if name not in ours)]
    return [
        _merged(had.get(name), old.get(name), ours[name]) if name in ours else had[name]
        for name in order
    ]
