"""A user's past as sorted events, and the window of it that each impression may see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.conversion import to_array
from preprocessing.arrays.lists import (
    first_elements,
    list_lengths,
    make_lists,
    offsets_of,
)
from preprocessing.arrays.ranks import run_starts, text_ranks
from preprocessing.contract.column_names import (
    AUTHOR_ID,
    EVENT_TIME,
    LONG_VIEW,
    TAGS,
    VIDEO_ID,
)

# Lists of codes: a text occurs in some thirty histories of its user, but is copied,
# kept and written to Parquet's dictionaries only once.
HISTORY_TEXTS = pa.list_(pa.dictionary(pa.int32(), pa.string()))

# Elements of one list column built at a time; keeps offsets inside int32.
_BLOCK_ELEMENTS = 1 << 22


@dataclass(frozen=True)
class Events:
    """Impressions of log and state, grouped by user and ordered by time.

    At equal times a user's events of the state come before those of the log; the
    state's keep their order, the log's are ordered by video, author and tag as text,
    and then by long view, an unknown one first.

    Attributes:
        user: User code, int64 [events].
        time_ms: int64 [events].
        long_view: Boolean [events]; null where it is unknown.
        video, author, tag: Texts [events]; an unknown author or tag is "".
        user_start: Index of the same user's first event, int64 [events].
        tie_start: Index of the first event of the same user and time [events]; the
            events from `user_start` to `tie_start` are the strictly earlier ones.
        log_position: Index of each log row's event, int64 [rows].
    """

    user: np.ndarray
    time_ms: np.ndarray
    long_view: pa.BooleanArray
    video: pa.Array
    author: pa.Array
    tag: pa.Array
    user_start: np.ndarray
    tie_start: np.ndarray
    log_position: np.ndarray


def collect_events(
    table: pa.Table, user: np.ndarray, state: pa.Table, state_user: np.ndarray
) -> Events:
    """Merges a log's rows with the impressions that a state lists.

    Args:
        table: Impressions, of which video, author, tags, time and the column
            `long_view`, if there is one, are read.
        user: User code of each row, int64 [rows].
        state: By `state.schema.USER_STATE_SCHEMA`.
        state_user: User code of each state row, int64 [users].
    """
    rows = table.num_rows
    lengths = list_lengths(state["video_ids"])
    items = {name: to_array(state[name]).flatten() for name in _ITEM_LISTS}
    users = np.concatenate([user, np.repeat(state_user, lengths)])
    times = np.concatenate([table[EVENT_TIME].to_numpy(), items["times_ms"].to_numpy()])
    in_log = np.arange(len(users)) < rows
    place = np.where(in_log, np.iinfo(np.int64).max, np.arange(len(users)))
    texts = [
        _joined(to_array(table[VIDEO_ID]), items["video_ids"]),
        _joined(to_array(table[AUTHOR_ID]), items["author_ids"]),
        _joined(first_elements(to_array(table[TAGS])), items["tags"]),
    ]
    long_views = pa.concat_arrays([_log_long_views(table), items["long_views"]])
    ranks = [text_ranks(text) for text in reversed(texts)]
    order = np.lexsort([_as_order(long_views), *ranks, place, times, users])

    users, times = users[order], times[order]
    position = np.empty(len(order), dtype=np.int64)
    position[order] = np.arange(len(order))
    index = pa.array(order)
    video, author, tag = (text.take(index) for text in texts)
    return Events(
        user=users,
        time_ms=times,
        long_view=long_views.take(index),
        video=video,
        author=author,
        tag=tag,
        user_start=run_starts(users),
        tie_start=run_starts(users, times),
        log_position=position[:rows],
    )


def eligible_events(events: Events, history_of: str) -> np.ndarray:
    """Which events a history may hold, bool [events].

    Args:
        events: Of `collect_events`.
        history_of: "impressions" (all) or "long_views".
    """
    if history_of == "long_views":
        return _as_bool(events.long_view)
    return np.ones(len(events.user), dtype=bool)


def history_columns(
    events: Events, eligible: np.ndarray, length: int
) -> dict[str, pa.ChunkedArray]:
    """The last `length` eligible events strictly before each log row, oldest first.

    Args:
        events: Of `collect_events`.
        eligible: Which events a history may hold, bool [events].
        length: Longest history.

    Returns:
        Lists [rows] of `history_video_ids`, `history_author_ids`, `history_tags`
        (texts, as codes of a dictionary) and `history_gap_ms` (int64, the row's time
        less the event's).
    """
    rows = events.log_position
    before = offsets_of(eligible)
    end = before[events.tie_start[rows]]
    begin = np.maximum(before[events.user_start[rows]], end - length)
    kept = np.flatnonzero(eligible)
    texts = [
        text.dictionary_encode() for text in (events.video, events.author, events.tag)
    ]
    block = max(1, _BLOCK_ELEMENTS // length)
    chunks: dict[str, list[pa.Array]] = {name: [] for name in _LIST_TYPES}
    for start in range(0, max(len(rows), 1), block):
        part = slice(start, start + block)
        lists = _window(events, texts, kept, begin[part], end[part], rows[part])
        for name, chunk in lists.items():
            chunks[name].append(chunk)
    return {
        name: pa.chunked_array(parts, type=_LIST_TYPES[name])
        for name, parts in chunks.items()
    }


_ITEM_LISTS = ("video_ids", "author_ids", "tags", "times_ms", "long_views")
_LIST_TYPES = {
    "history_video_ids": HISTORY_TEXTS,
    "history_author_ids": HISTORY_TEXTS,
    "history_tags": HISTORY_TEXTS,
    "history_gap_ms": pa.list_(pa.int64()),
}


def _window(
    events: Events,
    texts: list[pa.DictionaryArray],
    kept: np.ndarray,
    begin: np.ndarray,
    end: np.ndarray,
    rows: np.ndarray,
) -> dict[str, pa.Array]:
    """The lists of a block of rows; `begin` to `end` are places in `kept`."""
    lengths = end - begin
    offsets = offsets_of(lengths)
    within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
    event = kept[np.repeat(begin, lengths) + within]
    gaps = np.repeat(events.time_ms[rows], lengths) - events.time_ms[event]
    index = pa.array(event)
    values = (*(text.take(index) for text in texts), pa.array(gaps))
    return {
        name: make_lists(offsets, value)
        for name, value in zip(_LIST_TYPES, values, strict=True)
    }


def _joined(log: pa.Array, state: pa.Array) -> pa.Array:
    return pc.fill_null(pa.concat_arrays([log, state]), "")


def _log_long_views(table: pa.Table) -> pa.BooleanArray:
    if LONG_VIEW not in table.column_names:
        return pa.nulls(table.num_rows, pa.bool_())
    return to_array(pc.equal(table[LONG_VIEW], 1))


def _as_order(values: pa.BooleanArray) -> np.ndarray:
    """-1 for null, 0 for false, 1 for true, int8 [events]."""
    codes = pc.fill_null(values.cast(pa.int8()), -1)
    return codes.to_numpy(zero_copy_only=False)


def _as_bool(values: pa.Array) -> np.ndarray:
    return pc.fill_null(values, False).to_numpy(zero_copy_only=False).astype(bool)
