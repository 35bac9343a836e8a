"""Examples of a ready feature table, what `poso features` wrote, without the engine."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa

from pipeline.config import LogConfig
from pipeline.examples.from_log import COUNTS_FILE, Made
from pipeline.examples.places import Places
from pipeline.examples.split_files import SplitFiles
from pipeline.examples.splits import count_rows, make_split
from pipeline.progress import LiveProgress, report_live
from preprocessing.checks.counts import add_counts, check_rejects
from preprocessing.contract.column_names import EVENT_TIME, USER_ID
from preprocessing.engine.feature_table import FeatureTableFiles
from preprocessing.engine.outputs import REJECTS, STATE
from preprocessing.features.columns import feature_schema
from preprocessing.storage.files import find_files, join, local_path, write_text
from preprocessing.storage.parquet import open_parquet

_T = TypeVar("_T")


def examples_from_table(
    table: FeatureTableFiles, config: LogConfig, places: Places, threads: int
) -> Made:
    """Writes the examples of a feature table; its state and rejects are copied.

    Args:
        table: The table.
        config: The configuration.
        places: Where all that goes.
        threads: Row groups worked on at a time; also the files for each part of a
            split.

    Raises:
        EmptyLogError: The log had no rows.
        RejectLimitExceeded: Too many rows broke the contract.
        EmptySplitError: A split has no impressions.
    """
    check_rejects(table.summary, config.features, join(table.folder, REJECTS))

    def count(group: tuple[str, int]) -> Counter[int]:
        return count_rows(_read(group, [USER_ID, EVENT_TIME]), config)

    counts = add_counts(_in_threads(threads, count, table.groups))
    split = make_split(config, counts)
    split.describe(counts)  # fails early if a split would be empty
    places.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=places.folder) as spill:
        files = SplitFiles(Path(spill), threads)
        schema = feature_schema(config.features)

        def encode(numbered: tuple[int, tuple[str, int]]) -> None:
            block, group = numbered
            rows = _read(group, schema.names)
            if rows.num_rows:
                files.add(block, rows, split.assign(rows))
            report_live(LiveProgress("encode", block + 1, len(table.groups)))

        try:
            _in_threads(threads, encode, list(enumerate(table.groups)))
        finally:
            report_live(None)
        files.finish(places.splits)
    shutil.copytree(local_path(join(table.folder, STATE)), places.state_dir)
    _copy_rejects(table, places.rejects_dir)
    return Made(table.summary, counts)


def _copy_rejects(table: FeatureTableFiles, rejects_dir: str) -> None:
    """Under the names that a run of the pipeline gives."""
    found = find_files(join(table.folder, REJECTS), "*.parquet", required=False)
    for number, file in enumerate(found):
        name = f"rejects-{number:05d}-of-{len(found):05d}.parquet"
        shutil.copyfile(local_path(file.path), join(rejects_dir, name))
    write_text(join(rejects_dir, COUNTS_FILE), table.summary.to_json() + "\n")


def _read(group: tuple[str, int], columns: Sequence[str]) -> pa.Table:
    path, number = group
    with open_parquet(path) as parquet:
        return parquet.read_row_group(number, columns=list(columns))


def _in_threads(
    threads: int, work: Callable[[Any], _T], parts: Sequence[Any]
) -> list[_T]:
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, parts))
