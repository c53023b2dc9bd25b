"""Two sets of objects to what becomes of each: created, changed in place, replaced, pruned.

In: the manifests before and after. Out: the changes, those that end running jobs first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from trainc import names
from trainc.diff.change import (
    Change,
    Field,
    Identity,
    Manifest,
    Refusal,
    Verdict,
    identity_of,
)
from trainc.diff.fields import differences
from trainc.diff.mutability import is_known, is_suspended, refusals
from trainc.diff.settled import settled
from trainc.plan.replace import ANNOTATIONS

RECREATED: Final = "the GitOps tool recreates it"
RECREATED_ALL: Final = "Argo CD recreates it at every sync, changed or not: Force=true,Replace=true"
_JOBS: Final = ("JobSet", names.TRAIN_JOB)
_ENDS: Final = ("Completed", "Complete", "Failed")
_ORDER: Final = tuple(Verdict)
# The digest moves with everything else: alone it would be a change nobody made.
_DIGEST: Final = ("metadata", "annotations", names.JOB_ANNOTATION, "digest")
# What --on-change rename puts behind a name.
_SUFFIX: Final = re.compile(r"-[0-9a-f]{8}(?=-|$)")


def compared(
    old: Iterable[Manifest],
    new: Iterable[Manifest],
    origins: Mapping[Identity, str] | None = None,
    *,
    renames: bool = False,
) -> tuple[Change, ...]:
    """The changes from one set of objects to another.

    Args:
        old: What is there.
        new: What shall be there.
        origins: What objects were made from.
        renames: Whether changed jobs get another name (``--on-change rename``).
    """
    origins = origins or {}
    before = {identity_of(each): each for each in old}
    after = {identity_of(each): each for each in new}
    renamed = _renamed(before, after) if renames else {}
    changes = []
    for identity in (*after, *(each for each in before if each not in after)):
        if identity in before and identity in after:
            change = changed(identity, before[identity], after[identity])
        elif identity in after:
            change = created(identity, after[identity])
        else:
            change = pruned(identity, before[identity])
        if change is not None:
            partner = renamed.get(identity)
            change = change._replace(origin=origins.get(identity, ""), partner=partner)
            if partner is not None and identity in after:
                known = before[partner]
                change = change._replace(fields=_beyond_the_name(known, after[identity]))
            changes.append(change)
    if changes:
        changes += _recreated(before, after, {change.identity for change in changes}, origins)
    return in_order(changes)


def _recreated(
    before: Mapping[Identity, Manifest],
    after: Mapping[Identity, Manifest],
    told: set[Identity],
    origins: Mapping[Identity, str],
) -> list[Change]:
    """The unchanged jobs that Argo CD recreates in the sync that the changes bring about.

    It acts on the annotation of the object as it is and as it shall be (gitops-engine,
    ``applyObject``), in an Application without ``ApplyOutOfSyncOnly=true`` on all of them.
    """
    out = []
    for identity, new in after.items():
        old = before.get(identity)
        if old is None or identity in told or not (_is_job(new) and _is_forced(new)):
            continue
        kills, effects = _effects(Verdict.REPLACE, old, new)
        effects = (*effects, RECREATED_ALL)
        change = Change(identity, Verdict.REPLACE, effects=effects, kills=kills)
        out.append(change._replace(origin=origins.get(identity, "")))
    return out


def _is_forced(manifest: Manifest) -> bool:
    """Whether Argo CD is told to delete the object and make it anew, whatever has changed."""
    key, value = ANNOTATIONS["argocd"]
    notes = manifest["metadata"].get("annotations") or {}
    return set(value.split(",")) <= {part.strip() for part in str(notes.get(key, "")).split(",")}


def in_order(changes: Iterable[Change]) -> tuple[Change, ...]:
    """What ends jobs first, then by verdict, then by name."""
    return tuple(sorted(changes, key=_position))


def _position(change: Change) -> tuple[Any, ...]:
    identity = change.identity
    return (
        not change.kills,
        _ORDER.index(change.verdict),
        identity.namespace,
        identity.name,
        identity.kind,
    )


def changed(
    identity: Identity,
    old: Manifest,
    new: Manifest,
    found: tuple[Refusal, ...] | None = None,
    *,
    whole: bool = False,
) -> Change | None:
    """What becomes of an object that is there before and after; None where it stays as it is.

    Args:
        identity: Which object.
        old: The object before.
        new: The object after.
        found: Why the API server refuses the change; None asks the rules.
        whole: Whether both are objects of a cluster, which lack no default; else manifests.
    """
    if old == new and not found:
        return None
    printed = None if whole else old
    before, after = settled(old), settled(new, printed)
    fields = differences(before, after)
    telling = tuple(field for field in fields if field.path != _DIGEST) or fields
    why = refusals(before, after) if found is None else found
    if not fields and not why:
        return None
    is_forced = found is None and _is_job(new) and (_is_forced(old) or _is_forced(new))
    verdict = Verdict.REPLACE if why or is_forced else Verdict.CHANGE
    kills, effects = _effects(verdict, old, after)
    if verdict is Verdict.REPLACE and (is_forced or _is_recreated(new)):
        effects = (*effects, RECREATED)
    return Change(identity, verdict, why, telling, effects, kills)


def _is_recreated(manifest: Manifest) -> bool:
    """Whether ``--on-change replace`` tells a GitOps tool to delete the object and make it anew."""
    notes = manifest["metadata"].get("annotations") or {}
    return any(
        set(value.split(",")) <= set(str(notes.get(key, "")).split(","))
        for key, value in ANNOTATIONS.values()
    )


def created(identity: Identity, new: Manifest) -> Change:
    """What becomes of an object that is new."""
    effects = ("it starts suspended",) if _is_job(new) and is_suspended(new) else ()
    return Change(identity, Verdict.CREATE, effects=effects)


def pruned(identity: Identity, old: Manifest) -> Change:
    """What becomes of an object that is no longer wanted."""
    kills, effects = _effects(Verdict.PRUNE, old, None)
    return Change(identity, Verdict.PRUNE, effects=effects, kills=kills)


def _is_job(manifest: Manifest) -> bool:
    return manifest["kind"] in _JOBS


def _effects(verdict: Verdict, old: Manifest, new: Manifest | None) -> tuple[bool, tuple[str, ...]]:
    """Whether pods that run are ended, and what is to be said of the change."""
    kind = old["kind"]
    if kind == "LeaderWorkerSet" and verdict is Verdict.CHANGE:
        return False, ("its pods may be rolled anew",)
    if not is_known(kind) and verdict is Verdict.CHANGE:
        return False, ("trainc does not know the rules of this kind: the cluster may refuse",)
    if not _is_job(old):
        return False, ()
    if _is_finished(old):
        again = verdict is Verdict.REPLACE
        return False, ("the job has finished; it would run again",) if again else ()
    if verdict is not Verdict.CHANGE:
        if is_suspended(old):
            return False, ("it is suspended: no pod runs",)
        return True, ("a running job would be killed",)
    if new is not None and is_suspended(new) and not is_suspended(old):
        return True, ("it is suspended: its running pods are removed",)
    if new is not None and is_suspended(old) and not is_suspended(new):
        return False, ("it is resumed: its pods start",)
    return False, ()


def _is_finished(manifest: Manifest) -> bool:
    """Whether a job of a cluster has come to its end."""
    conditions = (manifest.get("status") or {}).get("conditions") or ()
    return any(each.get("type") in _ENDS and each.get("status") == "True" for each in conditions)


def _renamed(
    before: Mapping[Identity, Manifest], after: Mapping[Identity, Manifest]
) -> dict[Identity, Identity]:
    """The two sides of each object that ``--on-change rename`` gives another name."""
    gone = {_stem(each): each for each in before if each not in after}
    pairs = {
        each: gone[_stem(each)] for each in after if each not in before and _stem(each) in gone
    }
    pairs = {new: old for new, old in pairs.items() if new.name != _stem(new).name}
    return pairs | {old: new for new, old in pairs.items()}


def _stem(identity: Identity) -> Identity:
    return identity._replace(name=_SUFFIX.sub("", identity.name, count=1))


def _beyond_the_name(old: Manifest, new: Manifest) -> tuple[Field, ...]:
    """What differs between a job and its successor but for the name in it."""
    was, now = (_SUFFIX.search(each["metadata"]["name"]) for each in (old, new))
    if was is None or now is None:
        return ()
    text = json.dumps(settled(old)).replace(was[0], now[0])
    fields = differences(json.loads(text), settled(new))
    return tuple(field for field in fields if field.path != _DIGEST)
