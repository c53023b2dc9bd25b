"""Columns as they are served: plain types, the table's names, in the table's order.

In: batches as files hold them. Out: batches of one schema. Dictionaries are decoded and large
offsets made small, because one Arrow IPC file holds one dictionary per column, and because a batch
of 1 to 2 MB needs no 64-bit offsets.
"""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

_SMALL = {
    pa.large_string(): pa.string(),
    pa.large_binary(): pa.binary(),
    pa.string_view(): pa.string(),
    pa.binary_view(): pa.binary(),
}


def plain(schema: pa.Schema) -> pa.Schema:
    """The schema with plain types and without field metadata; the table's own metadata is kept."""
    return pa.schema([_plain_field(f) for f in schema], metadata=schema.metadata)


def plain_type(kind: pa.DataType) -> pa.DataType:
    """A type without dictionaries, views and large offsets, at any depth."""
    if pa.types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if pa.types.is_run_end_encoded(kind):
        return plain_type(kind.value_type)
    if pa.types.is_struct(kind):
        return pa.struct([_plain_field(kind.field(i)) for i in range(kind.num_fields)])
    if pa.types.is_map(kind):
        return pa.map_(plain_type(kind.key_type), _plain_field(kind.item_field))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_plain_field(kind.value_field), kind.list_size)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(_plain_field(kind.value_field))
    return _SMALL.get(kind, kind)


def conform(
    batch: pa.RecordBatch,
    schema: pa.Schema,
    names: Mapping[str, str],
    constants: Mapping[str, str | None],
) -> pa.RecordBatch:
    """The batch with the schema's columns.

    Args:
        batch: Rows of a file.
        schema: Columns wanted.
        names: Column wanted -> the file's name for it; a column that is missing here is null.
        constants: Column wanted -> the value it has in all rows of the file.

    Raises:
        ValueError: A value does not fit the wanted type, or the constant; names the column.
    """
    columns = [_column(batch, field, names, constants) for field in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _column(
    batch: pa.RecordBatch,
    field: pa.Field,
    names: Mapping[str, str],
    constants: Mapping[str, str | None],
) -> pa.Array:
    there = batch.column(names[field.name]) if field.name in names else None
    try:
        if there is not None and there.type != field.type:
            there = there.cast(field.type)
        if field.name not in constants:
            return pa.nulls(batch.num_rows, field.type) if there is None else there
        value = pa.scalar(constants[field.name], pa.string()).cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ValueError(f"column {field.name}: {error}") from error
    if there is None:
        return pa.repeat(value, batch.num_rows)
    if not _all_are(there, value):
        raise ValueError(f"column {field.name}: the folder says {value}, the file has other values")
    return there


def _all_are(column: pa.Array, value: pa.Scalar) -> bool:
    """Whether every row has that value, null included."""
    if not value.is_valid:
        return int(column.null_count) == len(column)
    differs = pc.sum(pc.not_equal(column, value)).as_py() or 0
    return int(column.null_count) == 0 and int(differs) == 0


def _plain_field(field: pa.Field) -> pa.Field:
    # ARROW:extension:* metadata travels with the type; everything else (field ids of Parquet, docs)
    # would make the schemas of two files differ.
    return pa.field(field.name, plain_type(field.type), field.nullable)
