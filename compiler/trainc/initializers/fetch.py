"""The fetch of one URI, step by step.

In: a ``Config``. Out: the target filled, and its manifest; or the failure. Nothing is asked of the
network where the manifest says that all of it is there.
"""

from __future__ import annotations

import hashlib
import logging
import os
from dataclasses import dataclass
from functools import partial
from typing import Any

from trainc.initializers import manifest
from trainc.initializers.aside import aside
from trainc.initializers.config import Config
from trainc.initializers.failure import (
    ConfigurationError,
    NotFoundError,
    PermissionDeniedError,
)
from trainc.initializers.globs import glob_hint
from trainc.initializers.journal import Found, Journal, read_journal
from trainc.initializers.manifest import Finished, Identity, Manifest, read_manifest
from trainc.initializers.paths import check_paths, check_source, is_ours, stale
from trainc.initializers.patterns import Selection, select, selection
from trainc.initializers.progress import Progress, amount
from trainc.initializers.provider import (
    DatasetProvider,
    Listing,
    Provider,
    Remote,
    RemoteFile,
    provider_of,
)
from trainc.initializers.redact import REDACTOR
from trainc.initializers.retry import Patience
from trainc.initializers.site import Site
from trainc.initializers.target import Target, disk_error
from trainc.initializers.transfer import transfer

_JOURNAL = "journal"
_PREVIOUS = "previous.json"
_WRITING = "complete.json"
_HIDDEN = 4  # hexadecimal digits

_logger = logging.getLogger(__name__)


def fetch(config: Config, progress: Progress) -> None:
    """Fetches what the config describes, unless it is there.

    Raises:
        FetchError: of the kind that fits.
    """
    provider, opened = provider_of(config)
    wanted = selection(config)
    identity = _identity(config, provider, wanted)
    target = Target(config.target)
    if _complete(target, identity, config):
        return
    remote = _open(opened, config)
    if remote is None:
        return
    try:
        with target.locked(config.retry_max_seconds):
            if _complete(target, identity, config):  # another initializer did it meanwhile
                target.clean()
            else:
                _Fetch(config, target, remote, identity, progress).run(wanted)
    except OSError as error:
        raise disk_error(error, f"writing to {target.folder}") from error


def _open(opened: DatasetProvider, config: Config) -> Remote | None:
    """What the URI names.

    Raises:
        FetchError: of the kind that fits: what a library does not take, a URI or a proxy that is
            none for instance, is configuration.
    """
    try:
        return Patience(config.retry_max_seconds).persist(lambda: opened(config))
    except PermissionError as error:  # of a source that is mounted, say
        raise PermissionDeniedError(f"{error.filename}: {error.strerror}") from error
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{config.uri.text}: {error}") from error


def _identity(config: Config, provider: Provider, wanted: Selection) -> Identity:
    settings: dict[str, Any] = {
        "ancestor": config.ancestor,
        "allow_patterns": list(wanted.allow),
        "ignore_patterns": list(wanted.ignore),
    }
    if wanted.weights:
        settings["weights"] = "one form"
    given = {name: config.environ[name] for name in provider.identity if config.environ.get(name)}
    for name, text in given.items():
        settings[name.lower()] = REDACTOR.redact(text)
    uri = REDACTOR.redact(config.uri.text)
    hidden = [text for text in (config.uri.text, *given.values()) if REDACTOR.redact(text) != text]
    if hidden:
        settings["hidden"] = _told_apart(hidden)
    return Identity(uri, settings)


def _told_apart(texts: list[str]) -> str:
    """What tells two masked texts apart, and is too short to find out what is behind the mask."""
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogateescape")).hexdigest()[:_HIDDEN]


def _complete(target: Target, identity: Identity, config: Config) -> bool:
    """Whether an earlier fetch of the same was whole, and nobody touched its files since."""
    if config.refresh:
        return False
    held = read_manifest(target.folder / manifest.NAME)
    if held is None or held.identity != identity or not all(map(target.holds, held.files)):
        return False
    size = amount(sum(file.size for file in held.files))
    _logger.info("already there: %d files, %s, in %s", len(held.files), size, target.folder)
    return True


