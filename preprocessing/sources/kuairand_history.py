"""KuaiRand's `history_exposures_*.csv` as user state.

The file lists the last impressions before the log, each user's total (`history_len`,
the state's `view_count`) and the time of the very last one. The times of the others are
unknown, so all of a user's impressions carry the last one's time, their order is that
of `rel_pos`, and the last day is the only one known to be active. Where
`label_ambiguous` is 1, it is unknown whether the impression was a long view.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.conversion import to_array, to_int64
from preprocessing.arrays.days import Calendar, local_day
from preprocessing.arrays.lists import make_lists, offsets_of
from preprocessing.contract.column_names import AUTHOR_ID, TAGS, VIDEO_ID
from preprocessing.readers.csv_texts import read_texts
from preprocessing.state.schema import USER_STATE_SCHEMA, check_state
from preprocessing.storage.files import DataFile, SourceError

_NUMBERS = ("rel_pos", "long_view", "label_ambiguous", "history_len", "last_time_ms")
_COLUMNS = ("user_id", "video_id", *_NUMBERS)


def read_history(file: DataFile, videos: pa.Table, calendar: Calendar) -> pa.Table:
    """Reads the file into a user state.

    Args:
        file: The history file.
        videos: `video_id`, `author_id` and `video_tags` (separated by commas), texts.
        calendar: Where days begin, as for `local_day`.

    Returns:
        By `state.schema.USER_STATE_SCHEMA`.

    Raises:
        SourceError: A column is missing or a cell is no number.
    """
    table = _read(file)
    users = to_array(pc.unique(table["user_id"]))
    user = to_array(pc.index_in(table["user_id"], value_set=users)).to_numpy()
    order = np.lexsort([table["rel_pos"].to_numpy(), user])
    table = table.take(pa.array(order))
    offsets = offsets_of(np.bincount(user, minlength=len(users)))
    last = table.take(pa.array(offsets[1:] - 1))

    video = to_array(table["video_id"])
    row = pc.index_in(video, value_set=to_array(videos[VIDEO_ID]))
    tags = pc.list_element(
        pc.split_pattern(to_array(videos[TAGS]), ",", max_splits=1), 0
    )
    unknown = pc.equal(to_array(table["label_ambiguous"]), 1)
    long_view = pc.equal(to_array(table["long_view"]), 1)
    days = local_day(last["last_time_ms"].to_numpy(), calendar)

    def lists(values: pa.Array) -> pa.ListArray:
        return make_lists(offsets, values)

    state = pa.Table.from_arrays(
        [
            users,
            to_array(last["history_len"]),
            make_lists(np.arange(len(users) + 1), pa.array(days)),
            lists(video),
            lists(to_array(videos[AUTHOR_ID]).take(row)),
            lists(tags.take(row)),
            lists(to_array(table["last_time_ms"])),
            lists(pc.if_else(unknown, pa.scalar(None, pa.bool_()), long_view)),
            pa.nulls(len(users), pa.int64()),
            pa.nulls(len(users), pa.int64()),
        ],
        schema=USER_STATE_SCHEMA,
    )
    return check_state(state, USER_STATE_SCHEMA)


def _read(file: DataFile) -> pa.Table:
    """The file's columns, ids as text and the rest as int64."""
    table = read_texts(file, _COLUMNS)
    if not table.num_rows:
        raise SourceError(f"{file.name} has no rows")
    for name in _NUMBERS:
        values, _ = to_int64(to_array(table[name]))
        if values.null_count:
            raise SourceError(f"{file.name}: column '{name}' has a cell without number")
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, values)
    return table
