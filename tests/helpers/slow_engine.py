"""The feature table computed row by row, by the definitions, as slowly as that goes."""

import datetime
import zoneinfo
from typing import Any

import numpy as np

from preprocessing.contract.config import FeatureConfig, LabelConfig

Row = dict[str, Any]
HOUR = 3_600_000
DAY = 24 * HOUR
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def slow_features(
    log: list[Row],
    config: FeatureConfig,
    user_state: dict[str, Row] | None = None,
    video_state: dict[str, int] | None = None,
) -> list[Row]:
    """The features of every distinct row, in the log's order."""
    kept: list[Row] = []
    for row in log:
        if row not in kept:
            kept.append(row)
    past = [{**row, **_labels(row, config)} for row in kept]
    return [
        _example(row, past, config, user_state or {}, video_state or {}) for row in past
    ]


def slow_user_state(past: list[Row], config: FeatureConfig) -> list[Row]:
    """The user state that a run over `past`, without repeated rows, leaves."""
    states = []
    for user in sorted({row["user_id"] for row in past}):
        mine = [{**r, **_labels(r, config)} for r in past if r["user_id"] == user]
        mine.sort(key=_history_order)
        may_hold = [
            row
            for row in mine
            if config.history_of == "impressions" or row["long_view"] == 1
        ]
        items = may_hold[-config.history_length :]
        if mine[-1] not in items:
            items.append(mine[-1])
        items.sort(key=_history_order)
        days = sorted({_day(row["event_time_ms"], config) for row in mine})
        states.append(
            {
                "user_id": user,
                "view_count": len(mine),
                "active_days": [
                    day for day in days if day >= days[-1] - 7 or day == days[-2]
                ],
                "video_ids": [row["video_id"] for row in items],
                "author_ids": [row["author_id"] for row in items],
                "tags": [_first_tag(row) or None for row in items],
                "times_ms": [row["event_time_ms"] for row in items],
                "long_views": [_as_bool(row["long_view"]) for row in items],
                "prior_view_count": _last_known(mine, "prior_view_count"),
                "user_first_launch_ms": _last_known(mine, "user_first_launch_ms"),
            }
        )
    return states


def slow_video_state(past: list[Row]) -> list[Row]:
    """The video state that a run over `past`, without repeated rows, leaves."""
    return [
        {
            "video_id": video,
            "impressions": len([row for row in past if row["video_id"] == video]),
        }
        for video in sorted({row["video_id"] for row in past})
    ]


def _last_known(rows: list[Row], name: str) -> int | None:
    known = [(r["event_time_ms"], r[name]) for r in rows if r[name] is not None]
    return max(known)[1] if known else None


def _labels(row: Row, config: FeatureConfig) -> Row:
    labels: Row = {}
    for name, label in config.labels.items():
        if any(row[column] is None for column in _columns(label)):
            labels[name] = None
        elif label.at_least is not None:
            labels[name] = int(row[label.column] >= label.at_least)
        elif label.column:
            labels[name] = row[label.column]
        elif label.rule == "finish_view":
            labels[name] = int(row["play_time_ms"] >= row["video_duration_ms"])
        else:
            needed = row["video_duration_ms"] * label.percent
            labels[name] = int(row["play_time_ms"] * 100 >= needed)
    return labels


def _columns(label: LabelConfig) -> tuple[str, ...]:
    if label.column:
        return (label.column,)
    return ("play_time_ms", "video_duration_ms")


def _example(
    row: Row,
    past: list[Row],
    config: FeatureConfig,
    user_state: dict[str, Row],
    video_state: dict[str, int],
) -> Row:
    now = row["event_time_ms"]
    earlier = [other for other in past if other["event_time_ms"] < now]
    mine = [other for other in earlier if other["user_id"] == row["user_id"]]
    of_video = [other for other in earlier if other["video_id"] == row["video_id"]]
    state = user_state.get(row["user_id"])
    listed = _listed(state) if state else []

    avc = len(mine) + (state["view_count"] if state else 0)
    avc += row["prior_view_count"] or 0
    launch = row["user_first_launch_ms"]
    hours = None if launch is None else (now - launch) / HOUR
    today = _day(now, config)
    days = {_day(other["event_time_ms"], config) for other in mine}
    days |= set(state["active_days"]) if state else set()
    active = len([day for day in days if today - 7 <= day <= today - 1])
    if config.new_user.max_avc is not None:
        is_new = avc <= config.new_user.max_avc
    else:
        is_new = hours is not None and hours <= config.new_user.max_hours
    days |= {_day(other["event_time_ms"], config) for other in listed}
    if is_new:
        group = "new"
    elif active == 0 and min(days, default=today) < today:
        group = "returning"
    elif active in (1, 2):
        group = "inactive"
    else:
        group = "regular"

    history = listed + sorted(mine, key=_history_order)
    if config.history_of == "long_views":
        history = [other for other in history if other["long_view"] == 1]
    history = history[-config.history_length :]
    upload = row["video_upload_ms"]
    age = None if upload is None or upload > now else (now - upload) / HOUR
    impressions = len(of_video) + video_state.get(row["video_id"], 0)
    is_new_video = (
        age is not None
        and age <= config.new_video.max_days * 24
        and impressions < config.new_video.max_impressions
    )
    return {
        **row,
        "avc": avc,
        "hours_since_first_launch": _float32(hours),
        "active_days_7": active,
        "is_new_user": int(is_new),
        "user_group": group,
        "history_video_ids": [other["video_id"] for other in history],
        "history_author_ids": [other["author_id"] or "" for other in history],
        "history_tags": [_first_tag(other) for other in history],
        "history_gap_ms": [now - other["event_time_ms"] for other in history],
        "video_age_hours": _float32(age),
        "video_impressions": impressions,
        "is_new_video": int(is_new_video),
    }


def _listed(state: Row) -> list[Row]:
    return [
        {
            "video_id": state["video_ids"][i],
            "author_id": state["author_ids"][i],
            "video_tags": [state["tags"][i]] if state["tags"][i] else [],
            "event_time_ms": state["times_ms"][i],
            "long_view": state["long_views"][i],
        }
        for i in range(len(state["video_ids"]))
    ]


def _history_order(row: Row) -> tuple:
    author, tag = row["author_id"] or "", _first_tag(row)
    unknown_first = -1 if row["long_view"] is None else row["long_view"]
    return row["event_time_ms"], row["video_id"], author, tag, unknown_first


def _as_bool(label: int | None) -> bool | None:
    return None if label is None else label == 1


def _first_tag(row: Row) -> str:
    return row["video_tags"][0] if row["video_tags"] else ""


def _day(time_ms: int, config: FeatureConfig) -> int:
    if config.time_zone is None:
        return int((time_ms + (config.utc_offset_hours or 0) * HOUR) // DAY)
    second = EPOCH + datetime.timedelta(seconds=time_ms // 1000)
    date = second.astimezone(zoneinfo.ZoneInfo(config.time_zone)).date()
    return (date - EPOCH.date()).days


def _float32(value: float | None) -> float | None:
    return None if value is None else float(np.float32(value))
