"""The short way: a command whose inputs are as a former run saw them, answered without compiling.

In: the arguments. Out: the exit status, or None where the long way has to be gone: nothing is
remembered, an input changed, the output differs, or there is something to say that only the long
way says. Knows neither click nor the compiler; importing them is most of what a command costs.
"""

from __future__ import annotations

import os
import sys

from trainc.incremental.asked import asked

TYPE_CHECKING = False  # typing's own costs every start 8 ms
if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainc.incremental.memory import Answer


def recall(args: Sequence[str]) -> Answer | None:
    """What a former run said to the same question, None where nobody knows."""
    question = asked(args)
    if question is None:
        return None
    from trainc.incremental.store import Store, location

    folder = location(os.environ)
    if folder is None or not os.path.isdir(folder):
        return None
    from trainc.incremental.memory import recalled

    return recalled(Store(folder), question)


def tell(args: Sequence[str], answer: Answer) -> int | None:
    """Says it again, and returns the exit status; None where there is more to do than to say."""
    question = asked(args)
    if question is None or not _holds(question.command, answer):
        return None
    if question.command == "build" and not question.quiet and _is_terminal():
        return None  # a person is told what was done
    if not answer.problems and not question.telling:
        return 0
    from trainc.cli.report import Report
    from trainc.incremental.memory import problems

    report = Report(args)
    if report.hosted and answer.problems:
        return None  # where the files are in the repository is asked for on the long way
    report.listen(0, question.quiet)
    report.add(problems(answer))
    if report.failed:
        return None
    try:
        report.save()
    except OSError:
        return None
    report.close()
    return 0


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _holds(command: str, answer: Answer) -> bool:
    """Whether nothing is left to do: the output folder is what the answer says."""
    if command == "validate":
        return True
    from trainc.incremental.fresh import gone, is_fresh, is_linked

    folders = [os.path.join(answer.folder, env or "") for env, _ in answer.environments]
    if is_linked([answer.folder, *folders]):
        return False
    if answer.known is not None and gone(answer.folder, answer.known):
        return False
    return all(
        is_fresh(answer.folder if env is None else os.path.join(answer.folder, env), index)
        for env, index in answer.environments
    )
