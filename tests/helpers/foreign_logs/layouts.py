"""The ten layouts: who writes each, and what is expected of reading it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.helpers.foreign_logs import exports, feeds, ratings, shops
from tests.helpers.foreign_logs.views import Written


class Layout(NamedTuple):
    """A layout and what `poso init` should make of it.

    Attributes:
        write: Writes the log into a folder; says what is in it.
        columns: The log's columns (or header names) behind the contract's.
        labels: The labels in the order of the configuration.
    """

    write: Callable[[Path], Written]
    columns: dict[str, object]
    labels: tuple[str, ...]


_MS = "event_time_ms"

LAYOUTS: dict[str, Layout] = {
    "kuairand": Layout(
        feeds.write_kuairand, {}, ("long_view", "click", "like", "follow")
    ),
    "kuairec": Layout(
        feeds.write_kuairec,
        {
            "user_id": "user_id",
            "video_id": "video_id",
            _MS: {"column": "timestamp", "unit": "s"},
            "play_time_ms": "play_duration",
            "video_duration_ms": "video_duration",
        },
        ("long_view", "finish_view"),
    ),
    "movielens": Layout(
        ratings.write_movielens,
        {
            "user_id": "userId",
            "video_id": "movieId",
            _MS: {"column": "timestamp", "unit": "s"},
        },
        ("liked",),
    ),
    "mind": Layout(
        feeds.write_mind,
        {
            "user_id": "user_id",
            "video_id": "video_id",
            _MS: {"column": "timestamp", "format": "%m/%d/%Y %I:%M:%S %p"},
        },
        ("clicked",),
    ),
    "criteo": Layout(
        shops.write_criteo,
        {
            "user_id": "uid",
            "video_id": "campaign",
            _MS: {"column": "timestamp", "unit": "s", "since": "2020-01-01"},
        },
        ("click", "conversion"),
    ),
    "taobao": Layout(
        shops.write_taobao,
        {
            "user_id": "user_id",
            "video_id": "item_id",
            _MS: {"column": "timestamp", "unit": "s"},
            "is_buy": {"column": "behavior", "equals": ["buy"]},
        },
        ("engaged", "buy"),
    ),
    "amazon": Layout(
        ratings.write_amazon,
        {
            "user_id": "user_id",
            "video_id": "item_id",
            _MS: {"column": "timestamp", "unit": "s"},
        },
        ("liked",),
    ),
    "lastfm": Layout(
        ratings.write_lastfm,
        {
            "user_id": "userid",
            "video_id": "traid",
            "author_id": "artid",
            _MS: {"column": "timestamp", "unit": "iso8601"},
        },
        ("played",),
    ),
    "clickstream": Layout(
        exports.write_clickstream,
        {
            "user_id": "visitor_id",
            "video_id": "product_id",
            _MS: {"column": "occurred_at", "unit": "iso8601"},
            "is_buy": {"column": "event_type", "equals": ["purchase"]},
        },
        ("engaged", "buy"),
    ),
    "warehouse": Layout(
        exports.write_warehouse,
        {
            "user_id": "CUSTOMER_ID",
            "video_id": "CONTENT_ID",
            _MS: "EVENT_TS",
            "play_time_ms": {"column": "WATCH_SECONDS", "unit": "s"},
            "video_duration_ms": {"column": "CONTENT_SECONDS", "unit": "s"},
        },
        ("long_view", "finish_view", "liked"),
    ),
}
