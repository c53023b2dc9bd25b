"""What a command says on stderr: problems as text or as one JSON document, and how loud.

In: the problems of a run. Out: stderr, written once, when the command has ended. The form is read
from the raw arguments, because a wrong usage must be reported in it too.
"""

import os
import sys
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from trainc import codes
from trainc.errors import Problem, merged

if TYPE_CHECKING:
    import click

    from trainc.incremental.memory import Answer

_COLORS = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m", "note": "\x1b[1;36m"}
_HOSTED = frozenset({"sarif", "github"})
_RESET = "\x1b[0m"


class Report:
    """Collects problems; prints them when it is closed."""

    def __init__(self, args: Sequence[str], answer: "Answer | None" = None) -> None:
        """Reads the form, the file and what counts as failed from the arguments.

        Args:
            args: The command line.
            answer: What a former run said of the same files.
        """
        self.args, self.answer = args, answer
        self.form = _last(args, "--problems") or "text"
        self.file = _last(args, "--problems-file")
        # Whether stderr is for a program: with a file of its own the form goes there.
        self.json = self.form not in ("text", "") and not self.file
        self.fail_on = _last(args, "--fail-on") or "error"
        # Whether the form is for a code host, which knows files by their place in the repository.
        self.hosted = self.form in _HOSTED
        self.folders: list[str] = []
        # The repository, where a caller knows it: nothing outside of it is read.
        self.root: str | None = None
        self.verbosity = 0
        self.problems: list[Problem] = []
        self._details: list[str] = []

    @property
    def failed(self) -> bool:
        """Whether one of the problems is an error, or as bad as ``--fail-on`` says."""
        bad = _FAILING.get(self.fail_on, _FAILING["error"])
        return any(problem.severity in bad for problem in self.problems)

    @property
    def has_errors(self) -> bool:
        """Whether one of the problems is an error, whatever ``--fail-on`` says."""
        return any(problem.severity == "error" for problem in self.problems)

    def listen(self, verbose: int, quiet: bool) -> None:
        """Sets how much is said; with ``-v`` the log of the compiler goes to stderr too."""
        self.verbosity = -1 if quiet else verbose
        if self.verbosity > 0 and not self.json:
            import logging

            level = logging.DEBUG if self.verbosity > 1 else logging.INFO
            logging.basicConfig(stream=sys.stderr, format="trainc: %(message)s", level=level)

    def add(self, problems: Iterable[Problem]) -> None:
        """Takes problems in the order in which they are to be read, each once.

        Environments are compiled one by one, and most problems are of a file they share: such a
        problem is one, with all its jobs and environments.
        """
        self.problems = merged((*self.problems, *problems))

    def detail(self, text: str) -> None:
        """Takes text for somebody who debugs; JSON has no place for it."""
        self._details.append(text)

    def done(self, text: str) -> None:
        """Takes a line on what was done, for ``-v`` and for a person at a terminal."""
        if self.json or self.verbosity < 0:
            return
        if self.verbosity > 0 or sys.stderr.isatty():
            self.detail(f"{text}\n")

    def usage(self, error: "click.ClickException") -> None:
        """Takes a mistake in the command line, with the way to the help."""
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "trainc"
        if context and type(error).__name__ == "NoArgsIsHelpError" and not self.json:
            self.detail(context.get_help() + "\n")
        else:
            self.add([Problem(error.format_message(), codes.USAGE, hint=f"see '{path} --help'")])

    def stop(self, status: int, why: str) -> int:
        """The exit status of a run ended from outside; JSON says why: it is never silent."""
        if self.json:
            self.add([Problem(why, codes.USAGE)])
        return status

    def save(self) -> None:
        """Writes the file, where one is asked for.

        Raises:
            OSError: It cannot be written.
        """
        if self.file:
            _replace(self.file, self._rendered())

    def close(self) -> None:
        """Prints everything, once.

        Raises:
            OSError: stderr cannot be written.
        """
        sys.stderr.write(self._rendered() if self.json else self._text())
        sys.stderr.flush()

    def _rendered(self) -> str:
        from trainc.report.forms import FORMS, rendered

        problems = self.problems if self.hosted else self._shown()
        if self.hosted:
            from trainc.report.place import in_repository

            problems = in_repository(problems, self.folders)
        return rendered(self.form if self.form in FORMS else "text", problems)

    def _shown(self) -> list[Problem]:
        """The problems, their files named from where the person stands: before ``-C``."""
        from trainc.cli.folder import started

        start = started()
        if start is None or not self.problems:
            return self.problems
        from trainc.cli.place import renamed

        def name(file: str) -> str:
            there = not os.path.isabs(file) and os.path.exists(file)
            return os.path.relpath(file, start).replace(os.sep, "/") if there else file

        return [renamed(problem, name) for problem in self.problems]

    def _text(self) -> str:
        failing = _FAILING.get(self.fail_on, _FAILING["error"])
        heard = [p for p in self._shown() if self.verbosity >= 0 or p.severity in failing]
        colored = _is_colored()
        lines = [_line(problem, colored) + "\n" for problem in heard]
        return "".join([*lines, *self._details, *self._summary(heard)])

    def _summary(self, printed: list[Problem]) -> list[str]:
        """``3 errors, 2 warnings in 4 files``, for a person at a terminal and for ``-v``."""
        if not printed or self.verbosity < 0:
            return []
        if self.verbosity == 0 and not sys.stderr.isatty():
            return []
        return [f"{summary(printed)}\n"]


def summary(problems: Sequence[Problem]) -> str:
    """How many errors, warnings and notes there are, and in how many files."""
    counts = [
        _counted(sum(problem.severity == word for problem in problems), word) for word in _COLORS
    ]
    files = {problem.mark.file for problem in problems if problem.mark}
    place = f" in {_counted(len(files), 'file')}" if files else ""
    return ", ".join(count for count in counts if count) + place


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}" if number else ""


_FAILING = {
    "error": ("error",),
    "warning": ("error", "warning"),
    "note": ("error", "warning", "note"),
}


def _last(args: Sequence[str], option: str) -> str:
    """The value of the last ``option`` before ``--``, empty where there is none."""
    before = list(args[: args.index("--")] if "--" in args else args)
    found = ""
    for word, value in pairwise([*before, ""]):
        if word == option:
            found = value
        elif word.startswith(f"{option}="):
            found = word.partition("=")[2]
    return found


def _replace(path: str, text: str) -> None:
    """Writes a file at once: a reader sees the old report or the new one.

    Where a link leads it is the file there; a device, or a pipe that a program
    reads, is written to and stays one.

    Raises:
        OSError: It cannot be written, or a link in the repository leads out of it.
    """
    from trainc.manifest.writing import write_inside, write_stream
    from trainc.source.reader import Reader

    place, data, reader = os.path.realpath(path), text.encode(), Reader()
    is_inside = not reader.link(path) or reader.boundary(path).holds(place)
    is_stream = os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)
    if is_inside and (path.startswith("/dev/") or is_stream):
        write_stream(path, data)
    else:
        write_inside(path, data)


def _is_colored() -> bool:
    """Whether stderr is a terminal that may show colours (https://no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stderr.isatty()


def _line(problem: Problem, colored: bool) -> str:
    text = _harmless(str(problem))
    if not colored:
        return text
    word = f"{problem.severity}:"
    return text.replace(word, f"{_COLORS[problem.severity]}{word}{_RESET}", 1)


def _harmless(text: str) -> str:
    """The text without what a file under review could use to steer the reader's terminal."""
    if all(line.isprintable() for line in text.split("\n")):
        return text
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
