"""From an impression log to training examples.

The log's contract and its sources, point-in-time features in Beam (or in one process),
the rows that were rejected and why, and the Transform that turns features into inputs.
"""

from __future__ import annotations

import importlib
from typing import Any

from preprocessing.config import FeatureConfig, SourceConfig

# Imported when first asked for: Arrow and Beam take seconds to load.
_LAZY = {
    "BuildFeatures": "beam_features",
    "ReadImpressions": "beam_features",
    "read_summary": "beam_features",
    "write_rejects": "beam_features",
    "SourceError": "contract",
    "local_day": "days",
    "encode_examples": "examples",
    "StateError": "state",
    "open_state": "state_files",
    "read_state": "state_files",
    "FeatureTable": "feature_table",
    "build_feature_table": "feature_table",
    "compute_features": "feature_table",
    "feature_schema": "features",
    "read_feature_dataset": "feature_dataset",
    "run_features": "feature_run",
    "EmptyLogError": "rejects",
    "LogSummary": "rejects",
    "RejectLimitExceeded": "rejects",
    "check_rejects": "rejects",
}

__all__ = ["FeatureConfig", "SourceConfig", *_LAZY]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
