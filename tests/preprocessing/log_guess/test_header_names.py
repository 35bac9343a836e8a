"""Names for columns of files without a header."""

import numpy as np
import pyarrow as pa
import pytest

from preprocessing.log_guess.header_names import name_columns
from preprocessing.log_guess.profiles import profile_columns

_RANDOM = np.random.default_rng(3)
_USERS = _RANDOM.integers(40, size=500)
_ITEMS = _RANDOM.integers(60, size=500)
_TIMES = [str(1_600_000_000 + 7001 * n) for n in range(500)]


def names_of(*columns, file="log.csv"):
    table = pa.table(
        {f"column_{n + 1}": [str(c) for c in cells] for n, cells in enumerate(columns)}
    )
    return name_columns(profile_columns(table, False), file)


def test_the_first_ids_are_users_the_finer_others_items():
    groups = _ITEMS // 6 + 900
    assert names_of(_USERS, _ITEMS + 5000, groups, _TIMES) == [
        "user_id",
        "item_id",
        "item_group",
        "timestamp",
    ]


@pytest.mark.parametrize(
    ("user", "item"),
    [("U{}", "N{}"), ("user_{:05d}", "7{:05d}"), ("A{:012d}", "B0{:08d}")],
)
def test_what_ids_look_like_decides_before_their_place(user, item):
    users = [user.format(n) for n in _USERS]
    items = [item.format(n) for n in _ITEMS]
    assert names_of(items, users, _TIMES) == ["item_id", "user_id", "timestamp"]


def test_a_file_may_be_called_like_its_columns():
    file = "userid-timestamp-artid.tsv"
    assert names_of(_USERS, _TIMES, _ITEMS, file=file) == [
        "userid",
        "timestamp",
        "artid",
    ]


def test_ratings_and_flags_are_no_ids():
    stars, flags = _RANDOM.integers(1, 6, 500), _RANDOM.integers(2, size=500)
    assert names_of(_USERS, _ITEMS, stars, flags, _TIMES) == [
        "user_id",
        "item_id",
        "rating",
        "label",
        "timestamp",
    ]
