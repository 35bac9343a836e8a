"""Tables of a PCollection as Parquet, written while the next ones are computed."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filebasedsink import FileBasedSink
from apache_beam.io.filesystem import CompressionTypes

from preprocessing.contract.column_names import RARELY_REPEATED
from preprocessing.storage.parquet import parquet_layout

# Tables that wait for the writer; further ones make the pipeline wait.
_WAITING = 2


class WriteTables(beam.PTransform):
    """Writes tables to Parquet files, each table as row groups of its own.

    Encoding takes about as long as computing a feature table, and runs outside of
    Python's lock: a thread does it while the bundle continues.

    Args:
        path_prefix: Path or URI; "-00000-of-00001.parquet" and so on is appended.
        schema: Of the tables.
    """

    def __init__(self, path_prefix: str, schema: pa.Schema):
        super().__init__()
        self._sink = _TableSink(path_prefix, schema)

    def expand(self, tables: beam.PCollection[pa.Table]) -> beam.PCollection[str]:
        """Writes, and returns the files' names."""
        return tables | beam.io.Write(self._sink)


class _TableSink(FileBasedSink):
    def __init__(self, path_prefix: str, schema: pa.Schema):
        super().__init__(
            path_prefix,
            coder=beam.coders.BytesCoder(),  # never used: tables are written as such
            file_name_suffix=".parquet",
            mime_type="application/x-parquet",
            compression_type=CompressionTypes.UNCOMPRESSED,
        )
        self._schema = schema

    def open(self, temp_path: str) -> _ThreadedWriter:
        return _ThreadedWriter(super().open(temp_path), self._schema)

    def write_record(self, file_handle: _ThreadedWriter, value: pa.Table) -> None:
        file_handle.write(value)

    def close(self, file_handle: _ThreadedWriter) -> None:
        file_handle.close()


class _ThreadedWriter:
    """A Parquet file that another thread writes to, one table after the other."""

    def __init__(self, file: Any, schema: pa.Schema):
        self._file = file
        self._writer = pq.ParquetWriter(
            file, schema, **parquet_layout(schema, RARELY_REPEATED)
        )
        self._thread = ThreadPoolExecutor(1)
        self._waiting: deque[Future[None]] = deque()

    def write(self, table: pa.Table) -> None:
        while len(self._waiting) >= _WAITING:
            self._waiting.popleft().result()
        self._waiting.append(self._thread.submit(self._writer.write_table, table))

    def close(self) -> None:
        try:
            for future in self._waiting:
                future.result()
            self._writer.close()
        finally:
            self._thread.shutdown()
            self._file.close()
