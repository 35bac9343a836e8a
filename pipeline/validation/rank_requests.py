"""`rank` requests made of real impressions: for demos, examples and comparisons."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from pipeline.config import RunConfig
from pipeline.examples.example_files import serialized_batches
from pipeline.model.export import raw_columns
from serving.export.signatures import RawColumn


@dataclass(frozen=True)
class RankRequest:
    """One user and its candidates, as JSON-ready values.

    Attributes:
        user_group: The user's group at that impression.
        user: The user's and the context's columns, one value or list each.
        candidates: The video's columns, one entry a candidate.
    """

    user_group: str
    user: dict[str, Any]
    candidates: dict[str, list[Any]]


def sample_requests(
    config: RunConfig, split_dir: str, groups: tuple[str, ...], candidates: int = 10
) -> list[RankRequest]:
    """The last impression's user of each group, with videos of the same split.

    Args:
        config: The run's configuration.
        split_dir: A split of raw examples.
        groups: User groups to look for; one that has no impression is left out.
        candidates: Videos to rank, the most impressed first.
    """
    columns = raw_columns(config)
    rows = read_rows(columns, serialized_batches(split_dir))
    videos = _most_impressed(rows, candidates)
    requests = []
    for group in groups:
        of_group = [row for row in rows if row["user_group"] == group]
        if not of_group:
            continue
        user = max(of_group, key=lambda row: row["event_time_ms"])
        requests.append(
            RankRequest(
                user_group=group,
                user={c.name: user[c.name] for c in columns if not c.candidate},
                candidates={
                    c.name: [video[c.name] for video in videos]
                    for c in columns
                    if c.candidate
                },
            )
        )
    return requests


def write_requests(config: RunConfig, split_dir: str, folder: Path) -> None:
    """Writes one request a user group, for `poso rank`: `new.json`, `regular.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    for request in sample_requests(config, split_dir, ("new", "regular")):
        body = {"user": request.user, "candidates": request.candidates}
        path = folder / f"{request.user_group}.json"
        path.write_text(json.dumps(body, indent=1), encoding="utf-8")


def _most_impressed(rows: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """The last row of each of the most impressed videos."""
    last: dict[str, dict[str, Any]] = {}
    seen: dict[str, int] = {}
    for row in sorted(rows, key=lambda row: row["event_time_ms"]):
        last[row["video_id"]] = row
        seen[row["video_id"]] = seen.get(row["video_id"], 0) + 1
    chosen = sorted(seen, key=lambda video: (-seen[video], video))[:count]
    return [last[video] for video in chosen]


def read_rows(
    columns: list[RawColumn], batches: Iterable[tf.Tensor]
) -> list[dict[str, Any]]:
    """Serialized examples as JSON-ready values, None where an optional one is missing.

    Args:
        columns: What to read, beside `user_group` and `event_time_ms`.
        batches: Serialized examples, [batch] strings at a time.
    """
    spec = {column.name: column.parsing for column in columns}
    spec["user_group"] = tf.io.FixedLenFeature([], tf.string)
    spec["event_time_ms"] = tf.io.FixedLenFeature([], tf.int64)
    scalars = {c.name for c in columns if c.kind != "list"}
    scalars |= {"user_group", "event_time_ms"}
    rows = []
    for batch in batches:
        parsed = tf.io.parse_example(batch, spec)
        lists = {name: _as_lists(value) for name, value in parsed.items()}
        for index in range(len(batch)):
            rows.append(
                {
                    name: _scalar(values[index]) if name in scalars else values[index]
                    for name, values in lists.items()
                }
            )
    return rows


def _as_lists(value: Any) -> list[Any]:
    if isinstance(value, tf.RaggedTensor):
        return [[_plain(v) for v in row] for row in value.numpy()]
    return [_plain(v) for v in np.asarray(value)]


def _scalar(value: Any) -> Any:
    """A value, or None where an optional one is missing."""
    if isinstance(value, list):
        return value[0] if value else None
    return value


def _plain(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value.item()
