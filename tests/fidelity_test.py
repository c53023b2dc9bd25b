"""Every line that the two modes print differently belongs to a named quirk or addition."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.corpus import ROOT, Built, build, cases
from trainc.spec.additions import ADDITIONS
from trainc.spec.compat import SOUND, VERSIONS, Compat
from trainc.spec.fidelity import page
from trainc.spec.quirks import QUIRKS


def changes(old: Any, new: Any, path: str) -> Iterator[str]:
    """The paths at which two values differ, as deep as they can be told."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(set(old) | set(new)):
            if old.get(key) != new.get(key):
                yield from changes(old.get(key), new.get(key), f"{path}.{key}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (a, b) in enumerate(zip(old, new, strict=True)):
            if a != b:
                yield from changes(a, b, f"{path}[{index}]")
    elif old != new:
        yield path


def compare(old: Built, new: Built) -> list[str]:
    """The paths at which two builds differ; each begins with the object's kind."""
    assert set(old.objects) == set(new.objects)
    return [
        path
        for key in sorted(old.objects)
        for path in changes(old.objects[key], new.objects[key], key.partition("/")[0])
    ]


def explain(old: Built, new: Built, name: str, touches: str) -> None:
    """Fails where a step changes what its quirk does not claim, or refuses without naming it."""
    if new.failed and not old.failed:
        errors = [p for p in new.problems if p.severity == "error"]
        assert all(p.code or p.field for p in errors), errors
        return
    if old.failed or new.failed:
        return
    for path in compare(old, new):
        assert touches and re.search(touches, path), f"{name} changes {path}"


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_every_difference_belongs_to_a_quirk(case: Path) -> None:
    version = VERSIONS[0]
    built = build(case, Compat(version))
    mended: frozenset[str] = frozenset()
    for name, quirk in sorted(QUIRKS.items()):
        mended |= {name}
        after = build(case, Compat(version, mended))
        explain(built, after, name, quirk.touches)
        built = after
    added = "|".join(addition.touches for addition in ADDITIONS.values())
    explain(built, build(case, SOUND), "the additions", added)


def test_corpus_shows_most_quirks() -> None:
    """A quirk no case shows is untested here; those are few, and have tests of their own."""
    shown = set()
    for case in cases():
        old = build(case, Compat(VERSIONS[0]))
        for name in QUIRKS:
            new = build(case, Compat(VERSIONS[0], frozenset({name})))
            if old.failed != new.failed or (not new.failed and compare(old, new)):
                shown.add(name)
    assert len(shown) > len(QUIRKS) // 2, sorted(set(QUIRKS) - shown)


def test_the_page_is_fresh() -> None:
    assert (ROOT / "docs" / "fidelity.md").read_text(encoding="utf-8") == page(), "make docs"
