"""TFRecord files of `tf.Example`s with the contract's columns as features.

Ids may be int64 or bytes features; a feature that an example lacks is null. Files may
be GZIP-compressed. A remote file is copied to this machine first, since TensorFlow does
not know all of Beam's file systems.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa

from preprocessing.arrays.conversion import to_array
from preprocessing.arrays.lists import first_elements, list_lengths
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.schema import (
    check_columns,
    check_types,
    impression_schema,
)
from preprocessing.sources.null_marks import without_null_marks
from preprocessing.sources.partitions import folder_values, with_folder_columns
from preprocessing.sources.source import FilePart, RawRows
from preprocessing.sources.tfrecord_records import record_batches
from preprocessing.storage.files import (
    DataFile,
    SourceError,
    find_files,
    is_remote,
    local_path,
    open_file,
)

_BATCH_ROWS = 1 << 16
_EXAMPLES_FOR_NAMES = 1 << 12


@dataclass(frozen=True)
class TFRecordSource:
    """Every `*.tfrecord*` file in a folder and its sub-folders, or one file.

    Args:
        data_dir: Path or URI.
        config: The feature configuration.
        null_values: Text cells that hold no value, beside the empty ones.
    """

    data_dir: str
    config: FeatureConfig
    null_values: tuple[str, ...] = ()

    def parts(self) -> list[FilePart]:
        """One part per file; the columns of each file's first rows are checked.

        An example that lacks a value lacks the feature, so a column that rows may lack
        need not be in each file, but in one of them.
        """
        parts = [
            FilePart(file.path, file.name, -1, 0)
            for file in find_files(self.data_dir, "*.tfrecord*")
        ]
        required = set(self.config.columns_of_every_row)
        somewhere: set[str] = set()
        for part in parts:
            first = next(self.read(part), None)
            if first is None:
                continue
            names = first.table.column_names
            absent = set(self.config.needed_columns) - required
            check_columns([*names, *(absent - {*names})], part.name, self.config)
            told = folder_values(part.name)  # as text, whatever the column's type
            examples = first.table.drop([name for name in names if name in told])
            check_types(examples.schema, part.name, self.config)
            somewhere |= {*names}
        if somewhere:  # an empty log has a message of its own
            self._check_optional(parts, set(self.config.needed_columns) - somewhere)
        return parts

    def _check_optional(self, parts: list[FilePart], missing: set[str]) -> None:
        """Reads on until each column was seen; most logs show all in their first rows.

        Raises:
            SourceError: No example of any file has a column.
        """
        for part in parts:
            for rows in self.read(part) if missing else ():
                missing = missing - {*rows.table.column_names}
                if not missing:
                    return
        if missing:
            raise SourceError(
                f"no example in {self.data_dir} has the feature "
                f"{', '.join(sorted(missing))}: expected it in one at least"
            )

    def read(self, part: FilePart) -> Iterator[RawRows]:
        """The rows of one file."""
        first_row = 0
        wanted = impression_schema(self.config).names
        for batch in _batches(DataFile(part.path, part.name)):
            table = self._columns(batch, part.name)
            table = with_folder_columns(table, part.name, wanted)
            table = without_null_marks(table, self.null_values)
            yield RawRows(table, first_row, [])
            first_row += batch.num_rows

    def user_state(self) -> pa.Table | None:
        """None: such a log brings no state."""
        return None

    def _columns(self, batch: pa.RecordBatch, file: str) -> pa.Table:
        columns = {}
        for field in impression_schema(self.config):
            index = batch.schema.get_field_index(field.name)
            if index >= 0:
                column = batch.column(index)
                if not pa.types.is_list(field.type):
                    column = _one_value(column, f"{file}: column '{field.name}'")
                columns[field.name] = column
        if not columns:
            names = ", ".join(batch.schema.names)
            raise SourceError(f"{file} has none of the columns. Received: {names}")
        return pa.table(columns)


def read_names(file: DataFile) -> list[str]:
    """The names of the features that a TFRecord file's first examples have.

    Raises:
        SourceError: The file cannot be read.
    """
    first = first_examples(file, _EXAMPLES_FOR_NAMES)
    return [] if first is None else list(first.schema.names)


def first_examples(file: DataFile, rows: int) -> pa.RecordBatch | None:
    """A TFRecord file's first examples, as lists of values; None where it has none.

    Raises:
        SourceError: The file cannot be read.
    """
    return next(_batches(file, rows), None)


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
