"""Fewer newcomers: how rare new users are in what a model trains on."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.config import DAY_MS, SimulatorConfig


def keep_newcomers(
    log: pa.Table, config: SimulatorConfig, rng: np.random.Generator
) -> pa.Table:
    """Drops all impressions of some of the users who first launch before the last day.

    Who came before the log stays, and so does who first launches on the last day, the
    one to evaluate on. Users do not influence each other, so what is left is the log of
    a feed that fewer newcomers found. Of one seed, a smaller share keeps some of the
    users that a larger one keeps.

    Args:
        log: an impression log.
        config: `newcomers`, the share to keep, and the log's period.
        rng: source of randomness.

    Returns:
        The log without them, in its order.
    """
    if config.newcomers == 1.0:
        return log
    launch_ms = log["user_first_launch_ms"].to_numpy()
    last_day_ms = config.end_ms - DAY_MS
    came_before = log["prior_view_count"].to_numpy() > 0
    early = ~came_before & (launch_ms < last_day_ms)
    users = pc.unique(log["user_id"].filter(pa.array(early)))
    shuffled = rng.permutation(np.sort(users.to_numpy(zero_copy_only=False)))
    dropped = pa.array(shuffled[round(config.newcomers * len(shuffled)) :], pa.string())
    return log.filter(pc.invert(pc.is_in(log["user_id"], dropped)))
