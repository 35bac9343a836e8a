"""Rates of earlier impressions against their definition, row by row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.contract.config import FeatureConfig
from preprocessing.features.columns import feature_schema
from tests.helpers.log_rows import HOUR, LABELS, features_of, impression
from tests.helpers.rate_cases import rate_cases, rated, rates_of
from tests.helpers.slow_rates import slow_rates

DAY = 24 * HOUR
LIKE = FeatureConfig(labels={"like": {"column": "is_like"}})


def numbered(log, config):
    """The log and its settings with a column that tells rows apart."""
    extra = [{"name": "row", "entity": "context", "type": "categorical"}]
    log = [{**row, "row": str(i)} for i, row in enumerate(log)]
    return log, rated(config, config.rates.model_dump(), extra=extra)


def by_row(log, config):
    """The engine's rates, and the slow ones, in the log's order."""
    log, config = numbered(log, config)
    features, _ = features_of(log, config)
    features = sorted(features, key=lambda row: int(row["row"]))
    columns = config.rate_columns
    return [{name: row[name] for name in columns} for row in features], log, config


@given(case=rate_cases(half_life_days=st.none()))
def test_equals_the_definition(case):
    found, log, config = by_row(*case)
    assert found == slow_rates(log, config)


@given(case=rate_cases())
def test_decayed_sums_are_those_of_the_definition(case):
    found, log, config = by_row(*case)
    for row, slow in zip(found, slow_rates(log, config), strict=True):
        assert row == pytest.approx(slow, rel=1e-5, abs=1e-12)


def liked(rates, log):
    """Count and rate of likes of each row, by time, of the one subject."""
    config = rated(LIKE, rates)
    rows = sorted(rates_of(log, config), key=lambda row: row["event_time_ms"])
    return [tuple(row[name] for name in config.rate_columns) for row in rows]


def test_the_worked_example_of_the_documentation():
    log = [
        impression(at=0, is_like=1),
        impression(at=HOUR),
        impression(user="b", video="y", at=DAY, is_like=1),
        impression(user="b", at=DAY + HOUR),
    ]
    assert liked({"subjects": {"video": {}}, "strength": 2}, log) == [
        (0, 0.5),
        (1, pytest.approx((1 + 2 * 0.5) / (1 + 2))),
        (0, pytest.approx((0 + 2 * 0.5) / (0 + 2))),
        (2, pytest.approx((1 + 2 * 0.5) / (2 + 2))),
    ]


def test_a_users_rates_stand_still_until_the_day_turns():
    begin = DAY - 1_650_000_000_000 % DAY  # of the day after START's
    log = [impression(at=begin + at, is_like=1) for at in (0, 1, DAY - 1, DAY)]
    counts = [count for count, _ in liked({"subjects": {"user": {}}}, log)]
    assert counts == [0, 0, 0, 3]


def test_impressions_of_one_time_do_not_see_each_other():
    log = [impression(user=user, at=0, is_like=1) for user in "ab"]
    log += [impression(user=user, at=1, is_like=1) for user in "ab"]
    counts = [count for count, _ in liked({"subjects": {"video": {}}}, log)]
    assert counts == [0, 0, 2, 2]


def test_an_unknown_author_has_no_past_and_is_nobodys():
    log = [impression(at=at, author_id=None, is_like=1) for at in (0, 1, 2)]
    assert liked({"subjects": {"author": {}}}, log) == [(0, 0.5)] * 3


def test_the_counts_of_a_rows_tags_are_added_up_and_a_tag_given_twice_counts_once():
    log = [
        impression(at=0, video_tags=["s", "s"], is_like=1),
        impression(at=1, video_tags=["t"]),
        impression(at=2, video_tags=["s", "t", "u"]),
    ]
    counts = [count for count, _ in liked({"subjects": {"tag": {}}}, log)]
    assert counts == [0, 0, 2]


def test_an_unknown_label_counts_for_no_rate():
    masked = FeatureConfig(labels={"like": {"column": "is_like", "missing": "mask"}})
    config = rated(masked, {"subjects": {"video": {}}})
    log = [impression(at=at, is_like=like) for at, like in enumerate([1, None, 0, 1])]
    rows = sorted(rates_of(log, config), key=lambda row: row["event_time_ms"])
    assert [row["video_like_count"] for row in rows] == [0, 1, 1, 2]


def test_after_a_half_life_an_impression_counts_half():
    rates = {"subjects": {"video": {"half_life_days": 2}}}
    log = [impression(at=day * DAY, is_like=1) for day in (0, 2, 3, 5)]
    counts = [count for count, _ in liked(rates, log)]
    after = [0, 0.5, 1.5 * 0.5**0.5]
    after.append((after[2] + 1) * 0.5)
    assert counts == pytest.approx(after)


def test_a_declared_feature_is_a_subject():
    config = rated(
        LIKE,
        {"subjects": {"country": {}, "user_x_country": {"clock": "moment"}}},
        extra=[{"name": "country", "entity": "user", "type": "categorical"}],
    )
    log = [
        impression(user, at=i, country=c)
        for i, (user, c) in enumerate(
            [("a", "BR"), ("b", "BR"), ("a", "FR"), ("a", "BR"), ("a", None)]
        )
    ]
    rows = sorted(rates_of(log, config), key=lambda row: row["event_time_ms"])
    assert [row["country_like_count"] for row in rows] == [0, 1, 0, 2, 0]
    assert [row["user_x_country_like_count"] for row in rows] == [0, 0, 0, 1, 0]


def test_without_rates_the_table_is_as_it_was():
    config = FeatureConfig(labels=LABELS)
    assert rated(config, None) == config
    names = feature_schema(rated(config, {})).names
    assert names[: -len(rated(config, {}).rate_columns)] == feature_schema(config).names
