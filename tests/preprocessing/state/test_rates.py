import pyarrow as pa
import pytest

from preprocessing.contract.config import FeatureConfig
from preprocessing.state.files import open_state
from preprocessing.state.rates import (
    EVERYTHING,
    divide_rate_state,
    rate_state_schema,
    select_rate_state,
)
from preprocessing.state.schema import StateError
from tests.helpers.log_rows import LABELS, MASKED_LABELS, impression
from tests.helpers.rate_cases import rated
from tests.helpers.user_state import engine, write_state

PLAIN = FeatureConfig(labels=LABELS)
RATED = rated(PLAIN, {"subjects": {"video": {}, "author": {}, "user_x_tag": {}}})
LOG = [impression(), impression("b", "y", at=1)]


def test_a_state_has_counts_only_where_rates_are_configured(tmp_path):
    assert open_state(write_state(tmp_path / "plain", LOG, PLAIN)).info.rates is None
    state = open_state(write_state(tmp_path / "rated", LOG, RATED), RATED)
    assert state.rate_files
    assert not state.warnings


def test_a_run_without_rates_starts_from_any_state(tmp_path):
    open_state(write_state(tmp_path, LOG, RATED), PLAIN)


def test_the_clock_may_change_from_one_run_to_the_next(tmp_path):
    subjects = {"video": {"clock": "day"}, "author": {}}
    open_state(write_state(tmp_path, LOG, RATED), rated(PLAIN, {"subjects": subjects}))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (rated(PLAIN, {"subjects": {"tag": {}}}), "half_life_days tag"),
        (
            rated(PLAIN, {"subjects": {"video": {"half_life_days": 7}}}),
            "half_life_days video: 7.0, not None",
        ),
        (
            rated(PLAIN, {"subjects": {"video": {}}}, labels=MASKED_LABELS),
            "labels long_view",
        ),
    ],
)
def test_counts_of_other_settings_are_refused(config, message, tmp_path):
    state = write_state(tmp_path, LOG, RATED)
    with pytest.raises(StateError, match=message):
        open_state(state, config)


def test_a_state_without_counts_is_refused_where_rates_are_configured(tmp_path):
    state = write_state(tmp_path, LOG, PLAIN)
    with pytest.raises(StateError, match="it has no counts at all"):
        open_state(state, RATED)


def test_a_state_that_lost_its_counts_is_refused(tmp_path):
    state = write_state(tmp_path, LOG, RATED)
    for file in open_state(state).rate_files:
        (tmp_path / "out" / "state" / "rate_state" / file.name).unlink()
    with pytest.raises(StateError, match="rate_state has no Parquet file"):
        open_state(state)


def test_each_pass_gets_its_own_keys():
    table = select_rate_state(engine(LOG, RATED).rate_state, RATED)
    divided = dict(divide_rate_state(table, RATED))
    assert divided["videos"]["video_id"].to_pylist() == ["x", "y"]
    assert divided["users"]["user_id"].to_pylist() == ["a", "b"]
    assert divided["subjects"]["key"].to_pylist() == ["p"]
    assert divided[None]["subject"].to_pylist() == [EVERYTHING]


def test_what_is_not_configured_is_left_out():
    fewer = rated(PLAIN, {"labels": ["like"], "subjects": {"video": {}}})
    table = select_rate_state(engine(LOG, RATED).rate_state, fewer)
    assert table.schema.equals(rate_state_schema(fewer))
    assert set(table["subject"].to_pylist()) == {"video", EVERYTHING}


@pytest.mark.parametrize("broken", ["missing", "type", "null"])
def test_a_table_that_breaks_the_schema_is_an_error(broken):
    table = engine(LOG, RATED).rate_state
    place = table.column_names.index("day")
    if broken == "missing":
        table = table.drop(["day"])
    else:
        kind = pa.string() if broken == "type" else pa.int64()
        table = table.set_column(place, "day", pa.nulls(table.num_rows, kind))
    with pytest.raises(StateError, match="'day'"):
        select_rate_state(table, RATED)
