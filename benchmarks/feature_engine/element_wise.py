"""The baseline: the same features in the usual element-wise style of Beam.

One Python dict a row, keyed, grouped and sorted, and a loop over each group; written as
a Beam engineer writes it, with nothing slowed down on purpose.
"""

from __future__ import annotations

import datetime
import zoneinfo
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.pvalue import TaggedOutput

from benchmarks.feature_engine.row_rules import Row, RowRules, as_json
from preprocessing import FeatureConfig
from preprocessing.checks.duplicates import duplicate_reason
from preprocessing.checks.rejects import REJECT_SCHEMA
from preprocessing.contract.column_names import SOURCE_FILE
from preprocessing.features.columns import feature_schema

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
EPOCH = datetime.date(1970, 1, 1).toordinal()
_REJECTS, _ACCEPTED = "rejects", "accepted"


def build(log_dir: str, out_dir: str, config: FeatureConfig) -> None:
    """Reads a Parquet log, writes `features/` and `rejects/` into a folder."""
    rules = RowRules(config)
    options = PipelineOptions(["--direct_running_mode=in_memory"])
    with beam.Pipeline(options=options) as pipeline:
        rows = (
            pipeline
            | beam.Create([f"{log_dir}/*.parquet"])
            | beam.io.ReadAllFromParquet(columns=rules.columns, with_filename=True)
            | "Check"
            >> beam.ParDo(_Check(rules)).with_outputs(_REJECTS, main=_ACCEPTED)
        )
        videos = (
            rows[_ACCEPTED]
            | "KeyByVideo" >> beam.Map(lambda row: (row["video_id"], row))
            | "GroupByVideo" >> beam.GroupByKey()
            | "VideoFeatures"
            >> beam.ParDo(_VideoFeatures(config)).with_outputs(_REJECTS, main=_ACCEPTED)
        )
        _ = (
            videos[_ACCEPTED]
            | "KeyByUser" >> beam.Map(lambda row: (row["user_id"], row))
            | "GroupByUser" >> beam.GroupByKey()
            | "UserFeatures" >> beam.ParDo(_UserFeatures(config))
            | "WriteFeatures"
            >> beam.io.WriteToParquet(
                f"{out_dir}/features/part",
                feature_schema(config),
                codec="snappy",
                file_name_suffix=".parquet",
            )
        )
        _ = (
            (rows[_REJECTS], videos[_REJECTS])
            | beam.Flatten()
            | "WriteRejects"
            >> beam.io.WriteToParquet(
                f"{out_dir}/rejects/part",
                REJECT_SCHEMA,
                codec="snappy",
                file_name_suffix=".parquet",
            )
        )


class _Check(beam.DoFn):
    """Rows that keep the contract, in its types; the others are rejects."""

    def __init__(self, rules: RowRules):
        self._rules = rules

    def process(self, element: tuple[str, Row]) -> Iterator[Row | TaggedOutput]:
        path, raw = element
        file = path.rsplit("/", 1)[-1]
        reason = self._rules.broken(raw)
        if reason is None:
            yield {**self._rules.canonical(raw), SOURCE_FILE: file}
        else:
            reject = {"row": as_json(raw), "reason": reason, "source": file}
            yield TaggedOutput(_REJECTS, reject)


class _VideoFeatures(beam.DoFn):
    """Drops a video's duplicates, then counts what came strictly before each row."""

    def __init__(self, config: FeatureConfig):
        self._config = config

    def process(
        self, element: tuple[str, Iterable[Row]]
    ) -> Iterator[Row | TaggedOutput]:
        limits = self._config.new_video
        known = set()
        distinct = []
        for row in sorted(element[1], key=lambda row: row[SOURCE_FILE]):
            file = row.pop(SOURCE_FILE)
            identity = tuple(
                tuple(value) if isinstance(value, list) else value
                for value in row.values()
            )
            if identity in known:
                reason = duplicate_reason(list(row))
                reject = {"row": as_json(row), "reason": reason, "source": file}
                yield TaggedOutput(_REJECTS, reject)
            else:
                known.add(identity)
                distinct.append(row)

        distinct.sort(key=lambda row: row["event_time_ms"])
        earlier, tie_ms = 0, None
        for position, row in enumerate(distinct):
            now = row["event_time_ms"]
            if now != tie_ms:
                earlier, tie_ms = position, now
            upload = row["video_upload_ms"]
            age_ms = None if upload is None or upload > now else now - upload
            row["video_age_hours"] = _hours(age_ms)
            row["video_impressions"] = earlier
            row["is_new_video"] = int(
                age_ms is not None
                and age_ms <= limits.max_days * DAY_MS
                and earlier < limits.max_impressions
            )
            yield row


