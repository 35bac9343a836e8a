"""What names of columns say."""

import pytest

from preprocessing.log_guess.vocabulary import (
    is_outcome,
    label_score,
    role_score,
    time_score,
)


@pytest.mark.parametrize(
    ("name", "role"),
    [
        *((name, "user") for name in ("uid", "userId", "visitorid", "CUSTOMER_ID")),
        *((name, "user") for name in ("reviewerID", "member_no", "user")),
        *((name, "item") for name in ("itemid", "movieId", "asin", "traid", "ad_id")),
        *((name, "item") for name in ("product_id", "article", "news_id", "sku")),
        *((name, "author") for name in ("artist_id", "brand", "artid", "sellerId")),
    ],
)
def test_names_of_ids(name, role):
    scores = {each: role_score(name, each) for each in ("user", "item", "author")}
    assert max(scores, key=lambda each: scores[each]) == role
    assert scores[role] >= 0.6


@pytest.mark.parametrize("name", ["user_country", "item_price", "movie_title", "cat1"])
def test_properties_are_no_ids(name):
    assert not any(role_score(name, role) for role in ("user", "item"))


def test_times_of_something_else_are_not_the_events():
    assert time_score("unixReviewTime") == 1.0
    assert time_score("ts") > time_score("date") > 0
    assert time_score("conversion_timestamp") == time_score("signup_date") == 0


def test_outcomes_are_told_from_what_was_known_before():
    outcomes = ["click", "is_like", "watch_ratio", "cost", "helpful_votes", "cpo"]
    assert all(map(is_outcome, outcomes))
    known = ["time_since_last_click", "tab", "country", "price", "previous_purchases"]
    assert not any(map(is_outcome, known))
    assert label_score("is_clicked") > 0
    assert label_score("attribution") == 0
