"""What applying our objects would do to a cluster: its own verdict where it gives one.

In: a cluster that can be asked, and the manifests. Out: the changes. Each object is tried by a dry
run, so that defaults, webhooks and policies of the cluster have spoken; where the user may not try,
the rules of ``mutability.py`` decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from trainc.diff.change import Change, Identity, Manifest, Refusal, identity_of
from trainc.diff.compare import changed, created, in_order, pruned
from trainc.diff.mutability import refusals
from trainc.diff.settled import settled
from trainc.diff.threeway import applied


class Outcome(Protocol):
    """What a dry run came to."""

    @property
    def after(self) -> Mapping[str, Any] | None:
        """The object as it would be; None where the cluster refuses it or was not asked."""

    @property
    def refusal(self) -> str:
        """Why the cluster refuses it, empty where it does not."""

    @property
    def untried(self) -> str:
        """Why the cluster could not be asked, empty where it was."""


class Cluster(Protocol):
    """Who can be asked about the objects of a cluster; writes nothing."""

    def find(self, manifest: Manifest) -> Mapping[str, Any] | None:
        """The object of that kind and name as it is there."""

    def try_change(self, live: Mapping[str, Any], after: Mapping[str, Any]) -> Outcome:
        """What comes of changing ``live`` into ``after``."""

    def try_create(self, manifest: Manifest) -> Outcome:
        """What comes of creating an object."""

    def companions(self, live: Sequence[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
        """The objects that the same tool manages in the same namespaces, made by trainc."""


def with_live(
    cluster: Cluster,
    manifests: Sequence[Manifest],
    manager: str = "",
    origins: Mapping[Identity, str] | None = None,
) -> tuple[Change, ...]:
    """The changes that applying the manifests, and pruning the rest, would make.

    Args:
        cluster: The cluster.
        manifests: All objects of an environment.
        manager: Who applies them, empty for whoever applied them last.
        origins: What objects were made from.
    """
    changes, there = [], []
    for manifest in manifests:
        identity = identity_of(manifest)
        live = cluster.find(manifest)
        if live is None:
            change: Change | None = _created(cluster, identity, manifest)
        else:
            there.append(live)
            change = _changed(cluster, identity, live, applied(live, manifest, manager))
        if change is not None:
            changes.append(change._replace(origin=(origins or {}).get(identity, "")))
    ours = {identity_of(manifest) for manifest in manifests}
    for other in cluster.companions(there):
        identity = identity_of(other)
        if identity not in ours:
            changes.append(pruned(identity, other))
    return in_order(changes)


def _created(cluster: Cluster, identity: Identity, manifest: Manifest) -> Change:
    outcome = cluster.try_create(manifest)
    change = created(identity, manifest)
    said = f"the cluster refuses it: {outcome.refusal}" if outcome.refusal else outcome.untried
    return change._replace(effects=(*change.effects, said)) if said else change


def _changed(
    cluster: Cluster, identity: Identity, live: Mapping[str, Any], after: Mapping[str, Any]
) -> Change | None:
    if changed(identity, live, after, (), whole=True) is None:
        return None
    outcome = cluster.try_change(live, after)
    if outcome.after is not None:
        return changed(identity, live, outcome.after, (), whole=True)
    if outcome.untried:
        change = changed(identity, live, after, whole=True)
        return change and change._replace(effects=(*change.effects, outcome.untried))
    # Our own words where the rule is known: the cluster's repeat the whole object.
    said = (Refusal((), outcome.refusal, "the cluster"),)
    why = refusals(settled(live), settled(after)) or said
    return changed(identity, live, after, why, whole=True)
