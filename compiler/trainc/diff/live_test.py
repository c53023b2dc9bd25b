"""The cluster's own verdict counts; where it gives none, the rules do."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from trainc.diff.change import Verdict
from trainc.diff.live import with_live

Json = dict[str, Any]
ROLE: Json = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "RoleBinding",
    "metadata": {"name": "m", "namespace": "n"},
    "roleRef": {"kind": "Role", "name": "a"},
}


class Told(NamedTuple):
    after: Mapping[str, Any] | None
    refusal: str = ""
    untried: str = ""


@dataclass
class Fake:
    """A cluster that holds objects and answers every dry run alike."""

    objects: list[Json] = field(default_factory=list)
    answer: Told | None = None  # None takes everything
    others: list[Json] = field(default_factory=list)
    tries: int = 0

    def find(self, manifest: Mapping[str, Any]) -> Mapping[str, Any] | None:
        name = manifest["metadata"]["name"]
        return next((each for each in self.objects if each["metadata"]["name"] == name), None)

    def try_change(self, live: Mapping[str, Any], after: Mapping[str, Any]) -> Told:
        self.tries += 1
        return self.answer or Told(after)

    def try_create(self, manifest: Mapping[str, Any]) -> Told:
        return self.answer or Told(manifest)

    def companions(self, live: Sequence[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
        return self.others


def changed() -> Json:
    return {**copy.deepcopy(ROLE), "roleRef": {"kind": "Role", "name": "b"}}


def test_what_is_equal_is_not_tried() -> None:
    cluster = Fake([ROLE])
    assert with_live(cluster, [ROLE]) == ()
    assert cluster.tries == 0


def test_what_the_cluster_takes_is_changed_in_place() -> None:
    (change,) = with_live(Fake([ROLE]), [changed()])
    assert (change.verdict, change.refusals) == (Verdict.CHANGE, ())


def test_what_the_cluster_makes_equal_is_no_change() -> None:
    assert with_live(Fake([ROLE], Told(ROLE)), [changed()]) == ()


def test_a_refusal_is_told_in_our_words_where_the_rule_is_known() -> None:
    (change,) = with_live(Fake([ROLE], Told(None, "no")), [changed()])
    assert change.verdict is Verdict.REPLACE
    assert change.refusals[0].message == "cannot change roleRef"
    labelled = copy.deepcopy(ROLE)
    labelled["metadata"]["labels"] = {"a": "b"}
    (change,) = with_live(Fake([ROLE], Told(None, "a policy says no")), [labelled])
    assert change.verdict is Verdict.REPLACE
    assert (change.refusals[0].message, change.refusals[0].rule) == (
        "a policy says no",
        "the cluster",
    )


def test_without_a_try_the_rules_decide() -> None:
    (change,) = with_live(Fake([ROLE], Told(None, untried="not allowed")), [changed()])
    assert (change.verdict, change.effects) == (Verdict.REPLACE, ("not allowed",))


def test_what_is_new_and_what_is_left() -> None:
    other = {**ROLE, "metadata": {"name": "old", "namespace": "n"}}
    cluster = Fake([], Told(None, "no such namespace"), [other])
    gone, new = with_live(cluster, [ROLE])
    assert (gone.identity.name, gone.verdict) == ("old", Verdict.PRUNE)
    assert (new.identity.name, new.verdict) == ("m", Verdict.CREATE)
    assert new.effects == ("the cluster refuses it: no such namespace",)
