"""What the cache can hold: Iceberg tables and prefixes of files.

In: a ``Source``. Out: a ``Survey`` (schema, snapshot, numbered pieces) for the head and a
``Reader`` (the rows of a piece) for the loader. ``opening.py`` chooses by kind.
"""
