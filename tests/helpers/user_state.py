"""A small state, as a run of the feature engine leaves it."""

import pyarrow.parquet as pq

from preprocessing import write_feature_table
from preprocessing.checks.validation import validate
from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.in_memory import compute_features
from tests.helpers.log_rows import HOUR, START, impression, log_table

FEATURES = FeatureConfig(labels={"like": {"column": "is_like"}}, history_length=2)

_LAUNCH = {"user_first_launch_ms": START - HOUR}
# Two users: one with three views, the other with one.
MONDAY = [
    impression("anna", "v1", at=0, **_LAUNCH),
    impression("anna", "v2", at=HOUR, **_LAUNCH),
    impression("anna", "v3", at=2 * HOUR, **_LAUNCH),
    impression("ben", "v1", at=0, prior_view_count=40),
]


def write_state(folder, log, config=FEATURES):
    """The output of a run over a log."""
    (folder / "log").mkdir(parents=True)
    pq.write_table(log_table(log, config), folder / "log" / "part.parquet")
    source = SourceConfig(format="parquet")
    config = config.model_copy(update={"max_reject_rate": 1.0})
    write_feature_table(source, config, str(folder / "log"), str(folder / "out"))
    return str(folder / "out")


def engine(log, config):
    """What the engine computes of a whole log."""
    accepted = validate(log_table(log, config), "log", 0, config).accepted
    return compute_features([accepted], config)
