"""Rates of earlier impressions by polars: running sums over windows of a sorted log."""

from __future__ import annotations

import polars as pl

from preprocessing import FeatureConfig
from preprocessing.contract.column_names import TAGS
from preprocessing.contract.rates import Subject, count_column, rate_column

_IMPRESSIONS = "__impressions"


def with_rates(log: pl.DataFrame, config: FeatureConfig) -> pl.DataFrame:
    """Adds `config.rate_columns`; without half-lives and labels that may be missing.

    Args:
        log: Impressions with `row`, `day` and the labels.
        config: The feature configuration.
    """
    if config.rates is None:
        return log
    measures = [_IMPRESSIONS, *config.rate_labels]
    log = log.with_columns(pl.lit(1, pl.Int64).alias(_IMPRESSIONS))
    log = _with_priors(log, measures, config)
    for subject in config.rate_subjects:
        log = log.hstack(_counted(log, subject, measures).drop("row"))
        log = log.with_columns(_rates(subject, config)).drop(map(_sum, measures))
    return log.drop(_IMPRESSIONS, *map(_prior, config.rate_labels))


def _with_priors(
    log: pl.DataFrame, measures: list[str], config: FeatureConfig
) -> pl.DataFrame:
    """Adds the whole log's rate of each label before the row's day."""
    days = log.group_by("day").agg(pl.col(measures).sum()).sort("day")
    before = days.with_columns(pl.col(measures).cum_sum().shift(1, fill_value=0))
    known = pl.col(_IMPRESSIONS)
    start = pl.lit(config.rates.prior if config.rates else 0.5)
    priors = before.select(
        "day",
        *(
            pl.when(known > 0)
            .then(pl.col(label) / known)
            .otherwise(start)
            .alias(_prior(label))
            for label in config.rate_labels
        ),
    )
    return log.join(priors, on="day", how="left", maintain_order="left")


def _counted(log: pl.DataFrame, subject: Subject, measures: list[str]) -> pl.DataFrame:
    """The sums before each row, in the order of the rows."""
    keys = log.select("row", "event_time_ms", "day", *subject.columns, *measures)
    if TAGS in subject.columns:
        unique = pl.col(TAGS).list.unique(maintain_order=True)
        keys = keys.with_columns(unique).explode(TAGS)
    keys = keys.drop_nulls(subject.columns).sort("event_time_ms")
    moment = "event_time_ms" if subject.clock == "moment" else "day"
    sums = keys.select(
        "row",
        *subject.columns,
        moment,
        *(
            (pl.col(m).cum_sum().over(*subject.columns) - pl.col(m)).alias(_sum(m))
            for m in measures
        ),
    ).select(
        "row",
        *(pl.col(_sum(m)).first().over(*subject.columns, moment) for m in measures),
    )
    if TAGS in subject.columns:
        sums = sums.group_by("row").agg(pl.col(map(_sum, measures)).sum())
    found = log.select("row").join(sums, on="row", how="left", maintain_order="left")
    return found.fill_null(0)


def _rates(subject: Subject, config: FeatureConfig) -> list[pl.Expr]:
    strength = config.rates.strength if config.rates else 0.0
    known = pl.col(_sum(_IMPRESSIONS))
    columns = []
    for label in config.rate_labels:
        positive, prior = pl.col(_sum(label)), pl.col(_prior(label))
        rate = (positive + strength * prior) / (known + strength)
        columns.append(known.alias(count_column(subject.name, label)))
        columns.append(rate.cast(pl.Float32).alias(rate_column(subject.name, label)))
    return columns


def _sum(measure: str) -> str:
    return f"__sum_{measure}"


def _prior(label: str) -> str:
    return f"__prior_{label}"
