"""Made-up impressions: as rows for the slow engine, as tables for the real one."""

from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from preprocessing.checks.validation import validate
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.schema import impression_schema
from preprocessing.engine.in_memory import compute_features

Row = dict[str, Any]

HOUR = 3_600_000
START = 1_650_000_000_000
LABELS = {
    "long_view": {"rule": "long_view", "percent": 60},
    "finish_view": {"rule": "finish_view"},
    "like": {"column": "is_like"},
}

# Coarse, so that ties, days and the seven-day limits are met; now and then 1 ms off.
times = st.builds(
    lambda step, off: START + step * 6 * HOUR + off,
    st.integers(0, 90),
    st.sampled_from([0, 0, 0, 1, -1]),
)
rows = st.fixed_dictionaries(
    {
        "user_id": st.sampled_from(["a", "b", "c10", "c9"]),
        "video_id": st.sampled_from(["x", "y", "é", "v10", "v9"]),
        "event_time_ms": times,
        "play_time_ms": st.integers(0, 10),
        "video_duration_ms": st.integers(0, 10),
        "is_like": st.integers(0, 1),
        "is_follow": st.sampled_from([None, 0, 1]),
        "author_id": st.sampled_from([None, "p", "q"]),
        "video_tags": st.sampled_from([None, [], ["s"], ["t", "s"], ["t,s"]]),
        "user_first_launch_ms": st.none() | times,
        "video_upload_ms": st.none() | times,
        "prior_view_count": st.none() | st.integers(0, 5),
    }
)
logs = st.lists(rows, max_size=30)
MASKED_LABELS = {
    **{name: {**label, "missing": "mask"} for name, label in LABELS.items()},
    "watched": {"column": "play_time_ms", "at_least": 4, "missing": "mask"},
}
rows_without_labels = st.builds(
    lambda row, missing: {**row, **dict.fromkeys(missing)},
    rows,
    st.sets(st.sampled_from(["play_time_ms", "video_duration_ms", "is_like"])),
)
calendars = st.sampled_from(
    [
        {},
        {"utc_offset_hours": 8},
        {"utc_offset_hours": -3.5},
        {"time_zone": "Asia/Kathmandu"},
        {"time_zone": "America/New_York"},
    ]
)
configs = st.builds(
    lambda calendar, **settings: FeatureConfig(**calendar, **settings),
    calendar=calendars,
    history_length=st.integers(1, 5),
    history_of=st.sampled_from(["impressions", "long_views"]),
    new_user=st.sampled_from([{"max_hours": 24}, {"max_avc": 2}]),
    new_video=st.sampled_from(
        [{"max_days": 2, "max_impressions": 3}, {"max_days": 7, "max_impressions": 1}]
    ),
    labels=st.just(LABELS),
    shards=st.sampled_from([1, 2, 7]),
)
# A log and its configuration, with labels on all rows or on some.
cases = st.tuples(logs, configs) | st.tuples(
    st.lists(rows_without_labels, max_size=30),
    configs.map(
        lambda config: FeatureConfig(**{**config.model_dump(), "labels": MASKED_LABELS})
    ),
)


def impression(user: str = "a", video: str = "x", at: int = 0, **more: Any) -> Row:
    """An impression `at` milliseconds after START; any column may be given."""
    return {
        "user_id": user,
        "video_id": video,
        "event_time_ms": START + at,
        "play_time_ms": 5,
        "video_duration_ms": 10,
        "is_like": 0,
        "is_follow": 0,
        "author_id": "p",
        "video_tags": ["t"],
        "user_first_launch_ms": None,
        "video_upload_ms": None,
        "prior_view_count": None,
        **more,
    }


def log_table(log: list[Row], config: FeatureConfig) -> pa.Table:
    """Rows as the table that a Parquet file would hold."""
    schema = impression_schema(config)
    names = list(log[0]) if log else schema.names
    fields = [schema.field(name).with_nullable(True) for name in names]
    return pa.Table.from_pylist(log, schema=pa.schema(fields))


def features_of(
    log: list[Row], config: FeatureConfig, parts: int = 1, **states: pa.Table
) -> tuple[list[Row], list[Row]]:
    """Feature rows in a fixed order, and duplicates, of a log cut into files."""
    size = -(-len(log) // parts) if log else 1
    pieces = [log[i : i + size] for i in range(0, len(log), size)] or [[]]
    accepted = [
        validate(log_table(piece, config), f"part-{i}", 0, config).accepted
        for i, piece in enumerate(pieces)
    ]
    features, repeated, *_ = compute_features(accepted, config, **states)
    return in_order(features.to_pylist()), repeated.to_pylist()


def in_order(table: list[Row]) -> list[Row]:
    """The same rows in an order that depends on nothing but the rows."""
    return sorted(table, key=repr)
