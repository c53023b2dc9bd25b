"""A file with objects of older APIs, written anew.

In: a file. Out: its text with the objects of today in their place, comments with them; or what has
no counterpart, and then nothing is written. The rest of the file stays letter by letter.
"""

from __future__ import annotations

from typing import NamedTuple

from trainc.edit.migration.work import Options, plan_of, wanted
from trainc.edit.migration.writer import Writer, json_text, list_of
from trainc.edit.outline import UnreadableError, outlines
from trainc.edit.text import Text
from trainc.edit.verify import refused, verify
from trainc.errors import Problem


class Migrated(NamedTuple):
    """What became of a file.

    Attributes:
        text: The whole text; the old one where there is nothing to do, or a problem.
        objects: The objects that were written anew, ``Kind/name``.
        problems: What has no counterpart, as errors; what to look after, as warnings.
    """

    text: str
    objects: tuple[str, ...]
    problems: tuple[Problem, ...]


def migrated(text: Text, options: Options) -> Migrated:
    """The file in today's API.

    Args:
        text: The file.
        options: How to migrate.

    Raises:
        TraincError: The file is written in a way that cannot be edited.
    """
    from ruamel.yaml.error import YAMLError

    plan = plan_of(text.documents, options)
    if not plan.works or any(problem.severity == "error" for problem in plan.problems):
        return Migrated(text.text, (), plan.problems)
    roots = []
    for document in text.documents:
        works = [work for work in plan.works if work.place.document is document]
        roots += wanted(document, works, options)
    has_jobs = any(work.objects for work in plan.works)
    new = json_text(text.text, roots) if has_jobs else None
    if new is not None:
        roots = roots if len(roots) == 1 else [list_of(roots)]
    else:
        try:
            new = Writer(text.text, outlines(text.text), options).text(plan.works)
        except (UnreadableError, YAMLError, RecursionError) as error:
            raise refused(text) from error
    verify(text, new, roots)
    labels = tuple(work.place.label for work in plan.works)
    return Migrated(new, labels, plan.problems)
