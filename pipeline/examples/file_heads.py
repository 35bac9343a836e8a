"""A sample of a split that reads a share of it: the first examples of each file.

`split_files` deals the examples of each part at random over its files, so that the
first of a file are as good a sample as any others. A part's rows are known; how many of
them each of its files holds is told by the files' sizes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tensorflow as tf

from pipeline.examples.example_files import file_batches, split_files
from pipeline.examples.split_parts import day_of_file
from preprocessing.engine.cores import usable_cores

_BATCH = 2048


def draw_heads(
    split_dir: str, count: int, rows: Mapping[int | None, int]
) -> tuple[list[bytes], int]:
    """Serialized examples of a split, drawn by `split_files`, the same ones each time.

    Args:
        split_dir: A split that `split_files` has written.
        count: Examples to draw, fewer than the split has.
        rows: Examples of each part, by its day; the day is None where parts have none.

    Returns:
        The sample, in the order of the files, and how many examples the split has.
        Where sizes mislead about a file's rows, the sample is a little smaller.
    """
    files = split_files(split_dir)
    wanted = _shares(files, count, rows)

    def head(path: str, examples: int) -> list[bytes]:
        batches = file_batches(path, _BATCH).take(-(-examples // _BATCH))
        read = [example for batch in batches for example in batch.numpy()]
        return read[:examples]

    with ThreadPoolExecutor(min(len(files), usable_cores())) as threads:
        heads = threads.map(head, files, wanted)
        return [example for part in heads for example in part], sum(rows.values())


def _shares(
    files: Sequence[str], count: int, rows: Mapping[int | None, int]
) -> list[int]:
    """How many of `count` examples each file gives: its part's share, by its size."""
    days = [day_of_file(os.path.basename(path)) for path in files]
    sizes = np.array([tf.io.gfile.stat(path).length for path in files], float)
    of_day = {day: sizes[[d == day for d in days]].sum() for day in set(days)}
    share = np.array(
        [rows[day] * size / of_day[day] for day, size in zip(days, sizes, strict=True)]
    )
    ends = np.rint(np.cumsum(share) / share.sum() * count).astype(int)
    return np.diff(ends, prepend=0).tolist()
