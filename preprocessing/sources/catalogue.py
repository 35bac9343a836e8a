"""Properties of videos that do not change: one row per video."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from preprocessing.arrays.conversion import convert, to_array
from preprocessing.arrays.ranks import text_ranks
from preprocessing.contract.column_names import (
    AUTHOR_ID,
    EVENT_TIME,
    TAGS,
    TIME_COLUMNS,
    UPLOAD,
    VIDEO_ID,
)
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.schema import check_types, impression_schema
from preprocessing.readers.table_formats import check_plain_files
from preprocessing.storage.files import DataFile, SourceError, find_files
from preprocessing.storage.parquet import open_parquet


def video_schema(config: FeatureConfig) -> pa.Schema:
    """Schema of videos: id, author, tags, upload time, declared video features."""
    extras = [extra.name for extra in config.inputs if extra.entity == "video"]
    schema = impression_schema(config)
    return pa.schema(
        schema.field(name) for name in (VIDEO_ID, AUTHOR_ID, TAGS, UPLOAD, *extras)
    )


def read_video_rows(path: str, config: FeatureConfig) -> pa.Table:
    """Reads videos from Parquet: a catalogue, or an impression log.

    If a video has several rows, the latest counts: by `event_time_ms` where the files
    have it, else by the order of files and rows. Values that cannot be read become
    null, as missing ones are; rows without a `video_id` are left out.

    Args:
        path: A file or a folder of files: a path or a URI.
        config: Declares further features.

    Returns:
        By `video_schema`, each video once.

    Raises:
        SourceError: There are no files, or one cannot be read, lacks `video_id` or has
            a column in an unusable type.
    """
    check_plain_files(path)
    schema = video_schema(config).append(pa.field(EVENT_TIME, pa.int64()))
    videos = schema.empty_table()
    for file in find_files(path, "*.parquet"):
        rows = _canonical(_read(file, schema.names), schema, file.name, config)
        videos = _latest(pa.concat_tables([videos, rows]))
    return videos.drop([EVENT_TIME])


def _read(file: DataFile, names: list[str]) -> pa.Table:
    with open_parquet(file.path, file.name) as parquet:
        found = [name for name in names if name in parquet.schema_arrow.names]
        return parquet.read(columns=found)


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
            columns.append(
                convert(
                    to_array(raw[field.name]), field.type, field.name in TIME_COLUMNS
                )[0]
            )
    known = columns[0].is_valid()
    table = pa.Table.from_arrays(columns, names=schema.names).filter(known)
    return table.cast(schema)


def _latest(table: pa.Table) -> pa.Table:
    """The last row of each video by time, then by position in `table`."""
    time_ms = to_array(table[EVENT_TIME]).fill_null(-1).to_numpy()
    video = text_ranks(table[VIDEO_ID])
    order = np.lexsort([np.arange(len(video)), time_ms, video])
    last = order[np.diff(video[order], append=-1) != 0]
    return table.take(pa.array(last)).combine_chunks()
