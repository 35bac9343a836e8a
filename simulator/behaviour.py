"""What users do with a video: the generative model of watching, liking, following.

Maturity of taste grows with the views n so far (the AVC) and the user's attachment a:
    m = a n / (n + HALF_MATURE_VIEWS)                                    in [0, 1)
Newcomers choose by what anybody can see, mature users by what they have come to know:
    u_new    = w . (appeal, shortness, broad topic, country's taste)
    u_mature = w . (topic affinity, author affinity, freshness, country's taste)
    u = (1 - m) u_new + m u_mature
How much of the video of length D is played, how it is liked, its author followed:
    ln(play / D) = b(m) + country + network + u + noise, at most ln(MAX_PLAYS)
    P(like)   = sigmoid(l(m) + LIKE_SLOPE u)
    P(follow) = sigmoid(f + FOLLOW_SLOPE (1 + author affinity) u)
with b and l linear in m between a newcomer's and a mature user's value. So one set of
weights cannot fit both, and which one applies is visible in the AVC (Sec. 1, Fig. 1a).
"""

from dataclasses import dataclass

import numpy as np

from simulator.config import DAY_MS
from simulator.users import COUNTRIES, HABITS, Users
from simulator.videos import BROAD_TOPICS, TOPICS, Videos

NETWORKS = ("wifi", "cellular")
WIFI_SHARE = 0.7
NETWORK_EFFECT = np.array([0.05, -0.15])
COUNTRY_EFFECT = np.linspace(-0.4, 0.4, len(COUNTRIES))
COUNTRY_TASTE_SIGMA = 0.5

HALF_MATURE_VIEWS = 40.0
FRESHNESS_DAYS = 3.0  # freshness = exp(-age / FRESHNESS_DAYS)
MAX_PLAYS = 2.0
PLAY_NOISE = 0.9


@dataclass(frozen=True)
class Taste:
    """Weights of the reasons to watch, and the levels they add to."""

    appeal: float = 0.0
    shortness: float = 0.0
    broad: float = 0.0
    topic: float = 0.0
    author: float = 0.0
    freshness: float = 0.0
    play_level: float = 0.0
    like_level: float = 0.0


NEWCOMER = Taste(
    appeal=0.5, shortness=0.8, broad=0.5, play_level=-0.85, like_level=-3.1
)
MATURE = Taste(topic=0.6, author=0.6, freshness=1.0, play_level=-1.0, like_level=-3.8)
LIKE_SLOPE = 0.8
FOLLOW_LEVEL = -5.8
FOLLOW_SLOPE = 0.5


@dataclass(frozen=True)
class Responses:
    """What was done with each impression: played ms, like, follow [impressions]."""

    play_ms: np.ndarray
    like: np.ndarray
    follow: np.ndarray


def draw_country_taste(rng: np.random.Generator) -> np.ndarray:
    """Draws what each country thinks of each topic [countries, topics]."""
    return rng.normal(scale=COUNTRY_TASTE_SIGMA, size=(len(COUNTRIES), len(TOPICS)))


def maturity(users: Users, user: np.ndarray, views: np.ndarray) -> np.ndarray:
    """Maturity of the user's taste after so many views, in [0, 1) [impressions]."""
    attachment = np.array([h.attachment for h in HABITS])[users.habit[user]]
    return attachment * views / (views + HALF_MATURE_VIEWS)


def interest(
    users: Users,
    videos: Videos,
    country_taste: np.ndarray,
    user: np.ndarray,
    video: np.ndarray,
    request_ms: np.ndarray,
    mature: np.ndarray,
) -> np.ndarray:
    """The users' interest in the videos, `u` of the module's formulas [impressions]."""
    topic = videos.topic[video]
    age_days = (request_ms - videos.upload_ms[video]) / DAY_MS
    seen = (
        NEWCOMER.appeal * videos.appeal[video]
        + NEWCOMER.shortness * videos.shortness[video]
        + NEWCOMER.broad * (topic < BROAD_TOPICS)
    )
    known = (
        MATURE.topic * users.topic_affinity[user, topic]
        + MATURE.author * users.author_affinity[user, videos.author[video]]
        + MATURE.freshness * np.exp(-age_days / FRESHNESS_DAYS)
    )
    local = country_taste[users.country[user], topic]
    return (1 - mature) * seen + mature * known + local


def respond(
    users: Users,
    videos: Videos,
    user: np.ndarray,
    video: np.ndarray,
    network: np.ndarray,
    interested: np.ndarray,
    mature: np.ndarray,
    rng: np.random.Generator,
) -> Responses:
    """Draws what the users do.

    Args:
        users: the audience.
        videos: the catalogue.
        user: [impressions].
        video: [impressions].
        network: index into `NETWORKS` [impressions].
        interested: of `interest` [impressions].
        mature: of `maturity` [impressions].
        rng: source of randomness.
    """
    log_plays = (
        _between(NEWCOMER.play_level, MATURE.play_level, mature)
        + COUNTRY_EFFECT[users.country[user]]
        + NETWORK_EFFECT[network]
        + interested
        + rng.normal(scale=PLAY_NOISE, size=len(user))
    )
    plays = np.exp(np.minimum(log_plays, np.log(MAX_PLAYS)))
    like = _between(NEWCOMER.like_level, MATURE.like_level, mature)
    like = like + LIKE_SLOPE * interested
    known_author = 1 + users.author_affinity[user, videos.author[video]]
    follow = FOLLOW_LEVEL + FOLLOW_SLOPE * known_author * interested
    return Responses(
        play_ms=(plays * videos.duration_ms[video]).astype(np.int64),
        like=rng.random(len(user)) < _sigmoid(like),
        follow=rng.random(len(user)) < _sigmoid(follow),
    )


def _between(newcomer: float, mature_value: float, mature: np.ndarray) -> np.ndarray:
    return (1 - mature) * newcomer + mature * mature_value


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))
