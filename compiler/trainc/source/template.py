"""Jinja2 templates to text: the only room that knows Jinja2.

In: a template, values, and the folder it may include from. Out: text, and for each of its lines
the line of the template that wrote it. Rendering is a pure function in a sandbox: no clock, no
random, no file outside the folder; what is not defined is an error; work is counted in steps.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from typing import Any, Final, NamedTuple

from jinja2 import BaseLoader, StrictUndefined, TemplateNotFound, nodes
from jinja2.exceptions import SecurityError, TemplateError, TemplateSyntaxError, UndefinedError
from jinja2.runtime import Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from trainc.errors import Mark, Problem
from trainc.source.bounded import called, compared, filtered, operated
from trainc.source.budget import MAX_BYTES, STEP, Budget, Limit
from trainc.source.flow import Flow, Use
from trainc.source.lines import MARKER, line_marks
from trainc.source.trace import depth, told_at

_Read = Callable[[str], str | None]

MAX_DEPTH: Final = 32
"""Includes and imports inside one another."""

_UNSTABLE: Final = ("lipsum",)  # globals that differ from run to run
_ADDRESS: Final = re.compile(r"(<[^<>\n]*) at 0x[0-9a-f]{6,}>")
_MARKED: Final = 8  # markers make a text longer
_NAMES: Final = "templates see values and env, and what they {% set %} or {% import %}"
_NO_ELSE: Final = "an if without else says nothing here"
_HINT: Final = "set it under values: in trainc.yaml or an overlay, or with --set"
_BOOLEANS: Final = frozenset(["y", "yes", "on", "n", "no", "off"])


class Delimiters(NamedTuple):
    """What begins and ends the three kinds of tags."""

    block: tuple[str, str] = ("{%", "%}")
    variable: tuple[str, str] = ("{{", "}}")
    comment: tuple[str, str] = ("{#", "#}")


class Rendered(NamedTuple):
    """What a template became.

    Attributes:
        text: The text.
        lines: Where each line of it was written.
        uses: Which values each line of a template takes.
    """

    text: str
    lines: tuple[Mark, ...]
    uses: Mapping[tuple[str, int], tuple[Use, ...]]


def render(
    name: str,
    read: Callable[[str], str | None],
    variables: Mapping[str, Any],
    delimiters: Delimiters,
) -> Rendered | Problem:
    """Renders a template.

    Args:
        name: The template, as it is printed and as ``read`` knows it.
        read: Gives the text of a template by its name, None where there is none.
        variables: What templates can name: ``values``, ``env``.
        delimiters: Where tags begin and end.
    """
    plain = _Environment(read, variables, delimiters, marking=False)
    try:
        text = _text(plain, name)
        marked = _text(_Environment(read, variables, delimiters, marking=True), name, marking=True)
    except TemplateSyntaxError as error:
        return Problem(error.message or "no template", Mark(error.name or name, error.lineno, 1))
    except UndefinedError as error:
        hint = _HINT if str(error).startswith("no value") else _NAMES
        hint = "write: x if y else z" if str(error) == _NO_ELSE else hint
        return Problem(str(error), _line(error, plain, name), hint=hint)
    except TemplateNotFound as error:
        message = f"no template {error.name!r}: it is looked for in the project and templates/"
        return Problem(message, _line(error, plain, name))
    except (TemplateError, Limit) as error:
        return Problem(str(error), _line(error, plain, name))
    except RecursionError as error:
        return Problem("includes or macros without end", _line(error, plain, name))
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        return Problem(f"cannot be evaluated: {error}", _line(error, plain, name))
    except MemoryError as error:
        return Problem("takes more memory than there is", _line(error, plain, name))
    lines = line_marks(text, marked, name)
    if found := _ADDRESS.search(text):
        message = f"{found[1]}> has no text for a manifest: it differs from run to run"
        return Problem(message, lines[text.count("\n", 0, found.start())])
    return Rendered(text, lines, plain.flow.uses())


def _text(environment: _Environment, name: str, *, marking: bool = False) -> str:
    """Renders piece by piece, so that the limit on bytes holds while the text grows."""
    pieces, size = [], 0
    rendering = environment.get_template(name).generate()
    for piece in rendering:
        size += len(piece)
        if size > MAX_BYTES * (_MARKED if marking else 1):
            # There, so that the line it came to is told.
            rendering.throw(Limit(f"renders more than {MAX_BYTES >> 20} MiB"))
        pieces.append(piece)
    return "".join(pieces)


def _line(error: BaseException, environment: _Environment, name: str) -> Mark:
    """The line of a template that an error is told at."""
    return told_at(error, environment.read, environment.seen, name)


class _Undefined(StrictUndefined):
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
    def __init__(self, read: Callable[[str], str | None], seen: dict[str, int]) -> None:
        self._read, self._seen = read, seen

    def get_source(self, environment: Any, template: str) -> tuple[str, str, Callable[[], bool]]:
        for name in (template, f"templates/{template}"):
            text = self._read(name)
            if text is not None:
                self._seen[name] = len(text)
                return text, name, lambda: True
        raise TemplateNotFound(template)


class _Environment(ImmutableSandboxedEnvironment):
    """A sandbox that counts, and that can mark each piece of text with the line it is from."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(
        self, read: _Read, variables: Mapping[str, Any], delimiters: Delimiters, *, marking: bool
    ) -> None:
        self.seen: dict[str, int] = {}
        self.read = read
        self.flow = Flow()
        self._macros: dict[str, int] = {}
        self._marking, self._budget = marking, Budget(_MARKED if marking else 1)
        super().__init__(
            *delimiters.block, *delimiters.variable, *delimiters.comment,
            trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
            undefined=_Undefined, finalize=self._printed, loader=_Loader(read, self.seen),
            extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"], cache_size=400,
        )  # fmt: skip
        self.globals.update(variables)  # so that macros of other files see them too
        for name in _UNSTABLE:
            del self.globals[name]
        del self.filters["random"]
        self.filters.update(toyaml=_json, tojson=_json)
        for name, function in self.filters.items():
            self.filters[name] = filtered(name, function, self._budget)
        self.filters.update(
            trainc_each=self._budget.each,
            trainc_paid=lambda x: compared(x, self._budget),
            trainc_nothing=self.undefined,
        )

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, filename or name, filename)
        printed = filename or name or ""
        self.flow.read(tree, printed)
        _count(tree)
        for macro in tree.find_all(nodes.Macro):
            self._macros[macro.name] = max(self._macros.get(macro.name, 0), _length(macro))
        if self._marking:
            for output in tree.find_all(nodes.Output):
                output.nodes = list(_marked(output, printed))
        return tree

    def _printed(self, value: Any) -> Any:
        """What an expression prints, paid for: a block that is captured may print for long."""
        self._budget.deep(value)
        return _printed(value)

    def get_template(self, name: Any, parent: str | None = None, globals: Any = None) -> Any:  # noqa: A002
        """Finds a template; counts how deep includes and imports stand in one another."""
        found = super().get_template(name, parent, globals)
        if parent is not None:
            self._budget.pay(STEP + self.seen[found.filename or ""])
            if depth() > MAX_DEPTH:
                raise Limit(f"includes stand deeper in one another than {MAX_DEPTH}")
        return found

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Gets what stands behind a dot: the key of a map before its methods."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def call(self, context: Any, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Calls a function or macro from a template."""
        self._budget.pay(STEP + (self._macros.get(obj.name, 0) if isinstance(obj, Macro) else 0))
        given = called(obj, (*args, *kwargs.values()), self._budget)
        named = dict(zip(kwargs, given[len(args) :], strict=True))
        return super().call(context, obj, *given[: len(args)], **named)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Computes what could become very long."""
        operated(operator, left, right, self._budget)
        return super().call_binop(context, operator, left, right)


def _count(tree: nodes.Template) -> None:
    """Lets the tree pay for what it does beside calls: rounds of loops, ~, comparisons, slices."""
    for loop in tree.find_all(nodes.For):
        cost = nodes.Const(STEP + _length(loop))
        loop.iter = _filter(loop.iter, "trainc_each", cost)
    for comparison in tree.find_all(nodes.Compare):
        operands: tuple[Any, ...] = (comparison, *comparison.ops)
        for operand in operands:
            operand.expr = _filter(operand.expr, "trainc_paid")
    for item in tree.find_all(nodes.Getitem):
        if isinstance(item.arg, nodes.Slice):
            item.node = _filter(item.node, "trainc_paid")
    for choice in tree.find_all(nodes.CondExpr):
        if choice.expr2 is None:  # of which Jinja2 makes an empty text
            choice.expr2 = _filter(nodes.Const(_NO_ELSE, lineno=choice.lineno), "trainc_nothing")
    for concatenation in tree.find_all(nodes.Concat):
        parts = nodes.List(concatenation.nodes, lineno=concatenation.lineno)
        concatenation.nodes = [_filter(parts, "join")]


def _filter(node: Any, name: str, *args: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, list(args), [], None, None, lineno=node.lineno)


def _length(node: nodes.Node) -> int:
    """How many characters of its own a part of a template can print in one round."""
    texts = (text.data for text in node.find_all(nodes.TemplateData))
    values = (each.value for each in node.find_all(nodes.Const))
    return sum(map(len, texts)) + sum(len(each) for each in values if isinstance(each, str))


def _marked(output: nodes.Output, name: str) -> Iterator[nodes.Expr]:
    """The parts of an output, each line of text and each value after a marker of its line."""
    for part in output.nodes:
        if not isinstance(part, nodes.TemplateData):
            yield nodes.TemplateData(MARKER.format(name, part.lineno), lineno=part.lineno)
            yield part
            continue
        for number, line in enumerate(part.data.splitlines(keepends=True), part.lineno):
            yield nodes.TemplateData(MARKER.format(name, number) + line, lineno=part.lineno)


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
