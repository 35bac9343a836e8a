"""A feature table in Parquet as a `tf.data.Dataset`, without TFRecord files between.

Row groups are read by Arrow. Texts cross into TensorFlow as a row group's dictionary
and int32 indices into it, and become strings there: no Python object is made for each.

Why not tensorflow-io's Parquet reader: in 0.37 it knows no lists (histories, tags), and
of a column with nulls it reads [1, null, 3] as [1, 3, 1], without an error. Its object
stores are also not those of Beam's file systems.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf

from preprocessing.arrays.conversion import to_array
from preprocessing.arrays.lists import list_lengths, null_mask, offsets_of
from preprocessing.datasets.feature_types import feature_type
from preprocessing.storage.files import SourceError, find_files
from preprocessing.storage.parquet import open_parquet

Tensors = dict[str, Any]


def read_feature_dataset(
    place: str,
    batch_size: int,
    *,
    columns: Sequence[str] | None = None,
    shuffle_row_groups: int = 0,
    seed: int | None = None,
    drop_remainder: bool = False,
) -> tf.data.Dataset:
    """Batches of a feature table, as `tf.io.parse_example` gives its examples.

    Args:
        place: Folder of Parquet files (`poso features --out`'s `features/`) or one
            file: a path or a URI.
        batch_size: Rows per batch.
        columns: Columns to read; by default all.
        shuffle_row_groups: So many row groups, chosen at random over all files, are
            mixed at a time; 0 keeps the files' order. The engine writes users one after
            the other, 65,536 rows per group: mix several.
        seed: Makes the mixing repeatable; each pass over the data mixes
            differently.
        drop_remainder: Whether to drop a last, smaller batch.

    Returns:
        A dataset of dictionaries. Columns that are never null are dense [batch]:
        int64, float32 or strings. Nullable ones and lists are ragged [batch, None], a
        null being an empty row.

    Raises:
        SourceError: There is no such folder, file or column.
    """
    groups = _row_groups(place)
    schema = _schema(groups[0][0], columns)
    passes = np.random.SeedSequence(seed)

    def blocks() -> Iterator[dict[str, Tensors]]:
        random = None
        if shuffle_row_groups:
            random = np.random.default_rng(passes.spawn(1)[0])
        tables = _tables(groups, schema, max(1, shuffle_row_groups), random)
        for table in _whole_batches(tables, batch_size, drop_remainder):
            yield {field.name: _parts(table[field.name], field) for field in schema}

    def batches(block: dict[str, Tensors]) -> tf.data.Dataset:
        starts = tf.data.Dataset.range(0, _rows(block[schema.names[0]]), batch_size)
        return starts.map(lambda start: _batch(block, start, start + batch_size))

    return (
        tf.data.Dataset.from_generator(
            blocks, output_signature={field.name: _signature(field) for field in schema}
        )
        .prefetch(1)
        .flat_map(batches)
        .prefetch(tf.data.AUTOTUNE)
    )


def _row_groups(place: str) -> list[tuple[str, int]]:
    groups = []
    for file in find_files(place, "*.parquet"):
        with open_parquet(file.path) as opened:
            metadata = opened.metadata
        groups += [
            (file.path, group)
            for group in range(metadata.num_row_groups)
            if metadata.row_group(group).num_rows
        ]
    if not groups:
        raise SourceError(f"the feature table in {place} has no rows")
    return groups


def _schema(path: str, columns: Sequence[str] | None) -> pa.Schema:
    with open_parquet(path) as opened:
        schema = opened.schema_arrow
    for name in columns or ():
        if name not in schema.names:
            raise SourceError(
                f"{path}: column '{name}' is missing. "
                f"Received columns: {', '.join(schema.names)}"
            )
    return pa.schema([schema.field(name) for name in columns or schema.names])


def _tables(
    groups: list[tuple[str, int]],
    schema: pa.Schema,
    mixed: int,
    random: np.random.Generator | None,
) -> Iterator[pa.Table]:
    order = (
        np.arange(len(groups)) if random is None else random.permutation(len(groups))
    )
    at_a_time = max(1, mixed)
    for start in range(0, len(order), at_a_time):
        chosen = [groups[index] for index in order[start : start + at_a_time]]
        table = pa.concat_tables([_read(path, group, schema) for path, group in chosen])
        if random is not None:
            table = table.take(pa.array(random.permutation(table.num_rows)))
        yield table.combine_chunks()


def _read(path: str, group: int, schema: pa.Schema) -> pa.Table:
    with open_parquet(path) as file:
        return file.read_row_group(group, columns=schema.names).select(schema.names)


def _whole_batches(
    tables: Iterator[pa.Table], batch_size: int, drop_remainder: bool
) -> Iterator[pa.Table]:
    """The same rows in tables of whole batches; only the last may be smaller."""
    rest: list[pa.Table] = []
    for table in tables:
        table = pa.concat_tables([*rest, table]).combine_chunks()
        whole = table.num_rows - table.num_rows % batch_size
        rest = [table.slice(whole)]
        if whole:
            yield table.slice(0, whole)
    if rest and rest[0].num_rows and not drop_remainder:
        yield rest[0]


def _parts(column: pa.ChunkedArray, field: pa.Field) -> Tensors:
    """A column's values, the dictionary of texts, and where rows begin and end."""
    array, parts = to_array(column), {}
    if pa.types.is_list(field.type):
        parts["ends"] = offsets_of(list_lengths(array))
        array = array.flatten()
    elif field.nullable:
        parts["ends"] = offsets_of(~null_mask(array))
        array = array.drop_null()
    if _is_text(array.type):
        encoded = array.dictionary_encode()
        texts = encoded.dictionary.cast(pa.binary())
        parts["dictionary"] = texts.to_numpy(zero_copy_only=False)
        array = encoded.indices
    parts["values"] = array.to_numpy(zero_copy_only=False)
    return parts


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_dictionary(kind)


def _signature(field: pa.Field) -> dict[str, tf.TensorSpec]:
    kind = tf.as_dtype(feature_type(field.type))
    if kind == tf.string:
        signature = {
            "values": tf.TensorSpec([None], tf.int32),
            "dictionary": tf.TensorSpec([None], tf.string),
        }
    else:
        signature = {"values": tf.TensorSpec([None], kind)}
    if pa.types.is_list(field.type) or field.nullable:
        signature["ends"] = tf.TensorSpec([None], tf.int64)
    return signature


def _rows(part: Tensors) -> tf.Tensor:
    if "ends" in part:
        return tf.size(part["ends"], tf.int64) - 1
    return tf.size(part["values"], tf.int64)


def _batch(block: dict[str, Tensors], start: tf.Tensor, stop: tf.Tensor) -> Tensors:
    return {name: _rows_between(part, start, stop) for name, part in block.items()}


def _rows_between(
    part: Tensors, start: tf.Tensor, stop: tf.Tensor
) -> tf.Tensor | tf.RaggedTensor:
    if "ends" not in part:
        return _decoded(part, start, stop)
    ends = part["ends"][start : stop + 1]
    values = _decoded(part, ends[0], ends[-1])
    return tf.RaggedTensor.from_row_splits(values, ends - ends[0], validate=False)


def _decoded(part: Tensors, start: tf.Tensor, stop: tf.Tensor) -> tf.Tensor:
    values = part["values"][start:stop]
    return tf.gather(part["dictionary"], values) if "dictionary" in part else values
