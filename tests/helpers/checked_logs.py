"""A simulated log without faults, changes that make faulty ones of it, and checks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.config import RunConfig
from pipeline.log_check.check import LogCheck, check_log
from simulator import SimulatorConfig, simulate

DAY_MS = 86_400_000
SIZE = SimulatorConfig(users=700, videos=300, authors=40, days=9, seed=5)
Change = Callable[[pa.Table], pa.Table]


def clean_log() -> pa.Table:
    """A log in which there is nothing to find; about 25,000 rows."""
    return simulate(SIZE)


def run_config(extra: list[dict[str, str]] | None = None, **sections: Any) -> RunConfig:
    """A configuration for the log; its evaluation is content with few users."""
    settings: dict[str, Any] = {
        "source": {"format": "parquet"},
        "features": {
            "labels": {
                "long_view": {"rule": "long_view", "percent": 60},
                "like": {"column": "is_like"},
            },
            "extra": extra or [],
            "shards": 3,
        },
        "split": {"train_days": 8},
        "tasks": {"long_view": {}, "like": {}},
        "evaluation": {"min_scored_users": 3},
    }
    for name, section in sections.items():
        # Tasks are names, of which others take the place of all.
        before = {} if name == "tasks" else settings.get(name, {})
        settings[name] = {**before, **section}
    return RunConfig(**settings)


def checked(log: pa.Table, folder: Path, config: RunConfig, **how: Any) -> LogCheck:
    """Writes a log as one file, and checks it."""
    folder.mkdir(exist_ok=True)
    pq.write_table(log, folder / "log.parquet")
    return check_log(config, str(folder), **how)


def with_column(log: pa.Table, name: str, values: Any) -> pa.Table:
    """The log with a column replaced, or one more."""
    column = values if isinstance(values, pa.Array) else pa.array(values)
    if name in log.column_names:
        return log.set_column(log.column_names.index(name), name, column)
    return log.append_column(name, column)


def numbers_of(log: pa.Table, name: str) -> np.ndarray:
    """A column of whole numbers, 0 where it is null."""
    column = log[name].combine_chunks().fill_null(0)
    return column.to_numpy(zero_copy_only=False)
