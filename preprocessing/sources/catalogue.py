"""What does not change of videos: one row a video, from a catalogue or a log."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from preprocessing.arrays.conversion import (
    plain,
    to_float32,
    to_int64,
    to_text,
    to_text_list,
)
from preprocessing.arrays.ranks import text_ranks
from preprocessing.contract.column_names import (
    AUTHOR_ID,
    EVENT_TIME,
    TAGS,
    UPLOAD,
    VIDEO_ID,
)
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.schema import SourceError, check_types, impression_schema
from preprocessing.storage.files import DataFile, find_files, open_file


def video_schema(config: FeatureConfig) -> pa.Schema:
    """Schema of videos: id, author, tags, upload time, declared video features."""
    extras = [extra.name for extra in config.extra if extra.entity == "video"]
    schema = impression_schema(config)
    return pa.schema(
        schema.field(name) for name in (VIDEO_ID, AUTHOR_ID, TAGS, UPLOAD, *extras)
    )


def read_video_rows(path: str, config: FeatureConfig) -> pa.Table:
    """Reads videos from Parquet: a catalogue, or an impression log.

    Of several rows of a video the latest counts: by `event_time_ms` where the files
    have it, else by the order of files and rows. Values that cannot be read are null,
    as missing ones are; rows without a video are passed over.

    Args:
        path: A file or a folder of files: a path or a URI.
        config: Declares further features.

    Returns:
        By `video_schema`, each video once.

    Raises:
        SourceError: There are no files, or one cannot be read, lacks `video_id` or has
            a column in an unusable type.
    """
    schema = video_schema(config).append(pa.field(EVENT_TIME, pa.int64()))
    videos = schema.empty_table()
    for file in find_files(path, "*.parquet"):
        rows = _canonical(_read(file, schema.names), schema, file.name, config)
        videos = _latest(pa.concat_tables([videos, rows]))
    return videos.drop([EVENT_TIME])


def _read(file: DataFile, names: list[str]) -> pa.Table:
    try:
        with open_file(file.path) as opened:
            parquet = pq.ParquetFile(opened)
            found = [name for name in names if name in parquet.schema_arrow.names]
            return parquet.read(columns=found)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(
            f"{file.name} is no whole Parquet file (truncated or damaged?): {error}"
        ) from error


def _canonical(
    raw: pa.Table, schema: pa.Schema, name: str, config: FeatureConfig
) -> pa.Table:
    if VIDEO_ID not in raw.column_names:
        raise SourceError(f"{name}: column '{VIDEO_ID}' is missing")
    check_types(raw.schema, name, config)
    columns = []
    for field in schema:
        if field.name not in raw.column_names:
            columns.append(pa.nulls(raw.num_rows, field.type))
        else:
            columns.append(_converted(plain(raw[field.name]), field.type))
    known = columns[0].is_valid()
    table = pa.Table.from_arrays(columns, names=schema.names).filter(known)
    return table.cast(schema)


def _converted(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_null(column.type):
        return pa.nulls(len(column), kind)
    if pa.types.is_list(kind):
        return to_text_list(column)[0]
    if pa.types.is_string(kind):
        return to_text(column)[0]
    return (to_float32 if pa.types.is_floating(kind) else to_int64)(column)[0]


def _latest(table: pa.Table) -> pa.Table:
    """The last row of each video by time, then by place."""
    time_ms = plain(table[EVENT_TIME]).fill_null(-1).to_numpy()
    video = text_ranks(table[VIDEO_ID])
    order = np.lexsort([np.arange(len(video)), time_ms, video])
    last = order[np.diff(video[order], append=-1) != 0]
    return table.take(pa.array(last)).combine_chunks()
