from dataclasses import dataclass

import click
import pytest

from trainc.cli.build import build
from trainc.cli.check import check
from trainc.cli.validate import validate
from trainc.incremental.asked import FLAGS, asked


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    args: str
    words: str | None
    out_dir: str | None = None


@pytest.mark.parametrize(
    "case",
    [
        TestCase("nothing", "", None),
        TestCase("another command", "status", None),
        TestCase("no option", "check", ""),
        TestCase("what only tells", "check -q --problems json --fail-on=note jobs", "jobs"),
        TestCase("the output", "build --out-dir=out jobs", "jobs", "out"),
        TestCase("a pipe", "build jobs", None),
        TestCase("standard input", "check -", None),
        TestCase("a value like an option", "check --namespace --quiet x", "--namespace --quiet x"),
        TestCase("a value like an output", "check --env --out-dir x", "--env --out-dir x"),
        TestCase("behind a flag", "check --allow-ttl --out-dir x", "--allow-ttl", "x"),
        TestCase("no such form", "check --problems xml", None),
        TestCase("an option without its value", "check --out-dir", None),
        TestCase("loud", "check -vv", None),
        TestCase("no cache", "check --no-cache", None),
        TestCase("fresh Secrets", "build --out-dir x --secrets inline", None),
        TestCase("no output there", "validate --out-dir x", None),
        TestCase("an option nobody knows", "check --new x --out-dir y", "--new x", "y"),
    ],
    ids=lambda case: case.name,
)
def test_words_that_count_are_kept(case: TestCase) -> None:
    found = asked(case.args.split())
    if case.words is None:
        assert found is None
    else:
        assert found is not None
        assert (found.words, found.out_dir) == (case.words.split(), case.out_dir)


@pytest.mark.parametrize("command", [build, check, validate], ids=lambda command: command.name)
def test_every_option_without_a_value_is_known(command: click.Command) -> None:
    told = {"--quiet", "-q", "--verbose", "-v", "--no-cache"}
    flags = [p for p in command.params if isinstance(p, click.Option) and (p.is_flag or p.count)]
    assert {name for option in flags for name in option.opts} - told <= FLAGS
