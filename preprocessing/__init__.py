"""From an impression log to training examples.

The log's contract and its sources, point-in-time features in Beam (or in one process),
the rows that were rejected and why, and the Transform that turns features into inputs.
"""

from __future__ import annotations

import importlib
from typing import Any

from preprocessing.contract.config import FeatureConfig, SourceConfig

# Imported when first asked for: Arrow and Beam take seconds to load.
_LAZY = {
    "BuildFeatures": "engine.beam.features",
    "ReadImpressions": "engine.beam.features",
    "read_summary": "engine.beam.features",
    "write_rejects": "engine.beam.features",
    "SourceError": "contract.schema",
    "local_day": "arrays.days",
    "encode_examples": "datasets.tf_examples",
    "StateError": "state.schema",
    "open_state": "state.files",
    "read_state": "state.files",
    "FeatureTable": "engine.in_memory",
    "build_feature_table": "engine.in_memory",
    "compute_features": "engine.in_memory",
    "feature_schema": "features.passes",
    "read_feature_dataset": "datasets.tf_dataset",
    "run_features": "engine.write_table",
    "EmptyLogError": "checks.counts",
    "LogSummary": "checks.counts",
    "RejectLimitExceeded": "checks.counts",
    "check_rejects": "checks.counts",
}

__all__ = ["FeatureConfig", "SourceConfig", *_LAZY]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
