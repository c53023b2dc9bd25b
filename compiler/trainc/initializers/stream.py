"""A range of a file as it comes in, whatever the connection does meanwhile.

In: a remote and a range. Out: its chunks, in order and without a gap: a connection that breaks is
opened again where it stopped, for as long as patience lasts.
"""

from __future__ import annotations

from collections.abc import Callable

from trainc.initializers.failure import IntegrityError, TransientError
from trainc.initializers.provider import Chunk, Remote, RemoteFile
from trainc.initializers.retry import Patience, Retry, Stopped


def stream(
    remote: Remote,
    file: RemoteFile,
    span: tuple[int, int | None],
    patience: Patience,
    take: Callable[[int, Chunk], None],
) -> int:
    """Hands the bytes of ``span`` to ``take`` with their place; returns where they ended.

    A remote that knows no ranges starts again at 0, and so do the places ``take`` is called with.

    Raises:
        FetchError: where the remote fails for good, or sends more than was asked for.
    """
    start, end = span
    position = start
    retry = Retry(patience)
    while True:
        try:
            for chunk in remote.read(file, position, end):
                if patience.stop.is_set():
                    raise Stopped
                if end is not None and position + len(chunk) > end:
                    raise IntegrityError(
                        f"{file.key!r} is longer than the {file.size} bytes listed"
                    )
                take(position, chunk)
                position += len(chunk)
                if file.ranges:
                    retry.progressed()
            if end is None or position == end:
                return position
            raise TransientError(f"{file.key!r} broke off at byte {position} of {file.size}")
        except TransientError as error:
            if position == end and error.again:
                return position  # it broke after the last byte: the digest has the last word
            retry.failed(error)
            position = position if file.ranges else start