@dataclass(frozen=True)
class _Fetch:
    """One fetch, with the target to itself."""

    config: Config
    target: Target
    remote: Remote
    identity: Identity
    progress: Progress

    def run(self, wanted: Selection) -> None:
        patience = Patience(self.config.retry_max_seconds)
        listing = aside(partial(patience.persist, self.remote.listing))
        files = self._chosen(listing, wanted)
        self._invalidate()
        found = read_journal(self.target.partial / _JOURNAL)
        journal = Journal(self.target.partial / _JOURNAL, self.identity)
        try:
            if found.identity != self.identity:
                found.begun(self.identity)
            same, others = self._earlier(files, found)
            kept = self._kept(files, same)
            left = [file for file in files if file.path not in kept]
            replaced = [each for each in (*others, *same.values()) if each.path not in kept]
            self._make_room(left, found, replaced)
            self._begin(files, kept, found)
            site = Site(self.remote, self.target, journal, self.progress, patience, found.ranges)
            done = transfer(site, left, self.config.concurrency)
        finally:
            journal.close()
            self.progress.clear()
        self._complete(listing, [*kept.values(), *done])

    def _chosen(self, listing: Listing, wanted: Selection) -> list[RemoteFile]:
        """The files to have in the end."""
        uri = self.identity.uri
        check_source(listing.files, uri)
        data = [file for file in listing.files if not is_ours(file.path)]
        if not data:
            raise NotFoundError(f"there is nothing at {uri}{glob_hint(uri)}")
        files = select(data, wanted)
        if not files:
            raise NotFoundError(
                f"none of the {len(data)} files at {uri} is left by the patterns: "
                f"allow {','.join(wanted.allow) or 'all'}, "
                f"ignore {','.join(wanted.ignore) or 'none'}"
            )
        check_paths(files)
        return files

    def _invalidate(self) -> None:
        """From here on the target is not whole; what it holds is remembered."""
        complete = self.target.folder / manifest.NAME
        if complete.exists():
            os.replace(complete, self.target.partial / _PREVIOUS)

    def _earlier(
        self, files: list[RemoteFile], found: Found
    ) -> tuple[dict[str, Finished], list[Finished]]:
        """What this fetch and others left here; removes what is not wanted any more."""
        same = dict(found.finished)
        others = found.others
        previous = read_manifest(self.target.partial / _PREVIOUS)
        if previous is not None and previous.identity == self.identity:
            same = {**{file.path: file for file in previous.files}, **same}
        elif previous is not None:
            others = [*others, *previous.files]
        for file in stale([*others, *same.values()], files):
            self.target.remove(file)
        return same, others

    def _kept(self, files: list[RemoteFile], same: dict[str, Finished]) -> dict[str, Finished]:
        """The files that need not be fetched."""
        return {
            file.path: same[file.path]
            for file in files
            if file.path in same and self._is_there(file, same[file.path])
        }

    def _is_there(self, file: RemoteFile, done: Finished) -> bool:
        if not file.version or (file.version, file.size) != (done.version, done.size):
            return False
        if self.target.holds(done):
            return True
        name = self.target.part_name(file)
        if not self.target.part_holds(name, done):
            return False
        self.target.place(name, done.path)
        return True

    def _make_room(self, left: list[RemoteFile], found: Found, replaced: list[Finished]) -> None:
        """Makes sure that what is left to be fetched fits."""
        names = {self.target.part_name(file): file.size or 0 for file in left}
        self.target.sweep(names.keys() & found.ranges.keys())
        needed = sum(max(0, size - self.target.taken(name)) for name, size in names.items())
        self.target.check_space(needed, replaced)

    def _begin(self, files: list[RemoteFile], kept: dict[str, Finished], found: Found) -> None:
        """Says what is to come."""
        total = sum(file.size or 0 for file in files)
        there = sum(file.size for file in kept.values())
        for file in files:
            if file.path not in kept:
                spans = found.ranges.get(self.target.part_name(file), ())
                there += min(file.size or 0, sum(end - start for start, end in spans))
        self.progress.begin(total, len(files), there, len(kept))
        _logger.info(
            "fetching %d files, %s, from %s to %s; %d files, %s, are there already",
            *(len(files), amount(total), self.identity.uri, self.target.folder),
            *(len(kept), amount(there)),
        )

    def _complete(self, listing: Listing, files: list[Finished]) -> None:
        """Says, as the last thing, that the target is whole."""
        files.sort(key=lambda file: file.path)
        self.target.check_whole(files)
        writing = self.target.partial / _WRITING
        Manifest(self.identity, listing.revision, files).write(writing)
        os.replace(writing, self.target.folder / manifest.NAME)
        self.target.clean()
        size = amount(sum(file.size for file in files))
        _logger.info("complete: %d files, %s, in %s", len(files), size, self.target.folder)
