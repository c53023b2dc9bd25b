from dataclasses import dataclass

import pytest

from trainc.manifest.scope import EVERYTHING, Owner, Scope

WHOLE = Scope(("/r/a", "/r/a/jobs"), base="/r", project="/r/a")
PART = Scope(("/r/a/jobs/vision",), base="/r")
PLAIN = Scope(("/p/jobs",))


@dataclass(frozen=True)
class NameCase:
    __test__ = False
    name: str
    scope: Scope
    folder: str
    source: str
    want: str


NAMES = [
    NameCase("from the repository", WHOLE, "/r/a/out", "/r/a/jobs/x.yaml", "a/jobs/x.yaml"),
    NameCase("wherever the output is", WHOLE, "/r/b/o/prod", "/r/a/jobs/x.yaml", "a/jobs/x.yaml"),
    NameCase("output elsewhere", WHOLE, "/elsewhere/out", "/r/a/jobs/x.yaml", "r//a/jobs/x.yaml"),
    NameCase("another elsewhere", WHOLE, "/x/y/out", "/r/a/jobs/x.yaml", "r//a/jobs/x.yaml"),
    NameCase("a source elsewhere", WHOLE, "/r/out", "/s/x.yaml", "../../s/x.yaml"),
    NameCase("no repository", PLAIN, "/p/out", "/p/jobs/x.yaml", "../jobs/x.yaml"),
    NameCase("a folder that begins alike", WHOLE, "/r2/out", "/r/a/x.yaml", "r//a/x.yaml"),
]


@pytest.mark.parametrize("case", NAMES, ids=lambda case: case.name)
def test_a_source_is_named_alike_wherever_the_output_is(case: NameCase) -> None:
    assert case.scope.name(case.folder, case.source) == case.want


@dataclass(frozen=True)
class OwnerCase:
    __test__ = False
    name: str
    scope: Scope
    names: tuple[str, ...]
    want: Owner
    folder: str = "/r/a/out"


OWNERS = [
    OwnerCase("a source of the project", WHOLE, ("a/jobs/x.yaml",), "covered"),
    OwnerCase("one that is gone", WHOLE, ("a/old/x.yaml",), "covered"),
    OwnerCase("another project", WHOLE, ("b/jobs/x.yaml",), "other"),
    OwnerCase("a folder that begins alike", WHOLE, ("a2/x.yaml",), "other"),
    OwnerCase("both", WHOLE, ("a/jobs/x.yaml", "b/jobs/x.yaml"), "other"),
    OwnerCase("below the path", PART, ("a/jobs/vision/x.yaml",), "covered"),
    OwnerCase("beside the path", PART, ("a/jobs/nlp/x.yaml",), "other"),
    OwnerCase("the path is a file", PART, ("a/jobs/vision",), "covered"),
    OwnerCase("an old index, the whole project", WHOLE, (), "covered"),
    OwnerCase("an old index, output outside", WHOLE, (), "unknown", "/out"),
    OwnerCase("an old index, a part", PART, (), "unknown"),
    OwnerCase("standard input", WHOLE, ("-",), "unknown"),
    OwnerCase("standard input and another project", WHOLE, ("-", "b/x.yaml"), "other"),
    OwnerCase("output outside", WHOLE, ("r//a/jobs/x.yaml",), "covered", "/out"),
    OwnerCase("another repository's", WHOLE, ("s//a/jobs/x.yaml",), "unknown", "/out"),
    OwnerCase("written inside another repository", WHOLE, ("jobs/x.yaml",), "unknown", "/s/out"),
    OwnerCase("no repository", PLAIN, ("../jobs/x.yaml",), "covered", "/p/out"),
    OwnerCase("no repository, elsewhere", PLAIN, ("../more/x.yaml",), "other", "/p/out"),
    OwnerCase("everything", EVERYTHING, ("b/jobs/x.yaml",), "covered"),
    OwnerCase(
        "a project below", WHOLE._replace(excluded=("/r/a/b",)), ("a/b/jobs/x.yaml",), "other"
    ),
]


@pytest.mark.parametrize("case", OWNERS, ids=lambda case: case.name)
def test_only_output_of_covered_sources_is_a_builds_own(case: OwnerCase) -> None:
    assert case.scope.owner(case.folder, case.names) == case.want
