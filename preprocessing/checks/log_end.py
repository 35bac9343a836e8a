"""Where a log ends: a few impressions long after all others are of wrong clocks.

They would move the end of the log's state to their time, and all of the next day's log
would then come too late.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.days import MS_PER_DAY, date_of
from preprocessing.checks.rejects import reject_impressions
from preprocessing.contract.column_names import EVENT_TIME
from preprocessing.contract.config import FeatureConfig

_SILENT_DAYS = 7  # so that weekends and holidays end no log
_LEAST_SHARE = 0.1  # of a usual day's rows


class WithinEnd(NamedTuple):
    """The rows of a log up to its end, and those after it.

    Attributes:
        kept: By `contract.schema.traced_schema`.
        rejects: By `checks.rejects.REJECT_SCHEMA`.
    """

    kept: pa.Table
    rejects: pa.Table


def count_utc_days(impressions: pa.Table) -> Counter[int]:
    """Rows of each day, UTC, by days since 1970."""
    counts = pc.value_counts(pc.divide(impressions[EVENT_TIME], MS_PER_DAY))
    return Counter({each["values"]: each["counts"] for each in counts.to_pylist()})


def log_end(days: Counter[int], config: FeatureConfig) -> int | None:
    """The last day of a log, where some of its impressions are later.

    These come after more than `_SILENT_DAYS` days without any, and are fewer than a
    tenth of a usual day's rows: of the day that the middle row is of, were days ordered
    by their rows.

    Args:
        days: Rows of each day of the whole log, by `count_utc_days`.
        config: With a `last_day`, which says where the log ends, there is no other end.

    Returns:
        Days since 1970, UTC; None where no impression is later than the log's end.
    """
    if config.last_day is not None or not days:
        return None
    ordered = np.array(sorted(days))
    rows = np.array([days[day] for day in ordered.tolist()])
    sizes = np.sort(rows)
    usual = sizes[np.searchsorted(np.cumsum(sizes), sizes.sum() / 2)]
    later = sizes.sum() - np.cumsum(rows)[:-1]
    silent = np.diff(ordered) > _SILENT_DAYS + 1
    ends = np.flatnonzero(silent & (later < _LEAST_SHARE * usual))
    return int(ordered[ends[0]]) if len(ends) else None


def drop_after_end(impressions: pa.Table, end: int | None) -> WithinEnd:
    """Rejects the impressions that are later than their log's end.

    Args:
        impressions: By `contract.schema.traced_schema`.
        end: By `log_end`.
    """
    after = np.zeros(impressions.num_rows, dtype=bool)
    reason = ""
    if end is not None:
        after = impressions[EVENT_TIME].to_numpy() >= (end + 1) * MS_PER_DAY
        reason = (
            f"{EVENT_TIME} is more than {_SILENT_DAYS} days after the log's other "
            f"impressions, which end on {date_of(end)} (features.last_day sets another "
            "end)"
        )
    rejects = reject_impressions(
        impressions.filter(pa.array(after)), [reason] * int(after.sum())
    )
    return WithinEnd(impressions.filter(pa.array(~after)), rejects)
