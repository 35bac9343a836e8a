"""Made-up logs and settings for rates."""

from typing import Any

from hypothesis import strategies as st

from preprocessing.contract.config import FeatureConfig
from tests.helpers.log_rows import (
    MASKED_LABELS,
    Row,
    configs,
    features_of,
    in_order,
    logs,
    rows_without_labels,
)

EVERY_SUBJECT = (
    "video",
    "author",
    "tag",
    "user",
    "user_x_author",
    "user_x_tag",
    "video_x_tag",
    "author_x_tag",
)
halves = st.sampled_from([None, 0.5, 3.0])
clocks = st.sampled_from(["moment", "day"])


def rated(config: FeatureConfig, rates: Any, **settings: Any) -> FeatureConfig:
    """The configuration with rates, and other settings changed as well."""
    values = {**config.model_dump(), "rates": rates, **settings}
    return FeatureConfig.model_validate(values)


def rate_settings(half_life_days: Any = halves) -> st.SearchStrategy[dict[str, Any]]:
    """Settings of rates over some subjects, by both clocks."""
    subject = st.fixed_dictionaries({"clock": clocks, "half_life_days": half_life_days})
    return st.fixed_dictionaries(
        {
            "subjects": st.dictionaries(
                st.sampled_from(EVERY_SUBJECT), subject, min_size=1
            ),
            "strength": st.sampled_from([1.0, 20.0]),
            "prior": st.sampled_from([0.5, 0.1]),
        }
    )


@st.composite
def rate_cases(draw: Any, half_life_days: Any = halves) -> tuple[list[Row], Any]:
    """A log of distinct rows, with labels on all rows or on some, and its settings."""
    config, rates = draw(configs), draw(rate_settings(half_life_days))
    if draw(st.booleans()):
        log = draw(st.lists(rows_without_labels, max_size=30))
        config = rated(config, rates, labels=MASKED_LABELS)
    else:
        log, config = draw(logs), rated(config, rates)
    return [row for i, row in enumerate(log) if row not in log[:i]], config


def rates_of(log: list[Row], config: FeatureConfig, **more: Any) -> list[Row]:
    """The rates' columns of each row, in an order that depends on the rows alone."""
    names = ("user_id", "video_id", "event_time_ms", *config.rate_columns)
    features, _ = features_of(log, config, **more)
    # Of rows that share these names' values the others would tell which comes first.
    return in_order([{name: row[name] for name in names} for row in features])
