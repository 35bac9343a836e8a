import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.checks.rows import collect_rows
from preprocessing.checks.validation import validate
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.schema import impression_schema
from tests.helpers.log_rows import LABELS, impression

CONFIG = FeatureConfig(
    labels=LABELS,
    extra=[{"name": "country", "entity": "user", "type": "categorical"}],
)


def outcome(*rows):
    table, misfits = collect_rows(rows, "app", CONFIG)
    accepted, rejects = validate(table, "app", 0, CONFIG)
    reasons = misfits["reason"].to_pylist() + rejects["reason"].to_pylist()
    assert accepted.num_rows + len(reasons) == len(rows)
    return accepted.to_pylist(), reasons


def test_rows_of_one_kind_are_taken_as_they_are():
    rows = [impression("a", country="PK"), impression("b", at=5, country=None)]
    accepted, reasons = outcome(*rows)
    assert not reasons
    assert [{name: row[name] for name in rows[0]} for row in accepted] == rows


def test_rows_of_several_kinds_stand_beside_each_other():
    rows = [
        impression(7, prior_view_count="12", video_tags=["a", "b"]),
        impression("u", prior_view_count=3.0, video_tags="c,d"),
        impression("é", prior_view_count=None, video_tags=None),
    ]
    accepted, reasons = outcome(*rows)
    assert not reasons
    assert [row["user_id"] for row in accepted] == ["7", "u", "é"]
    assert [row["prior_view_count"] for row in accepted] == [12, 3, None]
    assert [row["video_tags"] for row in accepted] == [["a", "b"], ["c", "d"], None]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"user_id": None}, "user_id is missing"),
        ({"user_id": ["a"]}, "user_id is neither text nor a number"),
        ({"video_tags": [{"a": 1}]}, "video_tags is neither text nor a number"),
        ({"event_time_ms": "noon"}, "event_time_ms is not a number"),
        ({"event_time_ms": 2**70}, "event_time_ms is out of range"),
        ({"video_id": "\ud800"}, "video_id is not UTF-8 text"),
        ({"play_time_ms": -1}, "play_time_ms is negative"),
    ],
)
def test_a_bad_value_costs_its_own_row_alone(change, reason):
    accepted, reasons = outcome(impression("a"), impression("b") | change)
    assert [row["user_id"] for row in accepted] == ["a"]
    assert reasons == [reason]


def test_a_row_without_a_needed_column_is_a_reject_and_other_columns_are_left_out():
    accepted, reasons = outcome({"user_id": "a", "more": object()})
    assert not accepted
    assert reasons == ["video_id is missing"]
    assert collect_rows([], "app", CONFIG).table.schema.names == (
        impression_schema(CONFIG).names
    )


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(impression_schema(CONFIG).names), anything, max_size=6
        ).map(lambda change: impression() | change),
        max_size=4,
    )
)
def test_whatever_the_rows_hold_each_is_accepted_or_returned(rows):
    outcome(*rows)
