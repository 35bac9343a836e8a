"""How far the examples may move from one run to the next."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.config.section import Section
from preprocessing.contract.column_names import (
    CONTRACT_COLUMNS,
    TIME_COLUMNS,
    USER_FEATURES,
    VIDEO_FEATURES,
)
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.names import Name
from preprocessing.transform.input_specs import HISTORIES, HISTORY_GAP

Distance = Annotated[float, Field(ge=0, le=1)]


class DriftConfig(Section):
    """Distances from the statistics of the run before that are still no anomaly."""

    max_categorical: Distance | None = Field(
        0.1,
        description="Of texts, ids and integers of at most 9 values in a row, such as "
        "labels: by how much any one value's share of the examples may change "
        "(L-infinity). null compares none.",
    )
    max_numeric: Distance | None = Field(
        0.15,
        description="Of other numbers: the Jensen-Shannon divergence, in bits, of "
        "their histograms of quantiles; 0 where they are equal, 1 where they share no "
        "value. null compares none.",
    )
    max_missing: Distance | None = Field(
        0.1,
        description="By how much the share of examples may grow in which a column is "
        "missing. null compares none.",
    )
    by_feature: dict[Name, Distance | None] = Field(
        {},
        description="Other values than max_categorical or max_numeric, by column; null "
        "does not compare the column at all.",
    )


def compared_columns(features: FeatureConfig) -> tuple[str, ...]:
    """Columns that are compared: all but histories and points in time.

    A history repeats what other examples say, and time moves by itself.

    Args:
        features: The contract.
    """
    columns = (
        *CONTRACT_COLUMNS,
        *VIDEO_FEATURES,
        *USER_FEATURES,
        *(extra.name for extra in features.extra),
        *features.labels,
    )
    left_out = {*TIME_COLUMNS, *HISTORIES, HISTORY_GAP}
    return tuple(name for name in dict.fromkeys(columns) if name not in left_out)
