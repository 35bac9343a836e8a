"""Delta tables as Spark lays them out, where the package that reads them is there."""

import json
import uuid
from collections import defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.helpers.log_files import Rows

_NULL = "__HIVE_DEFAULT_PARTITION__"


def write_delta(
    folder: Path, rows: Rows, by: str | None = None, mode: str = "append"
) -> Path:
    """Writes a version of a table; columns that it does not have are added to it.

    Args:
        folder: The table's.
        rows: The rows.
        by: A column of text by which the table is partitioned.
        mode: `append`, or `overwrite`: the rows in place of those that there are.
    """
    deltalake = pytest.importorskip("deltalake")
    types = {
        field.name: _type(field.type) for field in pa.Table.from_pylist(rows).schema
    }
    fields = [deltalake.Field(name, kind) for name, kind in types.items()]
    if not (folder / "_delta_log").exists():
        deltalake.DeltaTable.create(
            str(folder), deltalake.Schema(fields), partition_by=by
        )
    table = deltalake.DeltaTable(str(folder))
    known = {field.name for field in table.schema().fields}
    if new := [field for field in fields if field.name not in known]:
        table.alter.add_columns(new)
    added = [
        deltalake.transaction.AddAction(
            path=path,
            size=(folder / path).stat().st_size,
            partition_values={} if by is None else {by: value},
            modification_time=0,
            data_change=True,
            stats=json.dumps({"numRecords": count}),
        )
        for path, value, count in _write_files(folder, rows, by)
    ]
    table.create_write_transaction(
        added, mode, table.schema(), partition_by=by and [by]
    )
    return folder


def _write_files(
    folder: Path, rows: Rows, by: str | None
) -> list[tuple[str, Any, int]]:
    """A file for each value of the column, as path, value and number of rows."""
    parts = defaultdict(list)
    for row in rows:
        parts[row.get(by) if by else None].append(row)
    files = []
    for value, part in parts.items():
        told = _NULL if value is None else quote(value, safe="")
        path = (
            f"{by}={told}/{uuid.uuid4()}.parquet" if by else f"{uuid.uuid4()}.parquet"
        )
        (folder / path).parent.mkdir(exist_ok=True)
        held = [{k: v for k, v in row.items() if k != by} for row in part]
        pq.write_table(pa.Table.from_pylist(held), folder / path)
        files.append((path, value, len(part)))
    return files


def _type(kind: pa.DataType) -> Any:
    from deltalake.schema import ArrayType, PrimitiveType

    if pa.types.is_list(kind):
        return ArrayType(_type(kind.value_type), contains_null=True)
    names = {pa.int64(): "long", pa.float64(): "double", pa.bool_(): "boolean"}
    return PrimitiveType(names.get(kind, "string"))
