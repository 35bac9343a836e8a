"""Names in `source.columns`: they must be names that the configuration uses."""

from __future__ import annotations

import difflib

from preprocessing.contract.column_names import CONTRACT_COLUMNS, FLAG_COLUMNS
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.source_config import SourceConfig


def mappable_names(features: FeatureConfig) -> tuple[str, ...]:
    """An impression's columns: the contract's, those of labels, further features."""
    extras = (extra.name for extra in features.extra)
    return tuple(dict.fromkeys((*CONTRACT_COLUMNS, *features.label_columns, *extras)))


def check_mapped_names(source: SourceConfig, features: FeatureConfig) -> None:
    """Checks the names that `source.columns` maps.

    Raises:
        ValueError: One is no column of an impression (the message names the nearest),
            or cannot be 0 or 1.
    """
    known = mappable_names(features)
    for name, made in source.columns.items():
        if name not in known:
            raise ValueError(_unknown(name, known))
        if made.equals is None:
            continue
        if name in set(CONTRACT_COLUMNS) - {*FLAG_COLUMNS} - {*features.label_columns}:
            raise ValueError(
                f"source.columns.{name}: equals makes 0 and 1, which is for labels and "
                "further features"
            )


def _unknown(name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known)}"
    return (
        f"source.columns: '{name}' is neither a column of the contract nor one that a "
        f"label or a further feature reads; {hint}"
    )
