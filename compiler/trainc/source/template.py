"""Jinja2 templates to text: the only room that knows Jinja2.

In: a template, values, and the folder it may include from. Out: text, and for each of its lines
the line of the template that wrote it. Rendering is a pure function in a sandbox: no clock, no
random, no file outside the folder; what is not defined is an error; work is counted in steps.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from jinja2 import BaseLoader, StrictUndefined, TemplateNotFound, nodes
from jinja2.exceptions import SecurityError, TemplateError, TemplateSyntaxError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from trainc.errors import Mark, Problem
from trainc.source.lines import MARKER, Use, line_marks, uses

MAX_STEPS: Final = 1_000_000
"""Rounds of loops and calls of macros and functions, all templates of one rendering together."""
MAX_BYTES: Final = 16 << 20
MAX_DEPTH: Final = 32
"""Includes and imports inside one another."""

_WIDTH: Final = 10_000
_UNSTABLE: Final = ("lipsum",)  # globals that differ from run to run
_WIDE: Final = re.compile(r"\d{5,}")


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


class Limit(Exception):  # noqa: N818  # a limit reached is the user's mistake, reported as one
    """A template does more than a template of manifests ever has to."""


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
    plain = _Environment(read, delimiters, marking=False)
    try:
        text = _text(plain, name, variables)
        marked = _text(_Environment(read, delimiters, marking=True), name, variables, marking=True)
    except TemplateSyntaxError as error:
        return Problem(error.message or "no template", Mark(error.name or name, error.lineno, 1))
    except UndefinedError as error:
        return Problem(str(error), _line(error, plain, name), hint=_HINT)
    except TemplateNotFound as error:
        message = f"no template {error.name!r}: it is looked for in the project and templates/"
        return Problem(message, _line(error, plain, name))
    except (TemplateError, Limit) as error:
        return Problem(str(error), _line(error, plain, name))
    except RecursionError as error:
        return Problem("includes or macros without end", _line(error, plain, name))
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        return Problem(f"cannot be evaluated: {error}", _line(error, plain, name))
    return Rendered(text, line_marks(text, marked, name), plain.uses)


_HINT: Final = "set it under values: in trainc.yaml or an overlay, or with --set"


def _text(
    environment: _Environment, name: str, variables: Mapping[str, Any], marking: bool = False
) -> str:
    """Renders piece by piece, so that the limit on bytes holds while the text grows."""
    pieces, size = [], 0
    rendering = environment.get_template(name).generate(**variables)
    for piece in rendering:
        size += len(piece)
        if size > MAX_BYTES * (8 if marking else 1):
            # There, so that the line it came to is told.
            rendering.throw(Limit(f"renders more than {MAX_BYTES >> 20} MiB"))
        pieces.append(piece)
    return "".join(pieces)


def _line(error: BaseException, environment: _Environment, name: str) -> Mark:
    """The innermost line of a template that an error came through."""
    place = Mark(name)
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file in environment.seen:
            place = Mark(file, trace.tb_lineno, 1)
        trace = trace.tb_next
    return place


class _Undefined(StrictUndefined):
    """Says which name is missing, and which ones there are."""

    @property
    def _undefined_message(self) -> str:
        given = self._undefined_obj
        if not isinstance(given, Mapping):
            return f"{self._undefined_name!r} is not defined"
        known = ", ".join(sorted(map(str, given))[:12]) or "nothing"
        return f"no value {self._undefined_name!r}; there is: {known}"


class _Loader(BaseLoader):
    def __init__(self, read: Callable[[str], str | None], seen: set[str]) -> None:
        self._read, self._seen = read, seen

    def get_source(self, environment: Any, template: str) -> tuple[str, str, Callable[[], bool]]:
        for name in (template, f"templates/{template}"):
            text = self._read(name)
            if text is not None:
                self._seen.add(name)
                return text, name, lambda: True
        raise TemplateNotFound(template)


class _Environment(ImmutableSandboxedEnvironment):
    """A sandbox that counts, and that can mark each piece of text with the line it is from."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def __init__(
        self, read: Callable[[str], str | None], delimiters: Delimiters, *, marking: bool
    ) -> None:
        self.seen: set[str] = set()
        self.uses: dict[tuple[str, int], tuple[Use, ...]] = {}
        self._marking, self._steps = marking, 0
        super().__init__(
            *delimiters.block, *delimiters.variable, *delimiters.comment,
            trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
            undefined=_Undefined, finalize=_printed, loader=_Loader(read, self.seen),
            extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"], cache_size=400,
        )  # fmt: skip
        for name in _UNSTABLE:
            del self.globals[name]
        del self.filters["random"]
        self.filters.update(toyaml=_json, tojson=_json, trainc_steps=self._counted)
        for name in ("center", "indent", "format", "wordwrap"):
            self.filters[name] = _bounded(self.filters[name])

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, filename or name, filename)
        printed = filename or name or ""
        self.uses.update(uses(tree, printed))
        for loop in tree.find_all(nodes.For):
            loop.iter = nodes.Filter(
                loop.iter, "trainc_steps", [], [], None, None, lineno=loop.lineno
            )
        if self._marking:
            for output in tree.find_all(nodes.Output):
                output.nodes = list(_marked(output, printed))
        return tree

    def _counted(self, items: Any) -> Iterator[Any]:
        for item in items:
            self._step()
            yield item

    def _step(self) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise Limit(f"takes more than {MAX_STEPS} steps of loops and calls")

    def get_template(self, name: Any, parent: str | None = None, globals: Any = None) -> Any:  # noqa: A002
        """Finds a template; counts how deep includes and imports stand in one another."""
        if parent is not None:
            self._step()
            if _depth() > MAX_DEPTH:
                raise Limit(f"includes stand deeper in one another than {MAX_DEPTH}")
        return super().get_template(name, parent, globals)

    def call(self, context: Any, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Calls a function or macro from a template."""
        self._step()
        if isinstance(getattr(obj, "__self__", None), str):
            _refuse_wide((*args, *kwargs.values()))
            if getattr(obj, "__name__", "") == "format" and _WIDE.search(obj.__self__):
                raise SecurityError(f"a field wider than {_WIDTH}")
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Computes what could become very long."""
        if operator == "%" and isinstance(left, str) and _WIDE.search(left):
            raise SecurityError(f"a field wider than {_WIDTH}")
        if operator == "**" and (abs(left) > 1 << 64 or abs(right) > 64):
            raise SecurityError("a power too large for a manifest")
        sized = next((x for x in (left, right) if isinstance(x, str | list | tuple)), None)
        times = right if sized is left else left
        repeats = operator == "*" and sized is not None and isinstance(times, int)
        if repeats and len(sized or ()) * times > MAX_BYTES:
            raise Limit(f"renders more than {MAX_BYTES >> 20} MiB")
        return super().call_binop(context, operator, left, right)


def _depth() -> int:
    """How many templates are being rendered inside one another."""
    depth, frame = 0, sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        depth += frame.f_code.co_name == "root"
    return depth


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
    if isinstance(value, int | float):
        return value
    if isinstance(value, StrictUndefined):
        return str(value)
    raise SecurityError(f"{type(value).__name__} has no text for a manifest")


def _json(value: Any, indent: int | None = None) -> str:
    """A value as JSON, which is YAML on one line."""
    if isinstance(value, StrictUndefined):
        return str(value)
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _bounded(function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, for widths a manifest could need."""

    def bounded(*args: Any, **kwargs: Any) -> Any:
        _refuse_wide((*args, *kwargs.values()))
        if any(isinstance(arg, str) and "%" in arg and _WIDE.search(arg) for arg in args[:1]):
            raise SecurityError(f"a field wider than {_WIDTH}")
        return function(*args, **kwargs)

    bounded.__dict__.update(vars(function))
    return bounded


def _refuse_wide(values: tuple[Any, ...]) -> None:
    if any(isinstance(value, int) and abs(value) > _WIDTH for value in values):
        raise SecurityError(f"a width over {_WIDTH}")
