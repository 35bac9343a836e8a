"""Rows written as somebody's log, in each format that is read by configuration."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Rows = list[dict[str, Any]]
FORMATS = ("parquet", "csv", "tfrecord", "avro", "orc")


def write_log(path: Path, rows: Rows) -> Path:
    """Writes a file of the format that its ending names; null values are left out.

    Lists in CSV have commas between their entries.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write = {
        ".parquet": _parquet,
        ".csv": _csv,
        ".tfrecord": _tfrecord,
        ".avro": _avro,
        ".orc": _orc,
    }
    write[path.suffix](path, rows)
    return path


def write_logs(folder: Path, kind: str, files: Mapping[str, Rows]) -> Path:
    """Writes files, their names without the ending."""
    for name, rows in files.items():
        write_log(folder / f"{name}.{kind}", rows)
    return folder


def _parquet(path: Path, rows: Rows) -> None:
    pq.write_table(pa.Table.from_pylist(rows), path)


def _orc(path: Path, rows: Rows) -> None:
    import pyarrow.orc as pa_orc

    table = pa.Table.from_pylist(rows)
    for index, field in enumerate(table.schema):
        if pa.types.is_null(field.type):  # which ORC does not have
            nulls = table[index].cast(pa.bool_())
            table = table.set_column(index, field.name, nulls)
    pa_orc.write_table(table, path)


def _avro(path: Path, rows: Rows) -> None:
    import fastavro

    names = {name: None for row in rows for name in row}
    types = {name: _avro_type(name, [row.get(name) for row in rows]) for name in names}
    fields = [
        {"name": name, "type": kind if kind == "null" else ["null", kind]}
        for name, kind in types.items()
    ]
    schema = {"type": "record", "name": "impression", "fields": fields}
    with path.open("wb") as file:
        fastavro.writer(file, schema, rows, codec="deflate")


def _avro_type(name: str, values: list[Any]) -> Any:
    kinds = {type(value) for value in values} - {type(None)}
    if list in kinds:
        inner = [entry for value in values for entry in value or ()]
        items = _avro_type(f"{name}_entry", inner) if inner else "string"
        return {"type": "array", "items": items}
    if dict in kinds:
        fields = [
            {"name": key, "type": _avro_type(key, [value[key] for value in values])}
            for key in values[0]
        ]
        return {"type": "record", "name": name, "fields": fields}
    if float in kinds:
        return "double"
    kind = next(iter(kinds), type(None))
    return {int: "long", bool: "boolean", type(None): "null"}.get(kind, "string")


def _csv(path: Path, rows: Rows) -> None:
    import csv

    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        for row in rows:
            cells = {
                name: ",".join(map(str, value)) if isinstance(value, list) else value
                for name, value in row.items()
            }
            writer.writerow(cells)


def _tfrecord(path: Path, rows: Rows) -> None:
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(path)) as writer:
        for row in rows:
            features = {
                name: _feature(tf, value if isinstance(value, list) else [value])
                for name, value in row.items()
                if value is not None
            }
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString())


def _feature(tf: Any, values: list[Any]) -> Any:
    if values and isinstance(values[0], str):
        texts = [value.encode() for value in values]
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=texts))
    if values and isinstance(values[0], float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
