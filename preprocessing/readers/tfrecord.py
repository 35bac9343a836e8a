"""TFRecord files of `tf.Example`s, whose features are columns.

A feature that an example lacks is null. Files may
be GZIP-compressed. A remote file is copied to this machine first, since TensorFlow does
not know all of Beam's file systems.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from preprocessing.arrays.conversion import to_array
from preprocessing.arrays.lists import first_elements, list_lengths
from preprocessing.readers.plain_files import PlainFiles
from preprocessing.readers.reader import FilePart, RawRows, TableFile, Wanted
from preprocessing.readers.tfrecord_records import record_batches
from preprocessing.storage.files import (
    DataFile,
    SourceError,
    is_remote,
    local_path,
    open_file,
)

_BATCH_ROWS = 1 << 16
_EXAMPLES_FOR_NAMES = 1 << 12


class TFRecordReader(PlainFiles):
    """TFRecord files in a folder and its sub-folders, or one file."""

    is_sparse = True

    def names(self, file: DataFile) -> list[str]:
        """The names of the features that a file's first examples have."""
        first = next(_batches(file, _EXAMPLES_FOR_NAMES), None)
        return [] if first is None else list(first.schema.names)

    def describe(self, file: DataFile, wanted: Wanted) -> TableFile:
        """The columns of a file's first examples; the file is one part."""
        part = FilePart(file.path, file.name, -1, 0)
        first = next(self.read(part, wanted), None)
        return TableFile(None if first is None else first.table.schema, [part])

    def read(self, part: FilePart, wanted: Wanted) -> Iterator[RawRows]:
        """The rows of one file."""
        first_row = 0
        for batch in _batches(DataFile(part.path, part.name)):
            yield RawRows(_columns(batch, wanted, part.name), first_row, [])
            first_row += batch.num_rows


def _batches(file: DataFile, batch_rows: int = _BATCH_ROWS) -> Iterator[pa.RecordBatch]:
    """A file's examples, as lists of values for each feature that occurs."""
    from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

    decoder = ExamplesToRecordBatchDecoder()
    with _local_copy(file.path) as path:
        for serialized in record_batches(path, file.name, batch_rows):
            try:
                batch = decoder.DecodeBatch(serialized)
            except RuntimeError as error:
                raise SourceError(
                    f"{file.name} holds something else than tf.Examples with one type "
                    f"a feature: {error}"
                ) from error
            yield batch


def _columns(batch: pa.RecordBatch, wanted: Wanted, file: str) -> pa.Table:
    columns = {}
    for name in wanted.names:
        index = batch.schema.get_field_index(name)
        if index >= 0:
            column = batch.column(index)
            if name not in wanted.lists:
                column = _one_value(column, f"{file}: column '{name}'")
            columns[name] = column
    if not columns:
        names = ", ".join(batch.schema.names)
        raise SourceError(f"{file} has none of the columns. Received: {names}")
    return pa.table(columns)


@contextmanager
def _local_copy(path: str) -> Iterator[str]:
    if not is_remote(path):
        yield local_path(path)
        return
    with tempfile.NamedTemporaryFile(suffix=".tfrecord") as copy:
        with open_file(path) as remote:
            shutil.copyfileobj(remote, copy)
        copy.flush()
        yield copy.name


def _one_value(column: pa.Array, where: str) -> pa.Array:
    """The only value of each list; null where there is none."""
    if pa.types.is_null(column.type):
        return column
    most = list_lengths(column).max(initial=0)
    if most > 1:
        raise SourceError(
            f"{where} has an example with {most} values; expected at most one"
        )
    return to_array(first_elements(column))
