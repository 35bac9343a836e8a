"""Rows of a feature table with rates, and a configuration that buckets them."""

from typing import Any

from tests.helpers.small_transform import (
    SETTINGS,
    Row,
    analyzed_rows,
    feature_row,
    settings_with,
)

BUCKETS = 5
SUBJECTS: dict[str, Any] = {
    "user": {"half_life_days": 7},
    "video": {},
    "user_x_author": {},
}
FEATURES = {
    **SETTINGS["features"],
    "rates": {"labels": ["like"], "subjects": SUBJECTS},
}


def rated_settings(**sections: dict[str, Any]):
    """The small configuration with rates and their buckets."""
    transform = {
        **SETTINGS["transform"],
        "rate_buckets": BUCKETS,
        "count_boundaries": [1, 4, 100],
        **sections.pop("transform", {}),
    }
    return settings_with(features=FEATURES, transform=transform, **sections)


def rated_row(**values: Any) -> Row:
    """A row about which nothing is known before, if not said otherwise."""
    unknown = {
        column: value
        for subject in SUBJECTS
        for column, value in (
            (f"{subject}_like_count", 0),
            (f"{subject}_like_rate", 0.5),
        )
    }
    return feature_row(**{**unknown, **values})


def rated_rows() -> list[Row]:
    """`analyzed_rows` with rates.

    The 25 rates of videos all differ, those of users are 0.5 or more, and most of them
    are; a user crossed with an author was never seen before.
    """
    return [
        rated_row(
            **row,
            video_like_count=i * i,
            video_like_rate=((7 * i) % 25) / 100,
            user_like_count=i / 4,
            user_like_rate=max(0.5, i / 30),
        )
        for i, row in enumerate(analyzed_rows())
    ]
