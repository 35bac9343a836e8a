"""The default log, simulated once, with what the contract derives from it."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from simulator import SimulatorConfig, simulate
from simulator.config import DAY_MS


@pytest.fixture(scope="session")
def config() -> SimulatorConfig:
    return SimulatorConfig()


@pytest.fixture(scope="session")
def log(config: SimulatorConfig) -> pa.Table:
    return simulate(config)


@pytest.fixture(scope="session")
def impressions(log: pa.Table, config: SimulatorConfig) -> pd.DataFrame:
    """The log in time order with day, labels and user group."""
    frame = log.to_pandas()
    time = frame.event_time_ms
    frame["day"] = (time - config.start_ms) // DAY_MS
    frame["long_view"] = frame.play_time_ms >= 0.5 * frame.video_duration_ms
    frame["finish_view"] = frame.play_time_ms >= frame.video_duration_ms
    frame["gap_ms"] = time - frame.groupby("user_id").event_time_ms.shift()
    visited = np.zeros((config.users, config.days), dtype=bool)
    user = frame.user_id.str[1:].astype(int).to_numpy()
    visited[user, frame.day] = True
    past = [visited[:, max(d - 7, 0) : d].sum(axis=1) for d in range(config.days)]
    active_days_7 = np.stack(past, axis=1)[user, frame.day]
    frame["group"] = np.select(
        [
            time - frame.user_first_launch_ms <= DAY_MS,
            frame.gap_ms >= 7 * DAY_MS,
            (active_days_7 == 1) | (active_days_7 == 2),
        ],
        ["new", "returning", "inactive"],
        "regular",
    )
    return frame
