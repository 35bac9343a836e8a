"""The records of an Avro file as columns."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import pyarrow as pa

from preprocessing.readers.avro_types import AvroType, avro_types, record_of
from preprocessing.storage.file_kinds import seems_to_be
from preprocessing.storage.files import DataFile, SourceError, open_file

_MAGIC = b"Obj\x01"
# What stands between the magic bytes and the first block, as Avro's specification has
# it.
_HEADER = {
    "type": "record",
    "name": "header",
    "fields": [
        {"name": "meta", "type": {"type": "map", "values": "bytes"}},
        {"name": "sync", "type": {"type": "fixed", "name": "sync", "size": 16}},
    ],
}


class AvroFile(NamedTuple):
    """An open Avro file.

    Attributes:
        name: What the records are called.
        types: Those of the columns, by name.
        header: What the file says of itself.
        blocks: The file, where its blocks begin.
    """

    name: str
    types: dict[str, AvroType]
    header: dict[str, Any]
    blocks: Any

    def batches(self, columns: Sequence[str], rows: int) -> Iterator[pa.Table]:
        """Columns of the records, at least so many rows at a time but for the last.

        The other columns are passed over.
        """
        import fastavro

        records: list[Any] = []
        wanted = record_of(self.name, {name: self.types[name] for name in columns})
        for block in fastavro.block_reader(self._decodable(), reader_schema=wanted):
            records += block
            if len(records) >= rows:
                yield self._table(records, columns)
                records = []
        if records:
            yield self._table(records, columns)

    def _table(self, records: list[Any], columns: Sequence[str]) -> pa.Table:
        return pa.table(
            {
                name: self.types[name].to_arrow([record[name] for record in records])
                for name in columns
            }
        )

    def _decodable(self) -> Any:
        """The file under a schema without what the decoder would make objects of."""
        import fastavro

        schema = json.dumps(record_of(self.name, self.types)).encode()
        meta = {**self.header["meta"], "avro.schema": schema}
        head = io.BytesIO(_MAGIC)
        head.seek(0, io.SEEK_END)
        fastavro.schemaless_writer(head, _HEADER, {**self.header, "meta": meta})
        return _Joined(head.getvalue(), self.blocks)


class _Joined:
    """What stands in memory, and then what a file has left."""

    def __init__(self, begin: bytes, rest: Any):
        self._begin = io.BytesIO(begin)
        self._rest = rest

    def read(self, size: int) -> bytes:
        part = self._begin.read(size)
        missing = size - len(part)
        return part + self._rest.read(missing) if missing else part

    def tell(self) -> int:  # the blocks are asked where they begin; nobody uses it
        return 0


@contextmanager
def open_avro(file: DataFile) -> Iterator[AvroFile]:
    """Opens an Avro file; damage that is found while it is open has its name.

    Raises:
        SourceError: It cannot be read, or its records have no columns.
    """
    try:
        with open_file(file.path) as opened:
            yield _opened(opened, file.name)
    except SourceError:
        raise
    except Exception as problem:  # each of Avro's compressions has errors of its own
        what = str(problem) or type(problem).__name__
        if "need to install" in what:
            raise SourceError(
                f"{file.name}: {what} (pip install 'poso[avro]' brings it)"
            ) from problem
        raise SourceError(
            f"{file.name} is no whole Avro file (truncated or damaged?)"
            f"{seems_to_be(file.path, 'an Avro file')}: {' '.join(what.split())}"
        ) from problem


def _opened(opened: pa.NativeFile, name: str) -> AvroFile:
    import fastavro

    if opened.read(len(_MAGIC)) != _MAGIC:
        raise ValueError("it does not begin as one")
    header: Any = fastavro.schemaless_reader(opened, _HEADER, None)
    schema: Any = fastavro.parse_schema(json.loads(header["meta"]["avro.schema"]))
    if not isinstance(schema, dict) or schema["type"] != "record":
        raise SourceError(f"{name}: expected records. Received values without names")
    return AvroFile(schema["name"], avro_types(schema), header, opened)
