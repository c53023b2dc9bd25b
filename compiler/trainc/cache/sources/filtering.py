"""Row filters: Iceberg's filter language, for every kind of source.

In: ``a > 5 and b = 'x'`` and a schema. Out: an Arrow expression over the table's column names, and
which columns it reads.
"""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.expressions import BooleanExpression
from pyiceberg.expressions.parser import parse
from pyiceberg.expressions.visitors import bind, extract_field_ids
from pyiceberg.io.pyarrow import expression_to_pyarrow, pyarrow_to_schema
from pyiceberg.schema import Schema
from pyiceberg.types import NestedField


@dataclass(frozen=True)
class RowFilter:
    """An expression and the columns it reads."""

    expression: pc.Expression
    columns: tuple[str, ...]

    def keep(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The rows that pass, as one batch."""
        kept = pa.Table.from_batches([batch]).filter(self.expression).combine_chunks()
        return kept.to_batches()[0] if kept.num_rows else batch.slice(0, 0)


def of_iceberg(text: str, schema: Schema) -> RowFilter:
    """The filter over an Iceberg schema.

    Raises:
        ValueError: The text is no filter, or names a column that is not there.
    """
    return _bound(parse_filter(text), schema)


def of_arrow(text: str, schema: pa.Schema) -> RowFilter:
    """The filter over the flat columns of an Arrow schema.

    Raises:
        ValueError: As ``of_iceberg``.
    """
    fields: list[NestedField] = []
    for number, field in enumerate(schema, start=1):
        marked = field.with_metadata({b"PARQUET:field_id": str(number).encode()})
        try:
            fields.extend(pyarrow_to_schema(pa.schema([marked])).fields)
        except (TypeError, ValueError):
            continue  # a type Iceberg does not have cannot be filtered on
    return _bound(parse_filter(text), Schema(*fields))


def parse_filter(text: str) -> BooleanExpression:
    """Read a filter.

    Raises:
        ValueError: The text is no filter.
    """
    try:
        return parse(text)
    except Exception as error:  # the parser's exceptions are no ValueErrors
        place = getattr(error, "loc", 0)
        known = "=, !=, <, <=, >, >=, in, between, is null, is nan, like, and, or, not"
        raise ValueError(
            f"row filter {text!r}: not understood from character {place + 1} on; known: {known}"
        ) from None


def _bound(expression: BooleanExpression, schema: Schema) -> RowFilter:
    bound = bind(schema, expression, case_sensitive=True)
    ids = sorted(extract_field_ids(bound))
    names = [schema.find_column_name(i) or "" for i in ids]
    columns = dict.fromkeys(name.split(".")[0] for name in names)
    return RowFilter(expression_to_pyarrow(bound, schema), tuple(columns))
