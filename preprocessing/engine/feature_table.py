"""A feature table as `poso features` left it: whole, and made with known settings."""

from __future__ import annotations

import json
from typing import NamedTuple

from preprocessing.checks.counts import LogSummary
from preprocessing.contract.config import FeatureConfig
from preprocessing.engine.earlier_output import SUMMARY_FILE
from preprocessing.engine.feature_settings import (
    SETTINGS_KEY,
    SettingsError,
    check_settings,
)
from preprocessing.engine.outputs import FEATURES, STATE
from preprocessing.features.columns import feature_schema
from preprocessing.state.files import open_state
from preprocessing.storage.files import (
    SourceError,
    find_files,
    is_file,
    join,
    read_text,
)
from preprocessing.storage.parquet import open_parquet


class FeatureTableFiles(NamedTuple):
    """A feature table on disk.

    Attributes:
        folder: What `poso features` wrote.
        summary: Rows in and out of the log that it was made of.
        groups: Files and their row groups, in order.
    """

    folder: str
    summary: LogSummary
    groups: list[tuple[str, int]]


def open_feature_table(folder: str, config: FeatureConfig) -> FeatureTableFiles:
    """Opens what `poso features` wrote.

    Args:
        folder: Its `--out`.
        config: Of the run that takes the table.

    Raises:
        SourceError: It is not whole, or has other columns than the configuration's.
        SettingsError: It was made with other settings, or does not say with which.
        StateError: Its state is not whole.
    """
    if not is_file(join(folder, SUMMARY_FILE)):
        raise SourceError(
            f"{folder} holds no whole feature table: {SUMMARY_FILE} is missing, which "
            "poso features writes last"
        )
    values = json.loads(read_text(join(folder, SUMMARY_FILE)))
    if SETTINGS_KEY not in values:
        raise SettingsError(
            f"{folder} was made by an earlier release, which did not note the settings "
            "of its features: make it anew by poso features"
        )
    check_settings(values[SETTINGS_KEY], config, folder)
    open_state(join(folder, STATE), config, checked=False)
    groups = []
    for file in find_files(join(folder, FEATURES), "*.parquet"):
        with open_parquet(file.path, file.name) as parquet:
            names = parquet.schema_arrow.names
            rows = range(parquet.num_row_groups)
        if names != feature_schema(config).names:
            raise SourceError(
                f"{file.path} has other columns than this configuration's features "
                f"({', '.join(feature_schema(config).names)}). "
                f"Received: {', '.join(names)}"
            )
        groups += [(file.path, group) for group in rows]
    return FeatureTableFiles(folder, LogSummary.from_json(json.dumps(values)), groups)
