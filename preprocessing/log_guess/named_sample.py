"""A sample whose columns have names and whose rows are impressions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from preprocessing.log_guess.header_names import name_columns
from preprocessing.log_guess.impression_lists import explode_lists
from preprocessing.log_guess.log_sample import LogSample
from preprocessing.log_guess.profiles import profile_columns


@dataclass(frozen=True)
class NamedSample:
    """Rows of one impression each.

    Attributes:
        table: The rows; every column has a name.
        header: `source.header` where the files have none, else ().
        exploded: `source.explode` where a column held lists of impressions.
        total_rows: Impressions of the whole log, an estimate unless `whole`.
        whole: Whether the table is the whole log.
        described: How much was looked at, in words.
        notes: What a person should know.
    """

    table: pa.Table
    header: tuple[str, ...]
    exploded: Mapping[str, Any] | None
    total_rows: int
    whole: bool
    described: str
    notes: tuple[str, ...]


def name_sample(sample: LogSample) -> NamedSample:
    """Gives columns names and divides lists of impressions into rows."""
    table = sample.table
    header: tuple[str, ...] = ()
    notes: list[str] = []
    text = sample.layout.text
    if text is not None and not text.header:
        told = list(sample.folder_columns)
        cells = table.drop(told) if told else table
        profiles = profile_columns(cells, False)
        names = name_columns(profiles, sample.layout.files[0].name)
        header = tuple(names)
        table = table.rename_columns([*names, *told])
        notes.append(
            "The files have no header line, so the columns' names (source.header) are "
            "guessed from what is in them: look at the first lines and compare."
        )
    total = sample.total_rows
    exploded: Mapping[str, Any] | None = None
    lists = explode_lists(table, profile_columns(table, True))
    if lists:
        table, exploded = lists.table, lists.entry
        total = int(total * lists.mean_length)
    return NamedSample(
        table,
        header,
        exploded,
        total,
        sample.whole,
        _described(sample, table.num_rows, total),
        tuple(notes),
    )


def _described(sample: LogSample, rows: int, total: int) -> str:
    files = len(sample.layout.files)
    of_files = "1 file" if files == 1 else f"{sample.files_read} of {files:,} files"
    if sample.whole:
        return f"all {rows:,} impressions, from {of_files}"
    return f"{rows:,} of about {total:,} impressions, from {of_files}"
