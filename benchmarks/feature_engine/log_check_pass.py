"""The check of a log: what `poso check` runs, without its page."""

from __future__ import annotations

from benchmarks.feature_engine.logs import ROOT
from pipeline.config import load_config
from pipeline.log_check.check import check_log
from preprocessing.contract.config import FeatureConfig


def build(log_dir: str, out_dir: str, config: FeatureConfig) -> None:
    """Checks a Parquet log by `configs/demo.yaml`, of which `config` is a part."""
    check_log(load_config(ROOT / "configs" / "demo.yaml"), log_dir)
