"""The contract's rules for one row, a dict."""

from __future__ import annotations

import json
from typing import Any

from preprocessing import FeatureConfig
from preprocessing.contract.schema import MAX_TIME_MS, impression_schema

Row = dict[str, Any]

TIMES = ("event_time_ms", "user_first_launch_ms", "video_upload_ms")
COUNTS = ("play_time_ms", "video_duration_ms", "prior_view_count")
FLAGS = ("is_like", "is_follow")
TEXTS = ("user_id", "video_id", "author_id")
NO_TIME = "is out of range (milliseconds from 1970 to 9999)"
# First and last time of each, and what is said of it: the first that holds.
TIME_RULES = (
    (10**9, 10**10 - 1, "looks like seconds, not milliseconds"),
    (
        MAX_TIME_MS + 1,
        10**16 - 1,
        f"{NO_TIME}: it looks like microseconds, not milliseconds",
    ),
    (10**17, 2**63 - 1, f"{NO_TIME}: it looks like nanoseconds, not milliseconds"),
    (-(2**63), -1, NO_TIME),
    (10**16, 10**17 - 1, NO_TIME),
)


class RowRules:
    """What a row must keep, for logs whose columns have the contract's types.

    Args:
        config: declares labels and further (categorical) features.
    """

    def __init__(self, config: FeatureConfig):
        schema = impression_schema(config)
        self.columns = schema.names
        self._required = {field.name for field in schema if not field.nullable}
        self._texts = {*TEXTS, *(extra.name for extra in config.extra)}

    def broken(self, row: Row) -> str | None:
        """The first rule that the row breaks, in the order of the columns."""
        for name in self.columns:
            value = row[name]
            if value is None or value == "":
                if name in self._required:
                    return f"{name} is missing"
            elif name in FLAGS:
                if value not in (0, 1):
                    return f"{name} is not 0 or 1"
            elif name in COUNTS:
                if value < 0:
                    return f"{name} is negative"
                if value > MAX_TIME_MS:
                    return f"{name} is out of range"
            elif name in TIMES:
                for first, last, problem in TIME_RULES:
                    if first <= value <= last:
                        return f"{name} {problem}"
        return None

    def canonical(self, row: Row) -> Row:
        """The row as it is passed on: an empty text is missing, tags have none."""
        row = {
            name: (row[name] or None) if name in self._texts else row[name]
            for name in self.columns
        }
        if row["video_tags"] is not None:
            row["video_tags"] = [tag for tag in row["video_tags"] if tag]
        return row


def as_json(row: Row) -> str:
    """The row as rejects hold it."""
    return json.dumps(row, ensure_ascii=False)
