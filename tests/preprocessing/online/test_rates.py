"""Counts of what was observed, on a state, are the engine's on the whole log."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.checks.validation import validate
from preprocessing.contract.schema import impression_schema
from preprocessing.online.rates import (
    RateKey,
    advance_rates,
    compute_rates_at,
    count_by_day,
)
from tests.helpers.log_rows import HOUR, START, impression, in_order, log_table
from tests.helpers.rate_cases import rate_cases, rated
from tests.helpers.user_state import FEATURES, engine


def accepted(log, config):
    table = validate(log_table(log, config), "log", 0, config).accepted
    return table.select(impression_schema(config).names)


@given(case=rate_cases(), cut=st.integers(0, 90))
def test_days_that_were_counted_lead_to_the_engines_state(case, cut):
    log, config = case
    border = START + cut * 6 * HOUR
    first = [row for row in log if row["event_time_ms"] < border]
    rest = [row for row in log if row["event_time_ms"] >= border]
    counts = count_by_day(accepted(rest, config), config)
    state = advance_rates(engine(first, config).rate_state, counts, config)
    whole = engine(log, config).rate_state
    assert in_order(state.to_pylist()) == in_order(whole.to_pylist())


def test_an_impression_is_counted_for_each_of_its_keys():
    config = rated(FEATURES, {"subjects": {"tag": {}, "user_x_author": {}}})
    log = [impression(video_tags=["s", "t", "s"], is_like=1)]
    keys = {key for key, _ in count_by_day(accepted(log, config), config)}
    assert keys == {
        RateKey("everything", "", None),
        RateKey("tag", "s", None),
        RateKey("tag", "t", None),
        RateKey("user_x_author", "a", "p"),
    }


def test_of_keys_that_nobody_knows_the_rate_is_the_prior():
    config = rated(FEATURES, {"subjects": {"video": {}}, "prior": 0.25})
    rows = accepted([impression()], config)
    nothing = engine([], config).rate_state
    assert isinstance(nothing, pa.Table)
    assert compute_rates_at(rows, nothing, config) == {
        "video_like_count": [0],
        "video_like_rate": [0.25],
    }
