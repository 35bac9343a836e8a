"""The engine in threads on a log of other names and units (`logs.renamed_log`)."""

from __future__ import annotations

import preprocessing.engine.in_threads  # noqa: F401  (imports are not timed)
from benchmarks.feature_engine.logs import RENAMED, TAB
from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.write_table import write_feature_table


def build(log_dir: str, out_dir: str, config: FeatureConfig) -> None:
    """Reads a Parquet log by `source.columns`; writes what the engine writes."""
    columns = {
        name: {"column": column, "unit": "us"} if name.endswith("_ms") else column
        for name, column in RENAMED.items()
    }
    source = SourceConfig.model_validate(
        {"format": "parquet", "columns": columns, "where": {TAB: [1, 0]}}
    )
    write_feature_table(source, config, log_dir, out_dir)
