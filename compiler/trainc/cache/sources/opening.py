"""Which module surveys and reads which kind of source; imports it only when asked for."""

import pyarrow as pa

from trainc.cache.sources.source import Reader, Source, Survey


def survey(source: Source) -> Survey:
    """What a source holds now.

    Raises:
        OSError: It is not there or not readable.
        ValueError: It does not have the snapshot, columns or rows asked for.
    """
    if source.kind == "iceberg":
        from trainc.cache.sources import iceberg

        return iceberg.survey(source)
    from trainc.cache.sources import files

    return files.survey(source)


def open_reader(source: Source, table: pa.Schema) -> Reader:
    """The reader of a definite source; ``table`` as the survey gave it.

    Raises:
        OSError: Its metadata is not readable.
        ValueError: As ``survey``.
    """
    if source.kind == "iceberg":
        from trainc.cache.sources import iceberg

        return iceberg.open_reader(source)
    from trainc.cache.sources import files

    return files.FilesReader.of(source, table)
