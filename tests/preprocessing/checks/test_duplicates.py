import json

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.checks.duplicates import REASON, drop_duplicates
from preprocessing.checks.validation import validate
from preprocessing.contract.column_names import SOURCE_FILE, SOURCE_ROW
from preprocessing.contract.config import FeatureConfig
from tests.helpers.log_rows import HOUR, LABELS, START, log_table, rows

CONFIG = FeatureConfig(labels=LABELS)
# Few different rows, so that many are equal in all columns or in all but one.
near = st.builds(
    lambda row, change: {**row, **change},
    st.just(
        {
            "user_id": "a",
            "video_id": "x",
            "event_time_ms": START + HOUR,
            "play_time_ms": 1,
            "video_duration_ms": 2,
            "is_like": 0,
            "is_follow": None,
            "author_id": "p",
            "video_tags": ["s"],
            "user_first_launch_ms": None,
            "video_upload_ms": None,
            "prior_view_count": None,
        }
    ),
    st.sampled_from(
        [
            {},
            {"play_time_ms": 2},
            {"author_id": None},
            {"video_tags": None},
            {"video_tags": ["s", "t"]},
            {"video_tags": ["s,t"]},
            {"video_tags": ["s\\", "t"]},
            {"video_tags": ["s\\,t"]},
            {"is_follow": 0},
            {"video_upload_ms": START},
        ]
    ),
)


def traced(log, source="f", first_row=0):
    return validate(log_table(log, CONFIG), source, first_row, CONFIG).accepted


@given(log=st.lists(near | rows, max_size=30))
def test_keeps_the_first_of_equal_rows(log):
    kept, rejects = drop_duplicates(traced(log))
    first = [row for i, row in enumerate(log) if row not in log[:i]]
    names = list(log[0]) if log else []
    assert kept.select(names).to_pylist() == first
    assert rejects.num_rows == len(log) - len(first)
    assert set(rejects["reason"].to_pylist()) <= {REASON}


def test_the_first_is_decided_by_file_and_place_not_by_arrival():
    row = {
        "user_id": "a",
        "video_id": "x",
        "event_time_ms": START,
        "play_time_ms": 1,
        "video_duration_ms": 1,
        "is_like": 0,
    }
    arrived = [traced([row], "b", 0), traced([row], "a", 7), traced([row], "a", 3)]
    kept, rejects = drop_duplicates(pa.concat_tables(arrived))
    assert kept.select([SOURCE_FILE, SOURCE_ROW]).to_pylist() == [
        {SOURCE_FILE: "a", SOURCE_ROW: 3}
    ]
    assert sorted(rejects["source"].to_pylist()) == ["a", "b"]
    original = json.loads(rejects["row"][0].as_py())
    assert {name: original[name] for name in row} == row
    assert SOURCE_FILE not in original


def test_an_empty_table_has_no_duplicates():
    kept, rejects = drop_duplicates(traced([]))
    assert kept.num_rows == rejects.num_rows == 0
