"""The templates of a project: found, rendered, and asked where a rendered value came from."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from trainc import codes
from trainc.budget import JOB, Budget
from trainc.errors import Mark, Problem, TraincError
from trainc.names import TRAIN_JOB
from trainc.project.file import TEMPLATES, Project
from trainc.source.composed import ComposedDocument, Origin, RenderedMark
from trainc.source.document import Document, pack
from trainc.source.files import File, read
from trainc.source.flow import Flow
from trainc.source.ignore import compiled, ignored
from trainc.source.projects import is_project
from trainc.source.reader import MAX_BYTES, RefusedError
from trainc.source.source import from_bytes
from trainc.source.values import Values
from trainc.source.walk import forbidden, printable, refused

if TYPE_CHECKING:
    from trainc.source.template import Templates

MAX_OBJECTS: Final = 20_000
"""Objects that the templates of an environment may make together."""
SUFFIXES: Final = (".yaml.j2", ".yml.j2")
# How the reader of YAML tells of a second place.
_OTHER_LINE: Final = re.compile(r"(first set at |\bof line )(\d+)")


class Rendering:
    """Renders a project's templates with one environment's values."""

    def __init__(self, project: Project, values: Values, env: str, budget: Budget) -> None:
        """Takes what templates see (``values``, the environment's name as ``env``) and may do."""
        self._project = project
        self.values = values
        self._variables: dict[str, Any] = {"values": values.tree, "env": env}
        self._budget = budget
        self._templates: Templates | None = None
        self._flows: list[Flow] = []
        self._made = 0

    def files(self, place: str, exclude: Sequence[str]) -> list[File]:
        """The templates below a place, by name; one that begins with ``_`` is for others to use.

        Args:
            place: A folder, relative to the project or absolute.
            exclude: Patterns of what is not read.

        Raises:
            TraincError: A folder below templates/ cannot be read, or leads out of the repository;
                its jobs would be missing.
        """
        root = os.path.realpath(self._project.root)

        def stop(error: OSError) -> None:
            absent = isinstance(error, FileNotFoundError | NotADirectoryError)
            if place == TEMPLATES and not absent:  # of other places the search for files tells
                name = printable(os.path.relpath(error.filename, root))
                raise TraincError([refused(error, name)]) from error

        rules = compiled(root, exclude, "trainc.yaml", []) if exclude else []
        found, seen = [], set[str]()
        top = os.path.join(root, place)
        if not self._may_open(top, place == TEMPLATES):
            return []
        for folder, folders, files in os.walk(top, onerror=stop, followlinks=True):
            if (real := os.path.realpath(folder)) in seen:
                folders.clear()
                continue
            seen.add(real)
            folders[:] = sorted(
                name
                for name in folders
                if not name.startswith(".")
                and not ignored(os.path.join(folder, name), True, rules)
                and self._may_open(os.path.join(folder, name), place == TEMPLATES)
                and not is_project(os.path.join(folder, name))
            )
            for name in files:
                path = os.path.join(folder, name)
                if not name.endswith(SUFFIXES) or name[0] in "._" or ignored(path, False, rules):
                    continue
                if self._may_open(path, place not in self._project.sources):
                    found.append(File(path, printable(os.path.relpath(path, root)), True))
        return sorted(found, key=lambda file: file.name)

    def _may_open(self, path: str, wanted: bool) -> bool:
        """Whether a path may be opened.

        Raises:
            TraincError: It may not, and is wanted.
        """
        reader = self._project.reader
        try:
            reader.check(path, reader.boundary(self._project.root))
        except RefusedError as error:
            if not wanted:
                return False
            root = os.path.realpath(self._project.root)
            name = printable(os.path.relpath(path, root))
            raise TraincError([forbidden(error, name)]) from error
        return True

    def documents(self, file: File, problems: list[Problem]) -> tuple[bytes, list[Document]]:
        """The template's own bytes and the documents it renders to.

        Args:
            file: The template.
            problems: Takes what is wrong, each at a line of a template.

        Raises:
            TraincError: The template, or one it includes, is no UTF-8, or does too much.
        """
        data = read(file, reader=self._project.reader)
        if isinstance(data, Problem):
            problems.append(data)
            return b"", []
        before = self._budget.left
        rendered = self._all().render(file.name)
        if isinstance(rendered, Problem):
            problems.append(rendered)
            if self._budget.is_spent:
                raise TraincError(problems)
            return data, []
        self._flows.append(rendered.flow)
        origin = Origin(file.name, lambda: rendered.lines, rendered.text)
        found: list[Problem] = []
        text = rendered.text.encode("utf-8", "surrogatepass")
        parsed = from_bytes(text, file, found, self._budget)
        problems += [_at_template(problem, origin) for problem in found]
        self._count(parsed, before - self._budget.left, file)
        documents: list[Document] = [
            ComposedDocument((origin,), d.index, d.root, d.marks, d.place, rendered.text)
            for d in parsed
        ]
        return data, documents

    def _all(self) -> Templates:
        """The project's templates; a project without any must not pay for Jinja2."""
        if self._templates is None:
            from trainc.source.template import Delimiters, Templates

            delimiters = Delimiters(**self._project.delimiters)
            self._templates = Templates(self._text, self._variables, delimiters, self._budget)
        return self._templates

    def _count(self, documents: Sequence[Document], units: int, file: File) -> None:
        """Gives back what a template has cost for the jobs it made; stops where they are too many.

        Raises:
            TraincError: There are more objects than anybody writes.
        """
        jobs = sum(document.kind == TRAIN_JOB for document in documents)
        self._budget.earn(min(units, JOB * jobs))
        self._made += len(documents)
        if self._made > MAX_OBJECTS:
            message = f"templates make more than {MAX_OBJECTS} objects"
            hint = "split the project"
            raise TraincError([Problem(message, codes.TEMPLATE, Mark(file.name), hint=hint)])

    def explained(self, problem: Problem) -> Problem:
        """The problem; at a place in a template also what that became, and from which values."""
        mark = problem.mark
        key = (mark.file, mark.line) if mark else ("", 0)
        parts = [problem.hint] if problem.hint else []
        if isinstance(mark, RenderedMark) and mark.rendered.strip():
            parts.append(f"rendered: {_short(mark.rendered.strip())}")
        flow = next((each for each in self._flows if key in each), None)
        for use in flow.uses()[key] if flow is not None else ():
            origin = self.values.mark(use)
            if origin is not None:
                parts.append(f"values.{'.'.join(use)} comes from {origin}")
        return problem._replace(hint="; ".join(parts))

    def _text(self, name: str) -> str | None:
        """A template's text by its name relative to the project; None where there is none.

        Raises:
            RefusedError: It may not be opened.
        """
        reader, root = self._project.reader, os.path.realpath(self._project.root)
        try:
            data = reader.read(os.path.join(root, name), reader.boundary(root))
        except OSError:
            return None
        if len(data) > MAX_BYTES:
            raise RefusedError(f"is larger than {MAX_BYTES >> 20} MiB", "split the file")
        return _decoded(data, name)


def _decoded(data: bytes, name: str) -> str:
    """The text of a template; bytes that are none must not become other letters unseen."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        mark = Mark(name, data.count(b"\n", 0, error.start) + 1, 1)
        problem = Problem(
            f"no UTF-8: {error.reason}", codes.TEMPLATE, mark, hint="save the file as UTF-8"
        )
        raise TraincError([problem]) from error


def _at_template(problem: Problem, origin: Origin) -> Problem:
    mark = problem.mark
    if mark is None or mark.line == 0:
        return problem
    place: Mark = origin.mark(pack(mark.line, mark.column))

    def written(other: re.Match[str]) -> str:
        """Another place that the message names, as one of the template."""
        at = origin.mark(pack(int(other[2]), 1))
        file = "" if at.file == place.file else f"{at.file}:"
        return f"{other[1]}{file}{at.line}"

    return problem._replace(message=_OTHER_LINE.sub(written, problem.message), mark=place)


def _short(line: str) -> str:
    """A line as a hint shows it."""
    return line if len(line) <= _WIDEST else f"{line[:_WIDEST]} ..."


_WIDEST = 200
