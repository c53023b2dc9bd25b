"""Answers by inputs: what a compile said, for the next run that asks the same of the same files.

Two steps, because which files count is known only after they were read once: the words of a
command lead to the places a former run looked at, and what these hold now leads to its answer.
"""

from __future__ import annotations

import json
from hashlib import sha256

from trainc.incremental.key import key
from trainc.incremental.trace import Trace

TYPE_CHECKING = False  # typing's own costs every start 8 ms
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from trainc.errors import Problem
    from trainc.incremental.asked import Asked
    from trainc.incremental.store import Store

    # Of one environment: text of each file, SHA-256 of each source, real paths of the sources of
    # each file.
    Texts = tuple[Mapping[str, str], Mapping[str, str], Mapping[str, Sequence[str]]]


class Answer:
    """What a compile said.

    Attributes:
        environments: Name, None where there are none -> SHA-256 of its folder's index.
        known: All environments of the project, None where a run without them all cannot tell.
        problems: What was found, as plain lists; no error among them.
        folder: Folder of the output as it is named in messages.
        texts: Digest of the files' texts, empty where there are none.
    """

    __slots__ = ("environments", "folder", "known", "problems", "texts")

    def __init__(
        self,
        environments: list[tuple[str | None, str]],
        known: list[str] | None,
        problems: list[list[Any]],
        folder: str = "",
        texts: str = "",
    ) -> None:
        """Takes what is to be remembered."""
        self.environments, self.known, self.problems = environments, known, problems
        self.folder, self.texts = folder, texts


def recalled(store: Store, asked: Asked) -> Answer | None:
    """The answer to a command line, None where there is none or the inputs are others."""
    name = key(asked, asked.out_dir)
    places = store.get(f"{name}.places")
    if places is None:
        return None
    trace = Trace(*json.loads(places))
    found = store.get(f"{_answer(name, trace.digest())}.answer")
    return None if found is None else Answer(*json.loads(found))


def keep(
    store: Store, asked: Asked, folders: list[str | None], trace: Trace, seen: str, answer: Answer
) -> None:
    """Remembers an answer under each of the ways to name its output folder.

    Args:
        store: Where to.
        asked: The command line.
        folders: Values of ``--out-dir`` that mean the folder, None for none at all.
        trace: What was looked at.
        seen: The digest of what there was to see.
        answer: What came of it.
    """
    places = json.dumps(trace.as_list()).encode()
    fields = [getattr(answer, field) for field in ("environments", "known", "problems")]
    said = json.dumps([*fields, answer.folder, answer.texts]).encode()
    for folder in folders:
        name = key(asked, folder)
        # The places come last: what they lead to is there before them.
        if store.put(f"{_answer(name, seen)}.answer", said):
            store.put(f"{name}.places", places)
    store.prune()


def texts_of(store: Store, digest: str) -> list[Texts] | None:
    """Of each environment what its files are; None where lost."""
    import zlib

    data = store.get(f"{digest}.texts") if digest else None
    if data is None:
        return None
    found: list[Texts] = json.loads(zlib.decompress(data))
    return found


def keep_texts(store: Store, texts: Sequence[Texts]) -> str:
    """Remembers the texts by their digest, and returns it; empty where that failed."""
    import zlib

    data = json.dumps(texts, ensure_ascii=False).encode("utf-8", "surrogatepass")
    digest = sha256(data).hexdigest()
    return digest if store.put(f"{digest}.texts", zlib.compress(data, 1)) else ""


def plain(found: Iterable[Problem]) -> list[list[Any]]:
    """Problems as JSON holds them."""
    return [[each.message, each.code, each.mark and each.mark[:3], *each[3:]] for each in found]


def problems(answer: Answer) -> list[Problem]:
    """The problems of an answer."""
    return [problem(each) for each in answer.problems]


def problem(found: Sequence[Any]) -> Problem:
    """A problem from what ``plain`` made of it."""
    from trainc.errors import Mark, Problem

    message, code, mark, *rest, jobs, environments = found
    place = None if mark is None else Mark(*mark)
    restored = Problem(message, code, place, *rest)
    return restored._replace(jobs=tuple(jobs), environments=tuple(environments))


def _answer(name: str, seen: str) -> str:
    return sha256(f"{name}{seen}".encode()).hexdigest()
