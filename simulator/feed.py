"""Which videos are shown: the policy of the feed that wrote the log."""

import numpy as np

from simulator.users import LIKED_TOPICS, Users
from simulator.videos import Videos

POPULARITY_SKEW = 1.1  # a video's chance of being shown is proportional to exp(skew z)
PERSONAL_SHARE = 0.5  # of a mature user's impressions come from a topic they like
TOPIC_ATTEMPTS = 10  # then the feed gives up on the topic


def choose_videos(
    users: Users,
    videos: Videos,
    user: np.ndarray,
    maturity: np.ndarray,
    request_ms: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draws a video for each impression from those uploaded before the request.

    The more mature a user, the more often from a topic they like; otherwise from the
    whole catalogue; by popularity in either case.

    Args:
        users: the audience.
        videos: the catalogue.
        user: who asks [impressions].
        maturity: of the user's taste [impressions].
        request_ms: when the session's videos are requested [impressions].
        rng: source of randomness.

    Returns:
        Indices of videos [impressions].
    """
    by_topic = np.argsort(videos.topic, kind="stable")
    weight = np.exp(POPULARITY_SKEW * videos.appeal[by_topic])
    edges = np.concatenate([[0.0], np.cumsum(weight)])
    topics = np.arange(users.topic_affinity.shape[1])
    first = np.searchsorted(videos.topic[by_topic], topics, side="left")
    last = np.searchsorted(videos.topic[by_topic], topics, side="right")

    personal = rng.random(len(user)) < PERSONAL_SHARE * maturity
    topic = users.liked_topics[user, rng.integers(LIKED_TOPICS, size=len(user))]
    low = np.where(personal, edges[first[topic]], 0.0)
    high = np.where(personal, edges[last[topic]], edges[-1])

    chosen = np.zeros(len(user), dtype=np.int64)
    pending = np.arange(len(user))
    attempt = 0
    while len(pending):
        if attempt == TOPIC_ATTEMPTS:
            low[pending], high[pending] = 0.0, edges[-1]
        at = rng.uniform(low[pending], high[pending])
        rank = np.searchsorted(edges, at, side="right") - 1
        chosen[pending] = by_topic[np.minimum(rank, len(by_topic) - 1)]
        pending = pending[videos.upload_ms[chosen[pending]] > request_ms[pending]]
        attempt += 1
    return chosen
