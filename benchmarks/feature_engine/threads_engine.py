"""The engine in threads: what `poso features` runs on one machine."""

from __future__ import annotations

import preprocessing.engine.in_threads  # noqa: F401  (imports are not timed)
from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.write_table import write_feature_table


def build(log_dir: str, out_dir: str, config: FeatureConfig) -> None:
    """Reads a Parquet log, writes `features/`, `rejects/` and also `state/`."""
    write_feature_table(SourceConfig(format="parquet"), config, log_dir, out_dir)