class _UserFeatures(beam.DoFn):
    """Goes through a user's rows by time and keeps what is known so far."""

    def __init__(self, config: FeatureConfig):
        self._config = config

    def process(self, element: tuple[str, Iterable[Row]]) -> Iterator[Row]:
        history: deque[tuple[str, str, str, int]] = deque(
            maxlen=self._config.history_length
        )
        days: deque[int] = deque(maxlen=8)
        views = 0
        same_time: list[Row] = []
        for row in sorted(element[1], key=_history_order):
            if same_time and row["event_time_ms"] != same_time[0]["event_time_ms"]:
                views += len(same_time)
                day = self._day(same_time[0]["event_time_ms"])
                if not days or days[-1] != day:
                    days.append(day)
                history.extend(_history_item(seen) for seen in same_time)
                same_time = []
            same_time.append(row)
            yield self._example(row, views, days, history)

    def _example(
        self,
        row: Row,
        views: int,
        days: Iterable[int],
        history: Iterable[tuple[str, str, str, int]],
    ) -> Row:
        now, launch = row["event_time_ms"], row["user_first_launch_ms"]
        today = self._day(now)
        active = sum(today - 7 <= day < today for day in days)
        since_launch = None if launch is None else now - launch
        limit = self._config.new_user.max_hours
        is_new = since_launch is not None and since_launch <= limit * HOUR_MS
        if is_new:
            group = "new"
        elif active == 0 and any(day < today for day in days):
            group = "returning"
        else:
            group = "inactive" if active in (1, 2) else "regular"
        return {
            **row,
            **self._labels(row),
            "avc": views + (row["prior_view_count"] or 0),
            "hours_since_first_launch": _hours(since_launch),
            "active_days_7": active,
            "is_new_user": int(is_new),
            "user_group": group,
            "history_video_ids": [item[0] for item in history],
            "history_author_ids": [item[1] for item in history],
            "history_tags": [item[2] for item in history],
            "history_gap_ms": [now - item[3] for item in history],
        }

    def _labels(self, row: Row) -> Row:
        labels = {}
        for name, label in self._config.labels.items():
            if label.column is not None:
                labels[name] = row[label.column]
            elif label.rule == "finish_view":
                labels[name] = int(row["play_time_ms"] >= row["video_duration_ms"])
            else:
                needed = row["video_duration_ms"] * label.percent
                labels[name] = int(row["play_time_ms"] * 100.0 >= needed)
        return labels

    def _day(self, time_ms: int) -> int:
        if self._config.time_zone is not None:
            zone = zoneinfo.ZoneInfo(self._config.time_zone)  # which keeps its objects
            clocks = datetime.datetime.fromtimestamp(time_ms // 1000, zone)
            return clocks.toordinal() - EPOCH
        offset_ms = round((self._config.utc_offset_hours or 0) * HOUR_MS)
        return (time_ms + offset_ms) // DAY_MS


def _history_order(row: Row) -> tuple[Any, ...]:
    _, author, tag, time_ms = _history_item(row)
    return time_ms, row["video_id"], author, tag


def _history_item(row: Row) -> tuple[str, str, str, int]:
    tags = row["video_tags"]
    tag = tags[0] if tags else ""
    return row["video_id"], row["author_id"] or "", tag, row["event_time_ms"]


def _hours(duration_ms: int | None) -> float | None:
    return None if duration_ms is None else float(np.float32(duration_ms / HOUR_MS))
