"""A cluster asked what it would do with objects; nothing is written to it.

In: the API. Out: objects as they are, and what dry runs come to. Kinds are found by discovery, so
any kind may be asked about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from trainc.controller.api import JSON_PATCH, Api, ApiError
from trainc.controller.paths import item
from trainc.controller.view import Json
from trainc.names import MANAGED_BY_LABEL, TRAINC

_TRY: Final = {"dryRun": "All", "fieldValidation": "Strict"}
_SELECTOR: Final = f"{MANAGED_BY_LABEL}={TRAINC}"
_LABEL_MARKS: Final = (
    "kustomize.toolkit.fluxcd.io/name",
    "kustomize.toolkit.fluxcd.io/namespace",
    "app.kubernetes.io/instance",
)
_TRACKING: Final = "argocd.argoproj.io/tracking-id"
_LONGEST: Final = 500  # characters of a refusal that are shown
_MAY_NOT: Final = "a dry run is not allowed here: judged by trainc's own rules"


class Outcome(NamedTuple):
    """What a dry run came to: the object as it would be, or why not, or why it was not tried."""

    after: Json | None
    refusal: str = ""
    untried: str = ""


class Target:
    """A cluster; asks, and writes nothing."""

    def __init__(self, api: Api) -> None:
        """Knows no kind yet."""
        self._api = api
        self._plurals: dict[str, dict[str, str]] = {}

    def find(self, manifest: Mapping[str, Any]) -> Json | None:
        """The object of that kind and name; None where it, or its kind, is not there."""
        path = self._path(manifest)
        return None if path is None else self._api.find(path)

    def try_change(self, live: Mapping[str, Any], after: Mapping[str, Any]) -> Outcome:
        """What comes of changing ``live`` into ``after``."""
        path = self._path(live)
        if path is None:
            return Outcome(None, untried=_MAY_NOT)
        return self._tried("PATCH", path, _steps(live, after), JSON_PATCH)

    def try_create(self, manifest: Mapping[str, Any]) -> Outcome:
        """What comes of creating an object."""
        path = self._path(manifest)
        if path is None:
            return Outcome(None, f"no kind {manifest['kind']} of {manifest['apiVersion']} there")
        return self._tried("POST", path.rpartition("/")[0], manifest, "application/json")

    def companions(self, live: Sequence[Mapping[str, Any]]) -> Iterator[Json]:
        """What trainc made and the same tool manages, of the kinds and namespaces of ``live``."""
        marks = {_mark(each) for each in live}
        seen = set()
        for each in live:
            path = self._path(each)
            place = path.rpartition("/")[0] if path else ""
            if not place or place in seen:
                continue
            seen.add(place)
            head = {"apiVersion": each["apiVersion"], "kind": each["kind"]}
            for other in self._labelled(place):
                if not other["metadata"].get("ownerReferences") and _mark(other) in marks:
                    yield {**head, **other}

    def _labelled(self, path: str) -> Iterator[Json]:
        query = {"labelSelector": _SELECTOR, "limit": "500"}
        while True:
            page = self._api.request("GET", path, query=query)
            yield from page["items"] or ()
            token = page["metadata"].get("continue")
            if not token:
                return
            query = {**query, "continue": token}

    def _tried(self, method: str, path: str, body: object, content_type: str) -> Outcome:
        try:
            return Outcome(self._api.request(method, path, body, content_type, _TRY))
        except ApiError as error:
            if error.code == 403 and "admission" not in str(error) and "denied" not in str(error):
                return Outcome(None, untried=_MAY_NOT)
            if error.code in (400, 403, 404, 409, 422):
                return Outcome(None, _plain(error))
            raise

    def _path(self, manifest: Mapping[str, Any]) -> str | None:
        """Where the object stands; None where the cluster does not know its kind."""
        group = manifest["apiVersion"]
        plural = self._known(group).get(manifest["kind"])
        if plural is None:
            return None
        root = f"/apis/{group}" if "/" in group else f"/api/{group}"
        metadata = manifest["metadata"]
        return item((root, plural), metadata.get("namespace", ""), metadata["name"])

    def _known(self, group: str) -> dict[str, str]:
        """Kind -> plural, of one version of a group."""
        if group not in self._plurals:
            root = f"/apis/{group}" if "/" in group else f"/api/{group}"
            found = (self._api.find(root) or {}).get("resources") or ()
            plurals = {each["kind"]: each["name"] for each in found if "/" not in each["name"]}
            self._plurals[group] = plurals
        return self._plurals[group]


def _steps(live: Mapping[str, Any], after: Mapping[str, Any]) -> list[Json]:
    """The change as a JSON patch of the parts that differ."""
    steps = []
    for key in after:
        if key == "metadata":
            old, new = live["metadata"], after["metadata"]
            steps += [_step(f"/metadata/{k}", old, new, k) for k in ("labels", "annotations")]
        elif key not in ("apiVersion", "kind", "status"):
            steps.append(_step(f"/{key}", live, after, key))
    steps += [{"op": "remove", "path": f"/{key}"} for key in live if key not in after]
    return [step for step in steps if step]


def _step(path: str, old: Mapping[str, Any], new: Mapping[str, Any], key: str) -> Json:
    if old.get(key) == new.get(key):
        return {}
    if key not in new:
        return {"op": "remove", "path": path}
    return {"op": "replace" if key in old else "add", "path": path, "value": new[key]}


def _plain(error: ApiError) -> str:
    """What the API server says, without the status, and without an object it repeats."""
    said = str(error).partition(": ")[2] or str(error)
    return said if len(said) <= _LONGEST else f"{said[: _LONGEST - 100]} ... {said[-100:]}"


def _mark(found: Mapping[str, Any]) -> tuple[str, ...]:
    """By what the tool that manages an object knows it for its own."""
    metadata = found["metadata"]
    labels, notes = metadata.get("labels") or {}, metadata.get("annotations") or {}
    tracking = notes.get(_TRACKING, "").partition(":")[0]
    return (tracking, *(labels.get(key, "") for key in _LABEL_MARKS))
