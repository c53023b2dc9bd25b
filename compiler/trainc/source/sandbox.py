"""The sandbox that templates run in: no clock, no chance, no way out, and all work is paid for.

In: how templates are read, what they can name, and the budget of the build. Out: an environment of
Jinja2 in which compiling and each step of a rendering costs, so that neither can run away.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from typing import Any, Final

from jinja2 import BaseLoader, StrictUndefined, TemplateNotFound, nodes, pass_context
from jinja2.exceptions import SecurityError, TemplateError, TemplateSyntaxError
from jinja2.lexer import Token, TokenStream
from jinja2.runtime import Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from trainc.budget import Budget, LimitError
from trainc.errors import Mark
from trainc.source import counting
from trainc.source.bounded import called, has_method, looked_up, operated, priced, sliced
from trainc.source.flow import Flow
from trainc.source.lines import MARKER
from trainc.source.prices import compared
from trainc.source.reader import RefusedError
from trainc.source.trace import depth

Read = Callable[[str], str | None]

MAX_INCLUDES: Final = 32
"""Includes and imports inside one another."""

MAX_LETTERS: Final = 512 << 10
"""Letters of one template: what compiling it holds in memory is hundreds of times as large."""

# What compiling costs, in units; the first of them come with each letter of a template.
_OF_LETTER: Final = 250
_TOKEN: Final = 1200
_PAIR: Final = 80
_GENERATED: Final = 60  # a letter of the Python that Jinja2 writes
_INCLUDE: Final = 2000
_PER_NAME: Final = 50  # a name that is handed on to what is included
_PRINTED: Final = 60
_AS_JSON: Final = 500

_TOO_DEEP: Final = "tags or expressions are nested too deeply"
_LONG_NUMBER: Final = "a number of more than 4300 digits"
_UNSTABLE: Final = ("lipsum",)  # globals that differ from run to run
_BOOLEANS: Final = frozenset(["y", "yes", "on", "n", "no", "off"])


class Undefined(StrictUndefined):
    """Says which name is missing, and which ones there are."""

    @property
    def _undefined_message(self) -> str:
        given = self._undefined_obj
        if self._undefined_hint:
            return self._undefined_hint
        if given is missing:
            return f"{self._undefined_name!r} is not defined"
        if not isinstance(given, Mapping):
            return f"{type(given).__name__} {given!r:.40} has no {self._undefined_name!r}"
        if self._undefined_name in _BOOLEANS and {"true", "false"} & given.keys():
            return f"no value {self._undefined_name!r}: YAML reads that key as true or false"
        known = ", ".join(sorted(map(str, given))[:12]) or "nothing"
        return f"no value {self._undefined_name!r}; there is: {known}"


class _Loader(BaseLoader):
    def __init__(self, read: Read, seen: dict[str, int]) -> None:
        self._read, self._seen = read, seen

    def get_source(self, environment: Any, template: str) -> tuple[str, str, Callable[[], bool]]:
        for name in (template, f"templates/{template}"):
            try:
                text = self._read(name)
            except RefusedError as error:
                raise TemplateError(f"no template {name!r}: it {error.message}") from None
            if text is not None:
                self._seen[name] = len(text)
                return text, name, lambda: True
        raise TemplateNotFound(template)


class Sandbox(ImmutableSandboxedEnvironment):
    """A sandbox that counts, and that can mark each piece of text with the line it is from.

    Attributes:
        seen: The names of the templates that were read, and how long they are.
        used: Those that the rendering at hand has entered, in order.
        flows: For each template which values it takes.
    """

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def __init__(
        self,
        read: Read,
        variables: Mapping[str, Any],
        delimiters: tuple[tuple[str, str], ...],
        budget: Budget,
        *,
        marking: bool,
    ) -> None:
        """Takes what templates can name, and the delimiters of blocks, variables and comments."""
        self.seen: dict[str, int] = {}
        self.used: dict[str, None] = {}
        self.flows: dict[str, Flow] = {}
        self._names = 0
        self._credit = 0
        self._line = 1  # where compiling has come to
        self._marking, self._budget = marking, budget
        block, variable, comment = delimiters
        super().__init__(
            *block, *variable, *comment,
            trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, optimized=False,
            undefined=Undefined, finalize=self._finalized, loader=_Loader(read, self.seen),
            extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"], cache_size=-1,
        )  # fmt: skip
        self.globals.update(variables)  # so that macros of other files see them too
        for name in _UNSTABLE:
            del self.globals[name]
        self.filters.update(toyaml=_json, tojson=_json)
        self._let_pay("filter", self.filters)
        self._let_pay("test", self.tests)
        self.filters.update(
            {
                counting.PAY: pass_context(lambda _, units: budget.pay(units)),
                counting.EACH: pass_context(lambda _, items, cost: budget.each(items, cost)),
                counting.COMPARED: pass_context(lambda _, value: compared(value, budget)),
                counting.SLICED: pass_context(lambda _, value: sliced(value, budget)),
                counting.NOTHING: pass_context(lambda _, why: self.undefined(why)),
            }
        )

    def _let_pay(self, kind: str, functions: dict[str, Any]) -> None:
        """Puts what pays in the place of filters or tests; what has no price goes."""
        for name, function in list(functions.items()):
            paid = priced(kind, name, function, self._budget)
            if paid is None:
                del functions[name]
            else:
                functions[name] = pass_context(paid)

    # Compiling.

    def compile(self, source: Any, name: Any = None, filename: Any = None, *more: Any) -> Any:
        """Compiles a template; what stops it is told at the line that it came to."""
        self._line = 1
        place = filename or name or ""
        try:
            return super().compile(source, name, filename, *more)
        except LimitError as error:
            mark = Mark(place, self._line, 1)
            raise LimitError(error.message, mark, hint=error.hint) from error
        except (RecursionError, SyntaxError, MemoryError) as error:
            raise TemplateSyntaxError(_unreadable(error), self._line, place, place) from error

    def _spend(self, units: int) -> None:
        """Pays for compiling, as far as a template's length does not."""
        self._credit -= units
        if self._credit < 0:
            self._budget.pay(-self._credit)
            self._credit = 0

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        printed = filename or name or ""
        if len(source) > MAX_LETTERS:
            message = f"a template of more than {MAX_LETTERS >> 10} KiB: split it"
            raise TemplateSyntaxError(message, 1, printed, printed)
        self._credit = _OF_LETTER * len(source) * (2 if self._marking else 1)
        tree = super()._parse(source, printed, filename)
        flow = self.flows[printed] = Flow()
        flow.read(tree, printed)
        counting.count(tree, printed)
        self._line = counting.deepest(tree)
        names = counting.names(tree)
        self._names += names
        self._spend(_PAIR * names * counting.copies(tree))
        if self._marking:
            for output in tree.find_all(nodes.Output):
                output.nodes = list(counting.marked(output, printed, MARKER))
        return tree

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        return TokenStream(self._counted(source, name, filename, state), name, filename)

    def _counted(self, source: str, *place: Any) -> Iterator[Token]:
        """The tokens of a template, each paid for."""
        stream = super()._tokenize(source, *place)
        try:
            for token in stream:
                self._line = token.lineno
                self._spend(_TOKEN)
                yield token
        except ValueError as error:  # a number that Python does not read
            line = stream.current.lineno
            raise TemplateSyntaxError(_LONG_NUMBER, line, *place[:2]) from error

    def _compile(self, source: str, filename: str) -> Any:
        self._spend(_GENERATED * len(source))
        return super()._compile(source, filename)

    def get_template(self, name: Any, parent: str | None = None, globals: Any = None) -> Any:  # noqa: A002
        """Finds a template; counts how deep includes and imports stand in one another."""
        if parent is not None:
            self._budget.pay(_INCLUDE + _PER_NAME * self._names)
            if depth() > MAX_INCLUDES:
                raise LimitError(f"includes stand deeper in one another than {MAX_INCLUDES}")
        found = super().get_template(name, parent, globals)
        self.used[found.filename or ""] = None
        return found

    # Rendering.

    def _finalized(self, value: Any) -> Any:
        """What an expression prints, paid for: a block that is captured may print for long."""
        self._budget.pay(_PRINTED if isinstance(value, str | int) else _AS_JSON)
        self._budget.deep(value)
        return _printed(value)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Whether a template may use an attribute: of plain values only what has a price."""
        return has_method(obj, attr) and super().is_safe_attribute(obj, attr, value)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Gets what stands behind a dot: the key of a map before its methods."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Gets what stands in brackets."""
        looked_up(argument, self._budget)
        return super().getitem(obj, argument)

    def call(self, context: Any, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Calls a function or macro from a template."""
        if isinstance(obj, Macro):
            self._budget.pay(_CALL + _ARGUMENT * (len(args) + len(kwargs)))
        else:
            args = called(obj, args, kwargs, self._budget)
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Computes what could become very long."""
        operated(operator, left, right, self._budget)
        return super().call_binop(context, operator, left, right)


_CALL: Final = 400  # of a macro
_ARGUMENT: Final = 16


def _unreadable(error: Exception) -> str:
    """Why Python cannot read what Jinja2 makes of a template, nor Jinja2 the template."""
    if isinstance(error, SyntaxError) and "nested" not in error.msg:
        return error.msg
    return _TOO_DEEP


def _printed(value: Any) -> Any:
    """A value as YAML takes it; what has no stable text is refused."""
    if isinstance(value, str) or hasattr(value, "__html__"):
        return value
    if value is None or isinstance(value, bool | dict | list | tuple):
        return _json(value)
    if isinstance(value, int) or (isinstance(value, float) and isfinite(value)):
        return value
    if isinstance(value, StrictUndefined):
        return str(value)
    raise SecurityError(f"{type(value).__name__} has no text for a manifest")


def _json(value: Any, indent: int | None = None) -> str:
    """A value as JSON, which is YAML on one line."""
    if isinstance(value, StrictUndefined):
        return str(value)
    return json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False, default=_no_json)


def _no_json(value: Any) -> Any:
    """Stops at what stands in a list or a map and is no JSON."""
    if isinstance(value, StrictUndefined):
        str(value)  # says what is missing
    raise TypeError(f"{type(value).__name__} has no text for a manifest")
