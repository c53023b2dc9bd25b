from __future__ import annotations

import json
from typing import Any

import pytest

from trainc.controller.view import Json, jobset_view, trainjob_view


def _metadata(**more: Any) -> Json:
    return {
        "namespace": "ns",
        "name": "m",
        "uid": "u",
        "resourceVersion": "7",
        "creationTimestamp": "2026-11-22T12:00:00Z",
        **more,
    }


def _writer(manager: str, subresource: str = "status") -> Json:
    return {"manager": manager, "operation": "Update", "subresource": subresource}


@pytest.mark.parametrize(
    ("writers", "followed"),
    [
        ([], False),
        ([_writer("trainc-controller")], True),
        ([_writer("manager"), _writer("trainc-controller")], True),
        ([_writer("trainc-controller", "")], False),
        ([_writer("manager")], False),
    ],
)
def test_who_wrote_the_status(writers: list[Json], followed: bool) -> None:
    found = {"metadata": _metadata(managedFields=writers)}
    assert trainjob_view(found).followed is followed


def test_a_bare_object_has_a_view() -> None:
    trainjob, jobset = (view({"metadata": _metadata()}) for view in (trainjob_view, jobset_view))
    assert trainjob.version == jobset.version == 7
    assert not trainjob.has_status  # type: ignore[union-attr]
    assert (jobset.note, jobset.malformed) == (None, "")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("note", "malformed"),
    [
        ("{", "is not JSON"),
        ("[" * 5000, "is not JSON"),
        ("[]", "is not a JSON object"),
        (json.dumps({"version": 2, "trainjob": "m"}), "has version 2"),
        (json.dumps({"version": 1, "trainjob": "other"}), "names the TrainJob 'other', not 'm'"),
    ],
)
def test_a_note_that_cannot_be_used_says_why(note: str, malformed: str) -> None:
    view = jobset_view({"metadata": _metadata(annotations={"trainc.dev/job": note})})
    assert view.note is None
    assert view.malformed.startswith(malformed)


@pytest.mark.parametrize("text", ["", "{", "5", "[" * 5000])
def test_progress_that_is_none(text: str) -> None:
    annotations = {"trainc.dev/progress": text, "trainc.dev/generation": "²"}
    view = jobset_view({"metadata": _metadata(annotations=annotations)})
    assert (view.progress, view.compiled_from) == (None, 0)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("0", 0),
        ("60", 60),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("9" * 5000, None),
    ],
)
def test_what_an_annotation_says_is_a_number_or_nothing(text: str, want: int | None) -> None:
    annotations = {
        "trainc.dev/ttl-seconds-after-finished": text,
        "trainc.dev/generation": text,
    }
    view = jobset_view({"metadata": _metadata(annotations=annotations)})
    assert (view.ttl, view.compiled_from) == (want, want or 0)
