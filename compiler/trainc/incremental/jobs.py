"""Jobs that a former run compiled from the same bytes, in a run where something else changed.

In: what was read. Out: problems and output files of every TrainJob whose file is as it was, and the
rest to compile. A job's result depends on its own file and on what all jobs share: the command's
words and the compiler (``key``), the environment, runtimes, overlays, rules. Where one of the
latter changes, every job is compiled again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from trainc.errors import Mark, Problem
from trainc.incremental.asked import Asked
from trainc.incremental.key import key
from trainc.incremental.memory import plain, problem, texts_of
from trainc.incremental.store import Store
from trainc.manifest.path import path
from trainc.names import TRAIN_JOB
from trainc.pipeline import Options, Read
from trainc.plan.plan import Object
from trainc.source.document import Document
from trainc.source.files import File, read

# Paths of a job's output files, and its problems as JSON holds them.
_Job = tuple[list[str], list[list[Any]]]


class Record(NamedTuple):
    """What is kept of a run.

    Attributes:
        texts: Digest of the output files' texts, empty where there are none.
        number: Which of the environments under that digest this is.
        jobs: Every job without an error, by what it was made from.
    """

    texts: str
    number: int
    jobs: Mapping[str, _Job]


class Jobs:
    """The jobs of one environment: those that are known, and notes of those that are not."""

    def __init__(self, context: str, digests: Mapping[str, str], record: Record) -> None:
        """Takes what the jobs share, the digests of their files, and what a former run made."""
        self._context, self._digests, self._record = context, digests, record
        self._kept: dict[str, _Job] = {}
        self._rendered: dict[str, str] = {}

    def said(self, document: Document) -> Sequence[Problem] | None:
        """The problems of a job that needs no second compile; None where it needs one."""
        name = self._name(document)
        known = self._record.jobs.get(name)
        if known is None:
            return None
        self._kept[name] = known
        return [problem(each) for each in known[1]]

    def note(
        self, document: Document, objects: Sequence[Object], problems: Sequence[Problem]
    ) -> None:
        """Takes what came of a job that was compiled now.

        A place in a template says more than JSON holds: such a job is compiled each time.
        """
        name = self._name(document)
        if name and all(type(each.mark) in (Mark, type(None)) for each in problems):
            self._kept[name] = ([path(each) for each in objects], plain(problems))

    def files(self) -> Iterator[str]:
        """The output files of the jobs that were known."""
        for name, (paths, _) in self._kept.items():
            if name in self._record.jobs:
                yield from paths

    def origins(self) -> dict[str, tuple[str, ...]]:
        """Printed name of the source of each of these files."""
        return {
            path: (name.split(":", 3)[3],)
            for name, (paths, _) in self._kept.items()
            if name in self._record.jobs
            for path in paths
        }

    def texts(self, store: Store) -> dict[str, str] | None:
        """The texts of these files; None where they were lost meanwhile."""
        files = [*self.files()]
        found = texts_of(store, self._record.texts) if files else []
        if found is None:
            return None
        known = found[self._record.number][0] if found else {}
        return {name: known[name] for name in files} if known.keys() >= {*files} else None

    def keep(self, store: Store, texts: str, number: int) -> None:
        """Remembers all jobs for the next run."""
        record = Record(texts, number, self._kept)
        store.put(f"{self._context}.jobs", json.dumps(record).encode("utf-8", "surrogatepass"))

    def _name(self, document: Document) -> str:
        """What a job was made from, in one line; empty where that cannot be said."""
        digest = self._digests.get(document.file)
        if digest is None:
            return ""
        place = f"{document.index}:{document.place}:{document.file}"
        return f"{digest}{_rendered(document, self._rendered)}:{place}"


def jobs(store: Store, asked: Asked, options: Options, read: Read) -> Jobs:
    """What a former run knows of the jobs that were read.

    Args:
        store: Where it is kept.
        asked: The command line.
        options: What the build is told, of one environment.
        read: What was read with them.
    """
    context = _context(asked, options, read)
    data = store.get(f"{context}.jobs")
    record = Record("", 0, {}) if data is None else Record(*json.loads(data))
    return Jobs(context, read.digests, record)


def _context(asked: Asked, options: Options, read: Read) -> str:
    """A digest of everything that jobs share."""
    from trainc.lint.settings import rule_files

    seen: dict[str, str] = {}
    documents = read.source.documents
    others = [document for document in documents if document.kind != TRAIN_JOB]
    others += [document for library in read.libraries for document in library]
    shared = {document.file for document in others}
    own = {document.file for document in documents} - shared
    parts = [key(asked, None), options.env or "", options.status_ca or ""]
    parts += [f"{name}\0{read.digests[name]}" for name in sorted({*read.digests} - own)]
    parts += [f"{each.file}\0{_rendered(each, seen)}" for each in others if each.text is not None]
    rules = [_bytes(str(file)) for file in rule_files(options.project)]
    known = sha256()
    for part in [*(text.encode("utf-8", "surrogatepass") for text in parts), *rules]:
        known.update(b"%d\0" % len(part) + part)
    return known.hexdigest()


def _bytes(path: str) -> bytes:
    """What a file holds; of one that cannot be read, why: that is told elsewhere."""
    data = read(File(path, path, True))
    return data if isinstance(data, bytes) else str(data).encode("utf-8", "surrogateescape")


def _rendered(document: Document, seen: dict[str, str]) -> str:
    """The digest of the text that a template became, empty where there is none."""
    text = document.text
    if text is None:
        return ""
    if text not in seen:
        seen[text] = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return seen[text]
