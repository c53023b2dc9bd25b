"""The data files of a location, and what their paths say of their rows.

In: a ``Source`` of files. Out: a ``Listing``. Of a folder these files count: those that ``FILES``
chooses, else those with an ending of the kind, else (no file has one) all. Names that begin with
``_`` or ``.`` never count, nor does an empty object of a store that is the prefix of others: that
is how consoles and Hadoop make a folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from hashlib import blake2b
from typing import Final
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.fs as pafs

from trainc.cache.sources.filesystem import resolve
from trainc.cache.sources.source import Source

ENDINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "parquet": (".parquet", ".parq", ".pq"),
    "csv": (".csv", ".csv.gz", ".csv.bz2", ".csv.lz4", ".csv.zst"),
    "arrow": (".arrow", ".feather", ".ipc"),
    "orc": (".orc",),
}
_NULL: Final = "__HIVE_DEFAULT_PARTITION__"
_NUMBER: Final = re.compile(r"-?[0-9]{1,20}")
_INT32: Final = range(-(2**31), 2**31)
_INT64: Final = range(-(2**63), 2**63)


@dataclass(frozen=True)
class DataFile:
    """One file.

    Attributes:
        path: In its file system.
        size: Bytes.
        changed: When it was last written, nanoseconds since 1970; 0 where nobody knows.
        partition: Column -> its value in all rows, by ``NAME=VALUE`` folders of the path.
    """

    path: str
    size: int
    changed: int
    partition: Mapping[str, str | None]


@dataclass(frozen=True)
class Listing:
    """The files of a location, in the order of their paths.

    Attributes:
        fs: Where they are.
        files: At least one.
        passed_over: Files that are there and do not count, relative to the location; no hidden
            ones.
    """

    fs: pafs.FileSystem
    files: tuple[DataFile, ...]
    passed_over: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """What changes with any path, size or time of the files."""
        digest = blake2b(digest_size=8)
        for file in self.files:
            digest.update(f"{file.path}\0{file.size}\0{file.changed}\n".encode())
        return digest.hexdigest()

    @cached_property
    def partition_types(self) -> Mapping[str, pa.DataType]:
        """The type of each column of the paths: whole numbers where all values are, else text."""
        values: dict[str, set[str]] = {}
        for file in self.files:
            for name, value in file.partition.items():
                values.setdefault(name, set()).update(() if value is None else (value,))
        return {name: _type_of(found) for name, found in sorted(values.items())}


def list_files(source: Source) -> Listing:
    """The files of a source.

    Raises:
        OSError: The location is not there or not readable.
        ValueError: No file counts.
    """
    fs, path = resolve(source.location)
    info = fs.get_file_info(path)
    if info.type == pafs.FileType.NotFound:
        raise FileNotFoundError(f"{source.location}: there is no such file or folder")
    if info.type == pafs.FileType.File and (info.size or not source.is_remote):
        return Listing(fs, (_data_file(info, ""),))
    base = path.rstrip("/")
    found = {
        each.path[len(base) :].lstrip("/"): each
        for each in fs.get_file_info(pafs.FileSelector(path, recursive=True))
        if each.type == pafs.FileType.File
    }
    seen = {name: each for name, each in sorted(found.items()) if not _is_hidden(name)}
    names = _chosen(source, _without_marks(seen))
    if not names:
        wanted = f"{', '.join(source.files)}" if source.files else source.kind
        raise ValueError(f"{source.location}: no {wanted} file")
    rest = tuple(name for name in seen if name not in names)
    return Listing(fs, tuple(_data_file(seen[name], name) for name in names), rest)


def _chosen(source: Source, names: list[str]) -> list[str]:
    """The files that count, of those that are seen."""
    if source.files:
        return [name for name in names if _matches(name, source.files)]
    endings = ENDINGS[source.kind]
    return [name for name in names if name.lower().endswith(endings)] or names


def _matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether the path, or its last part, fits a pattern of the shell."""
    last = name.rpartition("/")[2]
    return any(fnmatchcase(name, each) or fnmatchcase(last, each) for each in patterns)


def _is_hidden(name: str) -> bool:
    return any(part.startswith(("_", ".")) for part in name.split("/"))


def _without_marks(found: Mapping[str, pafs.FileInfo]) -> list[str]:
    """The names without empty objects that stand for a folder."""
    folders = {name.rpartition("/")[0] for name in found}
    folders |= {folder for name in found for folder in _parents(name)}
    return [name for name, info in found.items() if info.size or name not in folders]


def _parents(name: str) -> list[str]:
    parts = name.split("/")[:-1]
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]


def _data_file(info: pafs.FileInfo, name: str) -> DataFile:
    pairs = (part.partition("=") for part in name.split("/")[:-1])
    partition = {key: _value(value) for key, equals, value in pairs if key and equals}
    return DataFile(info.path, info.size or 0, info.mtime_ns or 0, partition)


def _value(text: str) -> str | None:
    return None if text == _NULL else unquote(text)


def _type_of(values: set[str]) -> pa.DataType:
    if not values or not all(_NUMBER.fullmatch(value) for value in values):
        return pa.string()
    numbers = [int(value) for value in values]
    if all(number in _INT32 for number in numbers):
        return pa.int32()
    return pa.int64() if all(number in _INT64 for number in numbers) else pa.string()
