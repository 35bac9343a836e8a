"""How far the examples may be from those of the run before, and from serving."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from pipeline.config.section import Section
from preprocessing.contract.column_names import (
    CONTRACT_COLUMNS,
    TIME_COLUMNS,
    USER_FEATURES,
    VIDEO_FEATURES,
)
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.names import Name
from preprocessing.storage.files import is_remote
from preprocessing.transform.config import TransformConfig
from preprocessing.transform.input_specs import HISTORIES, HISTORY_GAP, input_columns

Distance = Annotated[float, Field(ge=0, le=1)]


class Thresholds(Section):
    """Distances between two statistics that are still no anomaly."""

    max_categorical: Distance | None = Field(
        0.1,
        description="Of texts, ids and integers of at most 9 values in a row, such as "
        "labels: by how much any one value's share of the examples may differ "
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
        description="By how much the share of examples in which a column is missing "
        "may grow from one run to the next, or differ from serving. null compares "
        "none.",
    )
    by_feature: dict[Name, Distance | None] = Field(
        {},
        description="Other values than max_categorical or max_numeric, by column; null "
        "does not compare the column at all.",
    )


class ServingDriftConfig(Thresholds):
    """The requests that a server logged, and how far the examples may be from them."""

    logs: str | None = Field(
        None,
        description="Folder of this machine with logged requests (poso serve "
        "--request-log). Of the newest, up to statistics.max_examples candidates are "
        "described. null compares with none.",
    )

    @field_validator("logs")
    @classmethod
    def _a_folder_of_this_machine(cls, logs: str | None) -> str | None:
        if logs is not None and (not logs or is_remote(logs)):
            raise ValueError(
                "it must be a folder of this machine: copy logs of an object store "
                f"there first. Received: {logs!r}"
            )
        return logs


class DriftConfig(Thresholds):
    """How far the examples may be from those of the run before."""

    serving: ServingDriftConfig = ServingDriftConfig()


def compared_columns(features: FeatureConfig) -> tuple[str, ...]:
    """Columns that are compared: all but histories, points in time, and rates.

    A history repeats what other examples say, time moves by itself, and so do counts of
    earlier impressions and rates of few of them.

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


def served_columns(
    features: FeatureConfig, transform: TransformConfig
) -> tuple[str, ...]:
    """Columns that are compared and that requests have: what the model reads.

    Args:
        features: The contract.
        transform: The Transform.
    """
    read = input_columns(features, transform)
    return tuple(name for name in compared_columns(features) if name in read)
