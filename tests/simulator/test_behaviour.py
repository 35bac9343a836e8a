"""Groups behave as in Fig. 1a, and choose by different rules, which can be learned."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from simulator.behaviour import maturity
from simulator.config import DAY_MS
from simulator.videos import BROAD_TOPICS, TOPICS

SESSION_GAP_MS = 20 * 60_000


def test_new_users_behave_as_in_figure_1a(impressions):
    starts = ~(impressions.gap_ms <= SESSION_GAP_MS)
    groups = impressions.groupby("group")
    views = groups.size() / starts.groupby(impressions.group).sum()
    watch_ms = groups.play_time_ms.mean()
    finish = groups.finish_view.mean()
    like = groups.is_like.mean()
    assert views["new"] < 0.8 * views["regular"]
    assert watch_ms["new"] < 0.9 * watch_ms["regular"]
    assert finish["new"] > 1.1 * finish["regular"]
    assert like["new"] > 1.3 * like["regular"]


def test_labels_are_neither_rare_nor_certain(impressions):
    rates = impressions[["long_view", "finish_view", "is_like", "is_follow"]].mean()
    assert 0.3 < rates.long_view < 0.7
    assert 0.2 < rates.finish_view < rates.long_view
    assert 0.02 < rates.is_like < 0.1
    assert 0.002 < rates.is_follow < rates.is_like


def test_maturity_grows_with_views_and_attachment():
    class Pair:
        habit = np.array([0, 2])  # daily, lapsed

    views = np.array([0, 10, 100, 1000])
    daily = maturity(Pair, np.zeros(4, int), views)
    lapsed = maturity(Pair, np.ones(4, int), views)
    assert daily[0] == 0
    assert (np.diff(daily) > 0).all()
    assert daily[-1] < 1
    assert (lapsed[1:] < daily[1:]).all()


@pytest.fixture(scope="module")
def features(impressions) -> pd.DataFrame:
    """What a ranking model could know before each impression, standardised."""
    rows = impressions
    topic = rows.video_tags.str[0]
    same_topic = rows.long_view.astype(int).groupby([rows.user_id, topic])
    age_days = (rows.event_time_ms - rows.video_upload_ms) / DAY_MS
    # Views alone would say how long a video has been in the log.
    since = rows.video_upload_ms.clip(lower=rows.event_time_ms.min())
    days_in_log = (rows.event_time_ms - since) / DAY_MS
    views = rows.groupby("video_id").cumcount()
    table = pd.DataFrame(
        {
            "popular": np.log((views + 1) / (days_in_log + 0.1)),
            "short": -np.log(rows.video_duration_ms),
            "broad": topic.isin(TOPICS[:BROAD_TOPICS]),
            "fresh": np.exp(-age_days / 3),
            "topic_history": (same_topic.cumsum() - rows.long_view + 1)
            / (same_topic.cumcount() + 2),
        }
    )
    return pd.DataFrame(StandardScaler().fit_transform(table), columns=table.columns)


def test_each_group_has_a_rule_of_its_own(impressions, features):
    train = impressions.day < impressions.day.max()

    def fit(rows):
        model = LogisticRegression().fit(features[rows], impressions.long_view[rows])
        return model, pd.Series(model.coef_[0], features.columns)

    def auc(model, rows):
        scores = model.decision_function(features[rows])
        return roc_auc_score(impressions.long_view[rows], scores)

    new, regular = (impressions.group == group for group in ("new", "regular"))
    new_model, new_weight = fit(train & new)
    regular_model, regular_weight = fit(train & regular)
    shared_model, _ = fit(train)

    for feature in ("popular", "short", "broad"):
        assert new_weight[feature] > regular_weight[feature] + 0.1, feature
    for feature in ("fresh", "topic_history"):
        assert regular_weight[feature] > new_weight[feature] + 0.1, feature

    # Submergence: one rule for all is the regular users' rule.
    assert auc(new_model, ~train & new) > auc(shared_model, ~train & new) + 0.05
    assert auc(regular_model, ~train & regular) > 0.65
    gap = auc(shared_model, ~train & regular) - auc(regular_model, ~train & regular)
    assert abs(gap) < 0.01
