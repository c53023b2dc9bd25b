"""Markdown fits into a comment and cannot be broken out of; JSON holds what text says."""

from __future__ import annotations

import json

from trainc.diff.change import ABSENT, Change, Comparison, Field, Identity, Refusal, Verdict
from trainc.diff.report import as_json, markdown
from trainc.diff.text import text


def change(name: str, *fields: Field, verdict: Verdict = Verdict.REPLACE) -> Change:
    why = (Refusal(("spec", "replicatedJobs"), "field is immutable", "JobSet's webhook"),)
    identity = Identity("jobset.x-k8s.io", "JobSet", "team", name)
    return Change(identity, verdict, why, fields, ("a running job would be killed",), True)


def test_many_changes_fit_into_a_comment() -> None:
    fields = [Field(("spec", "a", n), "x" * 50, "y" * 50) for n in range(20)]
    many = tuple(change(f"job-{n}", *fields) for n in range(2000))
    said = "".join(markdown([Comparison("prod", many)], "main"))
    assert len(said) < 65_536
    assert "2000 to replace; 2000 running jobs would be stopped" in said
    assert said.count(" more") >= 3


def test_one_change_that_is_too_long_does_not_hide_the_others() -> None:
    long = change("long", Field(("data", "a"), "x\n" * 40_000, ABSENT))
    said = "".join(markdown([Comparison(None, (long, change("short")))], "main"))
    assert "<summary>JobSet team/short</summary>" in said
    assert "The fields of 1 more objects do not fit here." in said


def test_nothing_in_a_value_ends_its_fence_or_its_cell() -> None:
    field = Field(("spec", "a"), "x", "```` </details> | \x1b[31m\u202e")
    said = "".join(markdown([Comparison("a|b", (change("m", field),))], "br`anch"))
    assert "`````diff\n" in said
    assert "\x1b" not in said and "\u202e" not in said
    assert "| `a\\|b: JobSet team/m` |" in said
    assert "`` br`anch ``" in said


def test_json_tells_what_is_absent_from_what_is_null() -> None:
    found = (Field(("spec", "a"), None, ABSENT), Field(("spec", "b"), ABSENT, 1, "item"))
    document = json.loads(as_json([Comparison(None, (change("m", *found),))]))
    (entry,) = document["changes"]
    assert entry["fields"] == [
        {"path": "spec.a", "old": None},
        {"path": "spec.b", "item": "item", "new": 1},
    ]
    assert "environment" not in entry
    assert document["summary"] == {
        "replace": 1, "prune": 0, "create": 0, "change": 0, "stoppedJobs": 1,
    }  # fmt: skip


def test_texts_of_several_lines_are_shown_as_a_diff() -> None:
    field = Field(("data", "run.sh"), "a\nb\nc\n", "a\nx\nc\n")
    said = "".join(text([Comparison(None, (change("m", field),))]))
    assert "    data.run.sh:\n       a\n      -b\n      +x\n       c\n" in said


def test_one_job_of_two_objects_is_one_job_that_is_stopped() -> None:
    jobset = change("m")
    trainjob = jobset._replace(identity=Identity("trainer.kubeflow.org", "TrainJob", "team", "m"))
    said = "".join(text([Comparison("a", (jobset, trainjob)), Comparison("b", (jobset,))]))
    assert "3 to replace; 2 running jobs would be stopped" in said
