"""Rows that break the contract on purpose, to see how they are rejected."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

BROKEN_COLUMNS = ("user_id", "video_id", "event_time_ms", "video_duration_ms")


def corrupt(log: pa.Table, share: float, rng: np.random.Generator) -> pa.Table:
    """Breaks a share of the rows, in equal parts in five ways.

    A missing user id, video id or event time, a negative duration, or the row repeated
    (which adds rows, right behind the original).

    Args:
        log: an impression log.
        share: of its rows to break or repeat, in [0, 1).
        rng: source of randomness.
    """
    ways = len(BROKEN_COLUMNS) + 1
    broken = rng.choice(log.num_rows, size=round(share * log.num_rows), replace=False)
    for way, column in enumerate(BROKEN_COLUMNS):
        hit = np.zeros(log.num_rows, dtype=bool)
        hit[broken[way::ways]] = True
        log = _replace(log, column, pa.array(hit))
    repeated = broken[ways - 1 :: ways]
    return log.take(pa.array(np.sort(np.append(np.arange(log.num_rows), repeated))))


def _replace(log: pa.Table, column: str, hit: pa.Array) -> pa.Table:
    values = log[column].combine_chunks()
    if column == "video_duration_ms":
        bad = pc.negate(values)
    else:
        bad = pa.nulls(log.num_rows, values.type)
    return log.set_column(
        log.schema.get_field_index(column), column, pc.if_else(hit, bad, values)
    )
