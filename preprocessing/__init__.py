"""From an impression log to training examples.

The log's contract and its sources, point-in-time features in threads or in Beam, the
rows that were rejected and why, and the Transform that turns features into inputs.
"""

from __future__ import annotations

import importlib
from typing import Any

from preprocessing.contract.config import FeatureConfig, SourceConfig

# Imported when first asked for: Arrow and Beam take seconds to load.
_LAZY = {
    "BuildFeatures": "engine.beam.features",
    "EmptyLogError": "checks.counts",
    "FeatureTable": "engine.in_memory",
    "LogSummary": "checks.counts",
    "OutputFolderError": "engine.earlier_output",
    "OverlapError": "storage.overlap",
    "ReadImpressions": "engine.beam.read_log",
    "RejectLimitExceeded": "checks.counts",
    "SourceError": "storage.files",
    "StateError": "state.schema",
    "check_rejects": "checks.counts",
    "compute_feature_table": "engine.in_memory",
    "compute_features": "engine.in_memory",
    "encode_examples": "datasets.tf_examples",
    "feature_schema": "features.columns",
    "local_day": "arrays.days",
    "open_state": "state.files",
    "read_feature_dataset": "datasets.tf_dataset",
    "read_state": "state.files",
    "read_summary": "engine.beam.outputs",
    "write_feature_table": "engine.write_table",
    "write_rejects": "engine.beam.outputs",
}

__all__ = ["FeatureConfig", "SourceConfig", *_LAZY]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
