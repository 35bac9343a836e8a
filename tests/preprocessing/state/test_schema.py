import pyarrow as pa
import pytest

from preprocessing.state.schema import (
    USER_STATE_SCHEMA,
    VIDEO_STATE_SCHEMA,
    StateError,
    check_state,
)

USER = {
    "user_id": "a",
    "view_count": 2,
    "active_days": [1],
    "video_ids": ["x"],
    "author_ids": [None],
    "tags": [None],
    "times_ms": [1],
    "long_views": [None],
}


def users(*rows):
    return pa.Table.from_pylist(list(rows), schema=USER_STATE_SCHEMA)


def test_a_good_state_passes():
    state = users(USER, {**USER, "user_id": "b"})
    assert check_state(state, USER_STATE_SCHEMA) is state


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (users(USER, USER), "name each user_id once"),
        (users({**USER, "tags": []}), "differ in length"),
        (users({**USER, "view_count": 0}), "less than the impressions listed"),
        (users(USER).drop(["tags"]), "other columns than expected"),
    ],
)
def test_a_broken_state_is_named(state, message):
    with pytest.raises(StateError, match=message):
        check_state(state, USER_STATE_SCHEMA)


def test_a_video_is_named_once():
    state = pa.Table.from_pylist(
        [{"video_id": "x", "impressions": 1}] * 2, schema=VIDEO_STATE_SCHEMA
    )
    with pytest.raises(StateError, match="name each video_id once"):
        check_state(state, VIDEO_STATE_SCHEMA)
