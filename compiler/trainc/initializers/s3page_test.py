from __future__ import annotations

from dataclasses import dataclass

import pytest

from trainc.initializers.failure import (
    ConfigurationError,
    FetchError,
    IntegrityError,
    TransientError,
)
from trainc.initializers.s3page import Entry, Page

A = "<Contents><Key>p/a</Key><Size>4</Size><ETag>e</ETag></Contents>"


def page(inner: str, root: str = 'ListBucketResult xmlns="x"') -> Page:
    return Page(f"<{root}>{inner}</{root.split()[0]}>".encode(), "p/", "s3://b at host")


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    inner: str
    token: str
    before: str = ""


@pytest.mark.parametrize(
    "case",
    [
        TestCase("the last", "<IsTruncated>false</IsTruncated>", ""),
        TestCase("the only one", "", ""),
        TestCase(
            "one of many",
            "<IsTruncated>true</IsTruncated><NextContinuationToken>2</NextContinuationToken>",
            "2",
            "1",
        ),
    ],
    ids=lambda case: case.name,
)
def test_a_page_says_what_follows(case: TestCase) -> None:
    read = page(f"{A}{case.inner}")
    assert list(read.entries()) == [Entry("p/a", 4, "e", "")]
    assert read.following(frozenset({case.before})) == case.token


@dataclass(frozen=True)
class FailureCase:
    __test__ = False
    name: str
    inner: str
    kind: type[FetchError]
    says: str
    root: str = "ListBucketResult"


@pytest.mark.parametrize(
    "case",
    [
        FailureCase(
            "there is more, and no way there",
            f"<IsTruncated>true</IsTruncated>{A}",
            IntegrityError,
            "breaks off",
        ),
        FailureCase(
            "the next page is this one",
            f"<IsTruncated>true</IsTruncated><NextContinuationToken>1</NextContinuationToken>{A}",
            IntegrityError,
            "breaks off",
        ),
        FailureCase(
            "a sibling",
            "<Contents><Key>p2/a</Key><Size>4</Size></Contents>",
            IntegrityError,
            "lists 'p2/a': 'p/' was asked for",
        ),
        FailureCase("no size", "<Contents><Key>p/a</Key></Contents>", IntegrityError, "with ''"),
        FailureCase(
            "no number", "<Contents><Key>p/a</Key><Size>x</Size></Contents>", IntegrityError, "'x'"
        ),
        FailureCase(
            "less than nothing",
            "<Contents><Key>p/a</Key><Size>-5</Size></Contents>",
            IntegrityError,
            "'-5'",
        ),
        FailureCase(
            "a number of thousands of digits",
            f"<Contents><Key>p/a</Key><Size>{'9' * 5000}</Size></Contents>",
            IntegrityError,
            "bytes",
        ),
        FailureCase("no key", "<Contents><Size>4</Size></Contents>", IntegrityError, "lists ''"),
        FailureCase("a web page", "<body/>", ConfigurationError, "with a <html>", root="html"),
        FailureCase(
            "an error with status 200",
            "<Code>InternalError</Code>",
            TransientError,
            "200 InternalError",
            root="Error",
        ),
    ],
    ids=lambda case: case.name,
)
def test_what_is_no_page_is_not_taken_for_one(case: FailureCase) -> None:
    with pytest.raises(case.kind, match=case.says):
        read = page(case.inner, case.root)
        assert list(read.entries())
        read.following({"1"})


def test_a_document_type_is_refused() -> None:
    bomb = b"<!DOCTYPE x [<!ENTITY a 'aaaa'>]><ListBucketResult>&a;</ListBucketResult>"
    with pytest.raises(IntegrityError, match="DOCTYPE"):
        Page(bomb, "", "s3://b")
