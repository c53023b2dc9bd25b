"""What a scheme has to offer: the interface between the providers and the transfer.

A new scheme is a new file in ``providers/`` with a ``PROVIDER``; nothing else is edited, except the
schemes in ``trainc.names`` by which the compiler's lint knows what an image can do.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from trainc.initializers import providers
from trainc.initializers.config import Config
from trainc.initializers.digest import Digest
from trainc.initializers.failure import ConfigurationError, FetchError
from trainc.storage.schemes import canonical, suggestion

# What a remote hands out: bytes that live until the next one is asked for.
Chunk = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of the remote, as its listing describes it.

    Attributes:
        path: Where it belongs, relative to the target, with slashes.
        key: What the remote calls it.
        size: Bytes, None where the remote does not say.
        version: Etag, commit, time of change: equal versions are equal bytes. Empty where unknown.
        digest: What its bytes must hash to, None where the remote does not say (yet).
        ranges: Whether a part of it can be asked for.
    """

    path: str
    key: str
    size: int | None
    version: str = ""
    digest: Digest | None = None
    ranges: bool = True


@dataclass(frozen=True)
class Listing:
    """What a URI names: the files, and the revision they are of (empty where there are none)."""

    files: list[RemoteFile]
    revision: str = ""


class Remote(Protocol):
    """A place that files can be fetched from. Its methods are called from many threads."""

    def listing(self) -> Listing:
        """Everything the URI names.

        Raises:
            FetchError: of the kind that fits.
        """
        ...

    def inspect(self, file: RemoteFile) -> RemoteFile:
        """The file with the cheapest digest the remote has of it; itself where it has no other."""
        ...

    def read(self, file: RemoteFile, start: int, end: int | None) -> Iterator[Chunk]:
        """The bytes from ``start`` to ``end`` (without it; None is the file's end), in order.

        Raises:
            FetchError: of the kind that fits; a stream that ends early may just end.
        """
        ...


# A file with all its bytes, or why they cannot be had.
Arrived = tuple[RemoteFile, "bytearray | FetchError"]
Arrivals = Generator["Arrived | None", None, None]


@runtime_checkable
class ManyRemote(Remote, Protocol):
    """A remote that gives many small files with less work than one by one."""

    def read_many(self, files: Iterator[RemoteFile], connections: Callable[[], int]) -> Arrivals:
        """Each file, as it comes in; now and then None, while nothing comes.

        A file is taken from the iterator when there are fewer connections than are allowed at the
        moment; one always is.
        """
        ...


DatasetProvider = Callable[[Config], "Remote | None"]
ModelProvider = Callable[[Config], "Remote | None"]


@dataclass(frozen=True)
class Provider:
    """One scheme, or a few that are served alike.

    Attributes:
        schemes: As they stand before ``://``.
        dataset: Opens what a dataset's URI names, None where the scheme knows no datasets. It may
            return None: then all is done and nothing is to be fetched.
        model: The same for models.
        identity: The settings (variables) which, besides the URI, decide what is fetched.
        needs: The packages of the extra that are imported when the scheme is used.
    """

    schemes: tuple[str, ...]
    dataset: DatasetProvider | None = None
    model: ModelProvider | None = None
    identity: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


def discover() -> dict[str, Provider]:
    """Every scheme with its provider, in the order of the alphabet."""
    found: dict[str, Provider] = {}
    for module in pkgutil.iter_modules(providers.__path__):
        if module.name.endswith("_test"):
            continue
        provider = importlib.import_module(f"{providers.__name__}.{module.name}").PROVIDER
        found.update(dict.fromkeys(provider.schemes, provider))
    return dict(sorted(found.items()))


def provider_of(config: Config) -> tuple[Provider, DatasetProvider]:
    """The provider of the URI's scheme, and what it opens the URI with.

    Raises:
        ConfigurationError: if no provider serves the scheme for this ancestor; names those that do.
    """
    scheme = config.uri.scheme
    for found in (_named(scheme), discover()):
        served = {
            name: (provider, opened)
            for name, provider in found.items()
            if (opened := provider.dataset if config.ancestor == "dataset" else provider.model)
        }
        if scheme in served:
            return served[scheme]
    meant = suggestion(scheme, served)
    raise ConfigurationError(
        f"no provider fetches a {config.ancestor} from {scheme}://"
        f"{meant and f' (did you mean {meant}://?)'}; known: {', '.join(served)}"
    )


def _named(scheme: str) -> dict[str, Provider]:
    """The provider in the file of that name, so that not all need be read in; else nothing."""
    names = {module.name for module in pkgutil.iter_modules(providers.__path__)}
    if (name := canonical(scheme)) not in names:
        return {}
    provider = importlib.import_module(f"{providers.__name__}.{name}").PROVIDER
    return {scheme: provider} if scheme in provider.schemes else {}
