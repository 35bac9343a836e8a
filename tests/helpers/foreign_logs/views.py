"""What happened: users who see items over some days, and what they liked of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

FIRST_S = 1_650_900_000  # 25 April 2022, 15:20 UTC


class Views(NamedTuple):
    """Impressions in the order of their times; arrays of one length.

    Attributes:
        user: From 0.
        item: From 0.
        group: Whose item it is, from 0; fewer than items.
        time_s: Seconds since 1970, all different for a user.
        liked: Whether it was liked, 0 or 1.
        depth: How much of it was watched, above 0.
    """

    user: np.ndarray
    item: np.ndarray
    group: np.ndarray
    time_s: np.ndarray
    liked: np.ndarray
    depth: np.ndarray


class Written(NamedTuple):
    """What a log that was written holds.

    Attributes:
        rows: Its impressions.
        positives: Of labels by name: how many of the accepted impressions have each.
        rejects: Impressions that break the contract.
    """

    rows: int
    positives: dict[str, int]
    rejects: int = 0


def draw_views(
    rows: int,
    users: int = 60,
    items: int = 40,
    days: int = 8,
    first_s: int = FIRST_S,
    seed: int = 5,
) -> Views:
    """Draws impressions."""
    random = np.random.default_rng(seed)
    time_s = first_s + np.sort(random.choice(days * 86_400, rows, replace=False))
    user = random.integers(users, size=rows)
    item = np.minimum(random.geometric(2.5 / items, rows) - 1, items - 1)
    group = item % max(items // 4, 2)
    taste = random.normal(0, 1.2, (users, items))[user, item]
    liked = (random.random(rows) < 1 / (1 + np.exp(1.0 - taste))).astype(int)
    depth = np.clip(random.gamma(2.0, 0.35, rows) * (0.6 + 0.9 * liked), 0.01, 3.0)
    return Views(user, item, group, time_s, liked, depth)
