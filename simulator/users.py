"""The audience: who uses the feed, how often, since when, and what they like."""

from dataclasses import dataclass

import numpy as np

from simulator.config import DAY_MS, SimulatorConfig
from simulator.videos import TOPICS, Videos

COUNTRIES = ("BR", "ID", "MX", "PK", "TR")  # equally many users each
DEVICES = ("android", "ios", "tablet")
DEVICE_SHARES = (0.6, 0.3, 0.1)

ESTABLISHED = -1  # the launch day of users who came before the log
LIKED_TOPICS = 3
LIKED_AFFINITY, OTHER_AFFINITY = 1.5, -0.2
FAVOURITE_SHARE = 0.35  # of the authors known for a topic the user likes
FAVOURITE_AFFINITY, STRANGER_AFFINITY = 1.4, -0.2
TENURE_DAYS = (14.0, 400.0)  # since the first launch, for established users
PRIOR_VIEWS_SIGMA = 0.4  # of ln(views before the log), around habit x tenure


@dataclass(frozen=True)
class Habit:
    """How much somebody uses the feed.

    Attributes:
        established_share: share of it among the users who came before the log.
        newcomer_share: share among newcomers, from their second day on.
        active_probability: of visiting on a given day.
        sessions: mean sessions on a day with a visit.
        views: mean impressions of a session.
        attachment: factor on the maturity of taste (see `simulator.behaviour`).
    """

    established_share: float
    newcomer_share: float
    active_probability: float
    sessions: float
    views: float
    attachment: float

    @property
    def daily_views(self) -> float:
        """Mean impressions on a day with a visit."""
        return self.sessions * self.views


# Lapsed users have dates instead of a probability: see `simulator.sessions`.
DAILY = Habit(0.49, 0.30, 0.72, sessions=1.4, views=9.0, attachment=1.0)
WEEKLY = Habit(0.42, 0.70, 0.20, sessions=1.2, views=8.0, attachment=0.85)
LAPSED = Habit(0.09, 0.00, 0.00, sessions=1.4, views=8.0, attachment=0.7)
HABITS = (DAILY, WEEKLY, LAPSED)
LAPSED_INDEX = HABITS.index(LAPSED)
LAPSED_VISIT_RATE = 0.2  # their visits per day in earlier times

# A newcomer's first day: fewer views (Fig. 1a).
FIRST_DAY_SESSIONS = 1.25
FIRST_DAY_VIEWS = 6.0


@dataclass(frozen=True)
class Users:
    """The audience, with one entry per user in each array.

    Attributes:
        habit: index into `HABITS` [users].
        launch_day: day of the log of the first launch, or `ESTABLISHED` [users].
        launch_ms: first launch of established users [users].
        prior_views: impressions before the log, 0 for newcomers [users].
        country: index into `COUNTRIES` [users].
        device: index into `DEVICES` [users].
        liked_topics: [users, LIKED_TOPICS].
        topic_affinity: [users, topics].
        author_affinity: [users, authors].
    """

    habit: np.ndarray
    launch_day: np.ndarray
    launch_ms: np.ndarray
    prior_views: np.ndarray
    country: np.ndarray
    device: np.ndarray
    liked_topics: np.ndarray
    topic_affinity: np.ndarray
    author_affinity: np.ndarray


def make_users(
    config: SimulatorConfig,
    arrivals: np.ndarray,
    videos: Videos,
    rng: np.random.Generator,
) -> Users:
    """Draws an audience in which `arrivals[d]` users first launch on day d."""
    count = config.users
    launch_day = np.full(count, ESTABLISHED)
    newcomers = np.repeat(np.arange(config.days), arrivals)
    launch_day[: len(newcomers)] = newcomers
    launch_day = rng.permutation(launch_day)
    is_newcomer = launch_day != ESTABLISHED

    habit = np.where(
        is_newcomer,
        rng.choice(len(HABITS), size=count, p=[h.newcomer_share for h in HABITS]),
        rng.choice(len(HABITS), size=count, p=[h.established_share for h in HABITS]),
    )
    tenure_days = rng.uniform(*TENURE_DAYS, size=count)
    liked = np.argsort(rng.random((count, len(TOPICS))), axis=1)[:, :LIKED_TOPICS]
    likes_topic = np.zeros((count, len(TOPICS)), dtype=bool)
    np.put_along_axis(likes_topic, liked, True, axis=1)
    favourite = likes_topic[:, videos.author_topic] & (
        rng.random((count, config.authors), dtype=np.float32) < FAVOURITE_SHARE
    )
    return Users(
        habit=habit,
        launch_day=launch_day,
        launch_ms=config.start_ms - (tenure_days * DAY_MS).astype(np.int64),
        prior_views=np.where(is_newcomer, 0, _prior_views(habit, tenure_days, rng)),
        country=rng.permutation(np.arange(count) % len(COUNTRIES)),
        device=rng.choice(len(DEVICES), size=count, p=DEVICE_SHARES),
        liked_topics=liked,
        topic_affinity=np.where(likes_topic, LIKED_AFFINITY, OTHER_AFFINITY),
        author_affinity=np.where(favourite, FAVOURITE_AFFINITY, STRANGER_AFFINITY),
    )


def _prior_views(
    habit: np.ndarray, tenure_days: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    rates = np.array(
        [
            (LAPSED_VISIT_RATE if h is LAPSED else h.active_probability) * h.daily_views
            for h in HABITS
        ]
    )
    noise = rng.lognormal(sigma=PRIOR_VIEWS_SIGMA, size=len(habit))
    return np.ceil(rates[habit] * tenure_days * noise).astype(np.int64)
