"""Slips of the hand are near, other words are not."""

import pytest

from trainc.lint.near import distance


@pytest.mark.parametrize(
    ("one", "two", "want"),
    [
        ("gpu", "gpu", 0),
        ("gpu", "gpus", 1),
        ("nvidia", "nvida", 1),
        ("data", "dtaa", 1),
        ("kitten", "sitting", 3),
        ("", "abc", 3),
        ("a" * 100, "b" * 100, 64),
        ("a" * 99, "a" * 99, 0),
    ],
)
def test_distance(one: str, two: str, want: int) -> None:
    assert distance(one, two) == distance(two, one) == want
