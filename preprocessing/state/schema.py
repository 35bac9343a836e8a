"""State: what is known of users and videos before a log begins.

One day's run hands it to the next, and serving reads it, so that nobody has to go
through the whole past again. A state describes impressions before the log only.

`USER_STATE_SCHEMA`, one row per user:

| column | |
|---|---|
| `user_id` | text, each once |
| `view_count` | impressions so far, those listed below included, `prior_view_count` not |
| `active_days` | days (`arrays.days.local_day`, in the run's calendar) with an impression: the last one, those of the 7 days before it, and the day before the last one, however long ago |
| `video_ids`, `author_ids`, `tags` | the last impressions, oldest first: video, author and first tag; `author_ids` and `tags` may hold nulls |
| `times_ms` | when, UTC; impressions not listed are taken to be older than these |
| `long_views` | whether each was a long view; null (unknown) counts as no |
| `prior_view_count`, `user_first_launch_ms` | as last given by the log; may be null |

The five lists of a user are equally long. They hold the last `history_length`
impressions that a history may hold (all, or long views: `history_of`), and the user's
very last impression in any case. A user's AVC at some later time is `view_count` plus
`prior_view_count`.

`VIDEO_STATE_SCHEMA`, one row per video: `video_id` and `impressions`, its impressions
so far over all users.
"""  # noqa: E501  (a table's rows cannot be broken)

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.conversion import to_array
from preprocessing.arrays.lists import list_lengths
from preprocessing.contract.schema import TEXT_LIST

USER_STATE_SCHEMA = pa.schema(
    [
        pa.field("user_id", pa.string(), nullable=False),
        pa.field("view_count", pa.int64(), nullable=False),
        pa.field("active_days", pa.list_(pa.int64()), nullable=False),
        pa.field("video_ids", TEXT_LIST, nullable=False),
        pa.field("author_ids", TEXT_LIST, nullable=False),
        pa.field("tags", TEXT_LIST, nullable=False),
        pa.field("times_ms", pa.list_(pa.int64()), nullable=False),
        pa.field("long_views", pa.list_(pa.bool_()), nullable=False),
        pa.field("prior_view_count", pa.int64()),
        pa.field("user_first_launch_ms", pa.int64()),
    ]
)
VIDEO_STATE_SCHEMA = pa.schema(
    [
        pa.field("video_id", pa.string(), nullable=False),
        pa.field("impressions", pa.int64(), nullable=False),
    ]
)
ITEM_COLUMNS = ("video_ids", "author_ids", "tags", "times_ms", "long_views")
_KNOWN_ITEMS = ("video_ids", "times_ms", "active_days")


class StateError(ValueError):
    """A state table that breaks its schema; the message says where."""


def check_state(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Checks a state table: schema, unique keys, lists of equal length.

    Args:
        table: A user state or a video state.
        schema: `USER_STATE_SCHEMA` or `VIDEO_STATE_SCHEMA`.

    Returns:
        The same table.

    Raises:
        StateError: The table breaks one of these rules.
    """
    if table.schema.names != schema.names or table.schema.types != schema.types:
        raise StateError(
            f"a state table has other columns than expected ({schema.names}). "
            f"Received: {table.schema.names}"
        )
    key = schema.names[0]
    keys = table[key]
    if keys.null_count or len(pc.unique(keys)) < len(keys):
        raise StateError(f"a state table must name each {key} once")
    _check_no_nulls(table, schema)
    if "video_ids" in schema.names:
        lengths = [list_lengths(table[name]) for name in ITEM_COLUMNS]
        if any((other != lengths[0]).any() for other in lengths[1:]):
            raise StateError(f"a user's lists {ITEM_COLUMNS} differ in length")
        counts = table["view_count"].to_numpy()
        if (counts < lengths[0]).any():
            raise StateError("a user's view_count is less than the impressions listed")
    return table


def _check_no_nulls(table: pa.Table, schema: pa.Schema) -> None:
    for field in schema:
        column = table[field.name]
        if not field.nullable and column.null_count:
            raise StateError(f"a state table's column '{field.name}' holds nulls")
        if field.name in _KNOWN_ITEMS and to_array(column).flatten().null_count:
            raise StateError(f"a list of a state's '{field.name}' holds nulls")
