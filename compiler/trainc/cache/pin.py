"""``trainc cache pin``: writes the snapshot a source has now into the TrainJob that caches it.

In: the text of a YAML file. Out: the same text with ``SNAPSHOT_ID`` set in
``spec.initializer.dataset.env``: only the lines concerned change, so comments and layout stay.
Where the table is asked of a catalog and the file names a metadata file too, that is brought up to
date, because an older one does not know the snapshot.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from trainc import codes, names
from trainc.cache.settings import source
from trainc.cache.sources.source import Source
from trainc.errors import Mark, Problem, TraincError


class Pin(NamedTuple):
    """What was found for one TrainJob."""

    job: str
    table: str
    snapshot: str

    def __str__(self) -> str:
        """The finding as a line of text."""
        return f"{self.job}: {self.table} is at snapshot {self.snapshot}"


def pinned(text: str, file: str, environ: Mapping[str, str] = os.environ) -> tuple[str, list[Pin]]:
    """The text with every cache pinned to what its source has now.

    Args:
        text: A YAML stream.
        file: Its name, for messages.
        environ: Credentials and catalogs; the job's own env goes before it.

    Raises:
        TraincError: Not YAML, no TrainJob with a cache, a source that cannot be asked, or an env
            written in a way that cannot be edited in place.
    """
    pins: list[Pin] = []
    for number in range(len(_documents(text, file))):
        # Parsed anew for each job: an edit moves the lines below it.
        document = _documents(text, file)[number]
        dataset = _cached_dataset(document)
        if dataset is not None:
            wanted, values = _asked(dataset, file, environ)
            job = str(document.get("metadata", {}).get("name", ""))
            pins.append(Pin(job, wanted.name, values[names.SNAPSHOT_ID_ENV]))
            for name, value in values.items():
                dataset = _cached_dataset(_documents(text, file)[number]) or dataset
                text = _checked(_with_env(text, dataset, name, value), number, name, value, file)
    if not pins:
        raise TraincError(
            [Problem("no TrainJob with a cache:// dataset here", codes.EDIT, Mark(file))]
        )
    return text, pins


def _documents(text: str, file: str) -> list[Any]:
    try:
        return list(YAML(typ="rt").load_all(text))
    except YAMLError as error:
        hint = "a template cannot be pinned: pin the file that gives its values"
        raise TraincError(
            [Problem(f"not YAML: {error}", codes.EDIT, Mark(file), hint=hint)]
        ) from None


def _cached_dataset(document: Any) -> CommentedMap | None:
    """``spec.initializer.dataset`` of a TrainJob, where it is a cache."""
    if not isinstance(document, CommentedMap) or document.get("kind") != names.TRAIN_JOB:
        return None
    found: Any = document
    for key in ("spec", "initializer", "dataset"):
        found = found.get(key) if isinstance(found, CommentedMap) else None
    if not isinstance(found, CommentedMap):
        return None
    uri = str(found.get("storageUri", ""))
    return found if uri.startswith(("cache://", "cache+")) else None


def _asked(
    dataset: CommentedMap, file: str, environ: Mapping[str, str]
) -> tuple[Source, dict[str, str]]:
    """The source, and the env values that pin it."""
    own = {name: str(entry["value"]) for name, entry in _entries(dataset) if "value" in entry}
    told = {**environ, **own, names.CACHE_SOURCE_ENV: str(dataset["storageUri"])}
    place = Mark(file, dataset.lc.line + 1, dataset.lc.col + 1)
    try:
        wanted = replace(source(told), snapshot="")
    except TraincError as error:
        raise TraincError([problem._replace(mark=place) for problem in error.problems]) from None
    try:
        if wanted.kind != "iceberg":
            from trainc.cache.sources.files import current_snapshot

            return wanted, {names.SNAPSHOT_ID_ENV: current_snapshot(wanted)}
        from trainc.cache.sources.iceberg import current_snapshot as current

        asked = replace(wanted, location="") if wanted.catalog else wanted
        snapshot, metadata = current(asked)
    except Exception as error:
        raise TraincError([Problem(f"{wanted.name}: {error}", codes.EDIT, place)]) from None
    values = {names.SNAPSHOT_ID_ENV: snapshot}
    if wanted.catalog and names.METADATA_LOC_ENV in own:
        values[names.METADATA_LOC_ENV] = metadata
    return wanted, values


def _entries(dataset: CommentedMap) -> Iterator[tuple[str, CommentedMap]]:
    env = dataset.get("env")
    for entry in env if isinstance(env, CommentedSeq) else ():
        if isinstance(entry, CommentedMap) and "name" in entry:
            yield entry["name"], entry


def _with_env(text: str, dataset: CommentedMap, name: str, value: str) -> str:
    """The text with one env variable set, by changing a value or adding lines."""
    lines = text.splitlines(keepends=True)
    entry = dict(_entries(dataset)).get(name)
    if entry is not None and "value" in entry:
        line, column = entry.lc.value("value")
        lines[line] = _replaced(lines[line], column, value)
        return "".join(lines)
    env = dataset.get("env")
    if isinstance(env, CommentedSeq) and env:
        line = env.lc.item(len(env) - 1)[0]
        indent = _indent(lines[line])
        at = _end_of_item(lines, line, indent)
    else:
        line, column = dataset.lc.key("storageUri")
        indent, at = " " * column, line + 1
        lines.insert(at, f"{indent}env:{_end(lines[line])}")
        at += 1
    end = _end(lines[line])
    lines[at - 1] = lines[at - 1].rstrip("\r\n") + end
    lines.insert(at, f'{" " * len(indent)}- name: {name}{end}{indent}  value: "{value}"{end}')
    return "".join(lines)


def _replaced(line: str, column: int, value: str) -> str:
    """The line with the scalar that begins at ``column`` replaced; what follows it stays."""
    rest = line[column:]
    if rest[:1] in "\"'":
        tail = rest[rest.index(rest[0], 1) + 1 :]
    else:
        word = rest.partition(" #")[0].rstrip()
        tail = rest[len(word) :]
    return f'{line[:column]}"{value}"{tail}'


def _end_of_item(lines: list[str], line: int, indent: str) -> int:
    """The line after a list item: the first that is indented no deeper than its dash."""
    at = line + 1
    while at < len(lines) and lines[at].strip() and len(_indent(lines[at])) > len(indent):
        at += 1
    return at


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" "))]


def _end(line: str) -> str:
    return "\r\n" if line.endswith("\r\n") else "\n"


def _checked(text: str, number: int, name: str, value: str, file: str) -> str:
    """The text, once it is certain that it says what it should.

    Raises:
        TraincError: It does not: env is written in a way that lines cannot be added to.
    """
    try:
        dataset = _cached_dataset(list(YAML(typ="rt").load_all(text))[number])
        entries = dict(_entries(dataset)) if dataset is not None else {}
        if entries[name]["value"] == value:
            return text
    except (YAMLError, KeyError, IndexError):
        pass
    message = f"cannot write {name} here"
    hint = "write spec.initializer.dataset.env as a list with one item a line, or as nothing"
    raise TraincError([Problem(message, codes.EDIT, Mark(file), hint=hint)])
