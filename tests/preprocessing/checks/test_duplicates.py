import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.checks.duplicates import drop_duplicates
from preprocessing.checks.validation import validate
from preprocessing.contract.column_names import SOURCE_FILE, SOURCE_ROW
from preprocessing.contract.config import FeatureConfig
from tests.helpers.log_rows import HOUR, LABELS, START, impression, log_table, rows

CONFIG = FeatureConfig(labels=LABELS)
BY_CONTRACT = "equal to another row in all columns that are read (the contract's)"
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
    assert set(rejects["reason"].to_pylist()) <= {BY_CONTRACT}


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


def number_of_rows_kept(column, kind, *values):
    """Of rows that differ in one declared column, or not even in it."""
    config = FeatureConfig(
        extra=[{"name": column, "entity": "context", "type": kind}], max_reject_rate=1
    )
    ids = {"user_id": "a", "video_id": "x", "event_time_ms": START}
    raw = pa.table(
        {
            **{name: pa.array([value] * len(values)) for name, value in ids.items()},
            column: values,
        }
    )
    accepted = validate(raw, "f", 0, config).accepted
    assert accepted.num_rows == len(values)
    return drop_duplicates(accepted).kept.num_rows


@pytest.mark.parametrize(
    ("kind", "one", "other", "kept"),
    [
        ("numeric", 0.0, -0.0, 1),
        ("numeric", "0", "-0.0", 1),
        ("numeric", float("nan"), float("nan"), 1),
        ("numeric", float("nan"), -float("nan"), 1),
        ("numeric", float("nan"), None, 1),
        ("numeric", 0.0, None, 2),
        ("numeric", "1e0", "1.0", 1),
        ("numeric", 0.1, 0.1 + 1e-12, 1),  # a float32 cannot tell them apart
        ("numeric", 0.1, 0.1001, 2),
        ("categorical", "", None, 1),
        ("categorical", "NaN", None, 2),
        ("categorical", "a", "A", 2),
        ("categorical", "1", "1.0", 2),
        ("list", ["s", "t"], ["s", "t"], 1),
        ("list", ["s", "t"], ["t", "s"], 2),
        ("list", ["s"], ["s", "s"], 2),
        ("list", ["s", None], ["s", ""], 1),
        ("list", [], None, 2),
        ("list", [], [""], 1),
        ("list", None, None, 1),
    ],
)
def test_values_are_compared_as_they_are_read(kind, one, other, kept):
    assert number_of_rows_kept("c", kind, one, other) == kept
    assert number_of_rows_kept("c", kind, other, one) == kept


def test_nan_is_equal_to_every_nan_and_to_no_number():
    bits = np.array([0x7FC00000, 0xFFC00000, 0x7FC00001, 0], np.uint32)
    table = traced([impression()] * 4)
    table = table.append_column("c", pa.array(bits.view(np.float32)))
    assert drop_duplicates(table).kept.num_rows == 2


@pytest.mark.parametrize(
    ("labels", "extra", "compared"),
    [
        ({}, (), "the contract's"),
        ({"like": {"column": "is_like"}}, (), "the contract's"),
        ({"love": {"column": "is_love"}}, ("score",), "the contract's, is_love, score"),
    ],
)
def test_the_reason_names_what_was_compared(labels, extra, compared):
    declared = [{"name": n, "entity": "user", "type": "numeric"} for n in extra]
    config = FeatureConfig(labels=labels, extra=declared)
    row = {"user_id": "a", "video_id": "x", "event_time_ms": START, "is_love": 1}
    twice = pa.Table.from_pylist([{**row, "request": i, "is_like": 0} for i in (1, 2)])
    _, rejects = drop_duplicates(validate(twice, "f", 0, config).accepted)
    assert rejects["reason"].to_pylist() == [
        f"equal to another row in all columns that are read ({compared})"
    ]
