"""A few impressions of wrong clocks do not say where a log ends."""

import datetime
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preprocessing.checks.log_end import count_utc_days, drop_after_end, log_end
from preprocessing.checks.validation import validate
from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.in_memory import compute_feature_table
from tests.helpers.log_rows import LABELS, impression, log_table, logs

DAY = 86_400_000
CONFIG = FeatureConfig(labels=LABELS, shards=3)


def days(*rows):
    """Day 100 and those after it."""
    return Counter({100 + day: count for day, count in enumerate(rows) if count})


@pytest.mark.parametrize(
    ("counts", "end"),
    [
        (Counter(), None),
        (days(1), None),
        (days(100, 100, 100), None),
        (days(100, 100) + Counter({4000: 1}), 101),
        (days(100, 100) + Counter({4000: 9}), 101),
        (days(100, 100) + Counter({4000: 10}), None),
        (days(100, 100) + Counter({3000: 5, 4000: 5}), 3000),
        (days(100, 100) + Counter({3000: 4, 4000: 5}), 101),
        (days(100, 100) + Counter({109: 1}), None),  # seven days without any
        (days(100, 100) + Counter({110: 1}), 101),
        (
            days(100, 100) + Counter({108: 1, 116: 1, 124: 1}),
            None,
        ),  # a thin log goes on
        (days(11) + Counter({4000: 1}), 100),
        (days(10) + Counter({4000: 1}), None),  # too few to say what is usual
        (days(*[1] * 300) + Counter({4000: 1}), None),
        (days(100, 100) + Counter({5: 1}), None),  # the past is no end
        (Counter({5: 1}) + days(100, 100) + Counter({4000: 1}), 101),
        (days(*[1000] * 3) + Counter({500: 900}), None),  # back after a year
    ],
)
def test_the_end_is_before_the_few_that_come_long_after(counts, end):
    assert log_end(counts, CONFIG) == end


def test_a_configured_last_day_is_the_only_end():
    config = CONFIG.model_copy(update={"last_day": datetime.date(2100, 1, 1)})
    assert log_end(days(100, 100) + Counter({4000: 1}), config) is None


def test_days_are_counted_in_utc():
    rows = [impression(at=hour * 3_600_000) for hour in (0, 18, 19, 42, 43)]
    accepted = validate(log_table(rows, CONFIG), "log", 0, CONFIG).accepted
    assert count_utc_days(accepted) == {19097: 2, 19098: 2, 19099: 1}
    within, rejects = drop_after_end(accepted, 19098)
    assert (within.num_rows, rejects.num_rows) == (4, 1)
    assert "which end on 2022-04-16" in rejects["reason"][0].as_py()
    assert drop_after_end(accepted, None).rejects.num_rows == 0


@pytest.fixture(scope="module")
def usual_day():
    """Impressions of the newest day, so many that a few are not usual."""
    return [impression(f"u{i % 7}", f"v{i}", at=600 * DAY + i) for i in range(120)]


@settings(max_examples=30)
@given(
    log=logs,
    strays=st.lists(
        st.tuples(st.sampled_from(["a", "u3", "nobody"]), st.integers(9, 700)),
        min_size=1,
        max_size=5,
    ),
)
def test_the_rest_of_a_log_is_as_without_the_wrong_clocks(
    tmp_path_factory, usual_day, log, strays
):
    log = log + usual_day
    stray = [
        impression(user, f"w{i}", at=(600 + day) * DAY)
        for i, (user, day) in enumerate(strays)
    ]
    plain, mixed = (computed(tmp_path_factory, rows) for rows in (log, log + stray))
    for name in ("features", "user_state", "video_state"):
        assert rows_of(getattr(mixed, name)) == rows_of(getattr(plain, name)), name
    assert mixed.rejects.num_rows == plain.rejects.num_rows + len(strays)
    assert mixed.summary.last_event_ms == plain.summary.last_event_ms


def computed(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("log")
    pq.write_table(log_table(rows, CONFIG), folder / "log.parquet")
    return compute_feature_table(SourceConfig(format="parquet"), CONFIG, str(folder))


def rows_of(table: pa.Table):
    return sorted(map(repr, table.to_pylist()))
