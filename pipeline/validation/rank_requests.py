"""`rank` requests made of real impressions: for demos, examples and comparisons.

A split is looked through by number; only the few examples that are chosen become Python
values.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from pipeline.config import InputConfig
from pipeline.examples.example_files import serialized_batches, take_examples
from pipeline.examples.id_codes import IdCodes
from pipeline.model.export import raw_columns
from serving.export.signatures import RawColumn


@dataclass(frozen=True)
class RankRequest:
    """One user and its candidates, as JSON-ready values.

    Attributes:
        user_group: The user's group at that impression.
        user: The user's and the context's columns, one value or list each.
        candidates: The video's columns, one entry per candidate.
    """

    user_group: str
    user: dict[str, Any]
    candidates: dict[str, list[Any]]


def sample_requests(
    config: InputConfig, split_dir: str, groups: tuple[str, ...], candidates: int = 10
) -> list[RankRequest]:
    """The last impression's user of each group, with videos of the same split.

    Args:
        config: The run's configuration.
        split_dir: A split of raw examples.
        groups: User groups to look for; one that has no impression is left out.
        candidates: Videos to rank, the most impressed first.
    """
    columns = raw_columns(config)
    found = _find_places(split_dir, groups, candidates)
    places = [*found.users.values(), *found.videos]
    examples = take_examples(split_dir, places)
    rows = read_rows(columns, [tf.constant(examples, tf.string)] if examples else [])
    users, videos = rows[: len(found.users)], rows[len(found.users) :]
    return [
        RankRequest(
            user_group=group,
            user={c.name: user[c.name] for c in columns if not c.candidate},
            candidates={
                c.name: [video[c.name] for video in videos]
                for c in columns
                if c.candidate
            },
        )
        for group, user in zip(found.users, users, strict=True)
    ]


def write_requests(config: InputConfig, split_dir: str, folder: Path) -> None:
    """Writes `new.json` and `regular.json`, one request per user group.

    Nothing is done where the same split and inputs made those that are there.
    """
    inputs = config.model_dump(mode="json", include=set(InputConfig.model_fields))
    noted = folder / _MADE_OF
    made_of = {"split": split_dir, "inputs": inputs}
    if _are_there(noted, made_of):
        return
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for request in sample_requests(config, split_dir, ("new", "regular")):
        body = {"user": request.user, "candidates": request.candidates}
        path = folder / f"{request.user_group}.json"
        path.write_text(json.dumps(body, indent=1), encoding="utf-8")
        files.append(path.name)
    noted.write_text(json.dumps({**made_of, "files": files}), encoding="utf-8")


_MADE_OF = ".made_of"


def _are_there(noted: Path, made_of: dict[str, Any]) -> bool:
    try:
        known = json.loads(noted.read_text(encoding="utf-8"))
        files = known.pop("files")
    except (OSError, ValueError, KeyError, AttributeError):
        return False
    return known == made_of and all((noted.parent / name).exists() for name in files)


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


@dataclass(frozen=True)
class _Places:
    """Numbers of examples in a split: each group's last, each video's last."""

    users: dict[str, int]
    videos: list[int]


def _find_places(split_dir: str, groups: tuple[str, ...], candidates: int) -> _Places:
    """Looks through a split once; of each video and group a few numbers are kept."""
    spec = {
        "video_id": tf.io.FixedLenFeature([], tf.string),
        "user_group": tf.io.FixedLenFeature([], tf.string),
        "event_time_ms": tf.io.FixedLenFeature([], tf.int64),
    }
    videos = _VideoPlaces()
    last: dict[str, tuple[int, int]] = {}
    start = 0
    for batch in serialized_batches(split_dir):
        parsed = {n: v.numpy() for n, v in tf.io.parse_example(batch, spec).items()}
        times = parsed["event_time_ms"]
        videos.add(parsed["video_id"], times, start)
        for group in groups:
            of_group = np.flatnonzero(parsed["user_group"] == group.encode())
            if not len(of_group):
                continue
            place = int(of_group[np.argmax(times[of_group])])
            if group not in last or times[place] > last[group][0]:
                last[group] = (int(times[place]), start + place)
        start += len(times)
    users = {group: last[group][1] for group in groups if group in last}
    return _Places(users, videos.most_impressed(candidates))


class _VideoPlaces:
    """Counts each video's impressions and knows where its last one is."""

    def __init__(self) -> None:
        self._codes = IdCodes()
        self._counts = np.zeros(0, np.int64)
        self._last_ms = np.zeros(0, np.int64)
        self._place = np.zeros(0, np.int64)

    def add(self, videos: np.ndarray, times: np.ndarray, start: int) -> None:
        """Adds a batch whose first example has the number `start`."""
        codes = self._codes.encode(videos)
        new = len(self._codes) - len(self._counts)
        lowest = np.iinfo(np.int64).min
        self._counts = np.pad(self._counts, (0, new))
        self._last_ms = np.pad(self._last_ms, (0, new), constant_values=lowest)
        self._place = np.pad(self._place, (0, new))
        self._counts += np.bincount(codes, minlength=len(self._counts))
        order = np.argsort(times, kind="stable")
        order = order[times[order] >= self._last_ms[codes[order]]]
        # Of a video that is there several times, the last assignment stays.
        self._last_ms[codes[order]] = times[order]
        self._place[codes[order]] = start + order

    def most_impressed(self, count: int) -> list[int]:
        """Where the most impressed videos were last, the most impressed first."""
        ids = self._codes.ids
        chosen = heapq.nsmallest(
            count, range(len(ids)), key=lambda code: (-self._counts[code], ids[code])
        )
        return [int(self._place[code]) for code in chosen]


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
