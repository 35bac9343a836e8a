"""What the contract derives from a simulated log: days, labels, user groups."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from simulator import SimulatorConfig
from simulator.config import DAY_MS


def labelled(log: pa.Table, config: SimulatorConfig) -> pd.DataFrame:
    """The log in time order with day, labels, the gap before, and user group."""
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
    first_day = frame.groupby("user_id").day.transform("min")
    frame["group"] = np.select(
        [
            time - frame.user_first_launch_ms <= DAY_MS,
            (frame.day > first_day) & (active_days_7 == 0),
            (active_days_7 == 1) | (active_days_7 == 2),
        ],
        ["new", "returning", "inactive"],
        "regular",
    )
    return frame
