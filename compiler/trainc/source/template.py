"""Jinja2 templates to text.

In: templates, values, and the folder they may include from. Out: text, and for each of its lines
the line of the template that wrote it. Rendering is a pure function in a sandbox: no clock, no
random, no file outside the folder; what is not defined is an error; all work is paid for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Final, NamedTuple

from jinja2 import TemplateNotFound
from jinja2.exceptions import TemplateError, TemplateSyntaxError, UndefinedError

from trainc import codes
from trainc.budget import UNITS, Budget, LimitError
from trainc.errors import Mark, Problem, TraincError
from trainc.source.counting import NO_ELSE
from trainc.source.flow import Flow, Use
from trainc.source.lines import line_marks
from trainc.source.sandbox import Read, Sandbox
from trainc.source.trace import told_at

MAX_BYTES: Final = 16 << 20
"""Letters that one template may render to."""

_LINE: Final = 300  # units of a rendered line: its text and its place are kept
_ADDRESS: Final = re.compile(r"(<[^<>\n]*) at 0x[0-9a-f]{6,}>")
_MARKED: Final = 8  # markers make a text longer
_SPARE: Final = 1 << 17  # units for them
_NAMES: Final = "templates see values and env, and what they {% set %} or {% import %}"
_HINT: Final = "set it under values: in trainc.yaml or an overlay, or with --set"


class Delimiters(NamedTuple):
    """What begins and ends the three kinds of tags."""

    block: tuple[str, str] = ("{%", "%}")
    variable: tuple[str, str] = ("{{", "}}")
    comment: tuple[str, str] = ("{#", "#}")


class Rendered:
    """What a template became.

    Attributes:
        text: The text.
        flow: Which values each line of the templates takes that took part.
        units: What rendering it cost.
    """

    def __init__(
        self, text: str, flow: Flow, units: int, lines: Callable[[], tuple[Mark, ...]]
    ) -> None:
        """Takes what says where the lines were written; it is asked when somebody wants to know."""
        self.text, self.flow, self.units = text, flow, units
        self._lines = lines

    @cached_property
    def lines(self) -> tuple[Mark, ...]:
        """Where each line of the text was written."""
        return self._lines()

    @property
    def uses(self) -> Mapping[tuple[str, int], tuple[Use, ...]]:
        """Which values each line of a template takes."""
        return self.flow.uses()


class Templates:
    """The templates of a project, each compiled once, rendered with the same values."""

    def __init__(
        self,
        read: Read,
        variables: Mapping[str, Any],
        delimiters: Delimiters,
        budget: Budget | None = None,
    ) -> None:
        """Takes what they are read with and what they can name.

        Args:
            read: Gives the text of a template by its name, None where there is none.
            variables: What templates can name: ``values``, ``env``.
            delimiters: Where tags begin and end.
            budget: What is left of the build; by default one of their own.
        """
        self._read = read
        self._budget = budget or Budget()
        self._plain = Sandbox(read, variables, delimiters, self._budget, marking=False)
        self._spare = Budget(0)
        self._marking = Sandbox(read, variables, delimiters, self._spare, marking=True)

    def render(self, name: str) -> Rendered | Problem:
        """Renders the template that is printed as ``name`` and that ``read`` knows by it."""
        before = self._budget.left
        try:
            text = _text(self._plain, name, MAX_BYTES)
            self._budget.pay(_LINE * text.count("\n"))
        except TemplateSyntaxError as error:
            return Problem(
                error.message or "no template",
                codes.TEMPLATE,
                Mark(error.name or name, error.lineno, 1),
            )
        except Exception as error:  # whatever a template makes Python or Jinja2 say
            if isinstance(error, TraincError) and not isinstance(error, LimitError):
                raise
            return _problem(error, told_at(error, self._read, self._plain.seen, name))
        units = before - self._budget.left
        flow = Flow.joined(map(self._plain.flows.get, self._plain.used))
        rendered = Rendered(text, flow, units, lambda: self._lines(name, text, units))
        if found := _ADDRESS.search(text):
            message = f"{found[1]}> has no text for a manifest: it differs from run to run"
            return Problem(
                message, codes.TEMPLATE, rendered.lines[text.count("\n", 0, found.start())]
            )
        return rendered

    def _lines(self, name: str, text: str, units: int) -> tuple[Mark, ...]:
        """Where the lines were written, by a second rendering that marks what it prints.

        It takes about as much work as the first. One that takes far more, since it can see the
        marks, is given up: then every line is one of the template, whichever.
        """
        self._spare.left = min(2 * units, UNITS) + _SPARE
        try:
            marked = _text(self._marking, name, _MARKED * MAX_BYTES)
        except Exception:  # the text is there; only its places are not
            marked = ""
        return line_marks(text, marked, name)


def _text(sandbox: Sandbox, name: str, most: int) -> str:
    """Renders piece by piece, so that the limit on bytes holds while the text grows."""
    pieces, size = [], 0
    sandbox.used.clear()
    rendering = sandbox.get_template(name).generate()
    for piece in rendering:
        size += len(piece)
        if size > most:
            # There, so that the line it came to is told.
            rendering.throw(LimitError(f"renders more than {MAX_BYTES >> 20} MiB"))
        pieces.append(piece)
    return "".join(pieces)


def render(
    name: str,
    read: Callable[[str], str | None],
    variables: Mapping[str, Any],
    delimiters: Delimiters,
    budget: Budget | None = None,
) -> Rendered | Problem:
    """Renders one template; the arguments are those of ``Templates``."""
    return Templates(read, variables, delimiters, budget).render(name)


def _problem(error: Exception, mark: Mark) -> Problem:
    """What went wrong at a line of a template, and how to fix it."""
    text, hint = str(error), ""
    if isinstance(error, LimitError):
        mark = error.problems[0].mark or mark
    if isinstance(error, UndefinedError):
        hint = _HINT if text.startswith("no value") else _NAMES
        hint = "write: x if y else z" if text == NO_ELSE else hint
    elif isinstance(error, TemplateNotFound):
        text = f"no template {error.name!r}: it is looked for in the project and templates/"
    elif isinstance(error, LimitError):
        hint = error.hint
    elif isinstance(error, RecursionError):
        text = "includes or macros without end, or nested too deeply"
    elif isinstance(error, MemoryError):
        text = "takes more memory than there is"
    elif not isinstance(error, TemplateError):
        text = f"cannot be evaluated: {text}"
    return Problem(text, codes.TEMPLATE, mark, hint=hint)
