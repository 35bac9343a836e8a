"""Codes of rates and counts: whether the columns that they name are there."""

from __future__ import annotations

from pipeline.config.model import ModelConfig
from preprocessing.contract.config import FeatureConfig
from preprocessing.transform.config import TransformConfig


def check_rate_codes(
    model: ModelConfig, features: FeatureConfig, transform: TransformConfig
) -> None:
    """Checks that each code of a rate or a count has a bucket that it is made of.

    Args:
        model: Has the codes.
        features: Says which columns there are.
        transform: Says whether there are buckets of them.

    Raises:
        ValueError: A code names a column that is not there, or no column has buckets.
    """
    for setting, codes in model.named_codes.items():
        for name in (code.input for code in codes if code.of_rates):
            if name not in features.rate_columns:
                raise ValueError(
                    f"model.{setting} names '{name}', which is not a column of "
                    f"features.rates ({_listed(features.rate_columns)})"
                )
            if not transform.rate_buckets:
                raise ValueError(
                    f"model.{setting} names '{name}', whose bucket is an input only "
                    "where transform.rate_buckets says how many there are: set it, to "
                    "10 for example"
                )


def _listed(columns: tuple[str, ...]) -> str:
    return ", ".join(columns) or "there are none: features.rates is null"
