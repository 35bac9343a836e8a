"""ORC files, read by stripe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.orc as pa_orc

from preprocessing.readers.plain_files import PlainFiles
from preprocessing.readers.reader import FilePart, RawRows, TableFile, Wanted
from preprocessing.storage.file_kinds import seems_to_be
from preprocessing.storage.files import DataFile, SourceError, open_file

_BATCH_ROWS = 1 << 17

# A stripe's number of rows is not known before it is read, so rows are numbered by
# stripe: the first of each is so many after the first of the one before.
_STRIPES_APART = 1 << 26


class OrcReader(PlainFiles):
    """ORC files in a folder and its sub-folders, or one file."""

    def names(self, file: DataFile) -> list[str]:
        """The names of a file's columns."""
        with _open_orc(file.path, file.name) as opened:
            return list(opened.schema.names)

    def describe(self, file: DataFile, wanted: Wanted) -> TableFile:
        """A file's columns, and one part per stripe."""
        with _open_orc(file.path, file.name) as opened:
            stripes, schema = opened.nstripes, opened.schema
        parts = [
            FilePart(file.path, file.name, stripe, stripe * _STRIPES_APART)
            for stripe in range(stripes)
        ]
        return TableFile(schema, parts)

    def read(self, part: FilePart, wanted: Wanted) -> Iterator[RawRows]:
        """The rows of one stripe."""
        with _open_orc(part.path, part.name) as file:
            columns = [name for name in wanted.names if name in file.schema.names]
            batch = file.read_stripe(part.row_group, columns=columns)
            rows = pa.Table.from_batches([batch]).select(columns)
            for start in range(0, rows.num_rows, _BATCH_ROWS):
                some = rows.slice(start, _BATCH_ROWS)
                yield RawRows(some, part.first_row + start, [])


@contextmanager
def _open_orc(path: str, name: str) -> Iterator[pa_orc.ORCFile]:
    """Opens an ORC file; damage that is found while it is open has its name."""
    try:
        with open_file(path) as opened:
            yield pa_orc.ORCFile(opened)
    except (pa.ArrowException, OSError) as problem:
        raise SourceError(
            f"{name} is no whole ORC file (truncated or damaged?)"
            f"{seems_to_be(path, 'an ORC file')}: {' '.join(str(problem).split())}"
        ) from problem
