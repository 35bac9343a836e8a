"""The log itself: one row per impression, by the contract."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.behaviour import (
    NETWORKS,
    WIFI_SHARE,
    Responses,
    draw_country_taste,
    interest,
    maturity,
    respond,
)
from simulator.config import SimulatorConfig
from simulator.corruption import corrupt
from simulator.feed import choose_videos
from simulator.newcomers import keep_newcomers
from simulator.sessions import (
    SESSION_LIMIT_MS,
    Sessions,
    draw_sessions,
    expected_arrivals,
)
from simulator.users import COUNTRIES, DEVICES, ESTABLISHED, Users, make_users
from simulator.videos import TOPICS, Videos, make_videos

LAUNCH_TO_FEED_MS = 3_000  # from a newcomer's first launch to the first impression
SWIPE_MS = (300, 2_500)  # between two videos


def simulate(config: SimulatorConfig) -> pa.Table:
    """Runs the feed and returns its impression log, ordered by time.

    Columns: those of the contract, and the features `user_country` (balanced),
    `device` (of the user) and `network` (of the session).
    """
    seeds = np.random.SeedSequence(config.seed).spawn(5)
    world_rng, session_rng, feed_rng, corruption_rng, newcomer_rng = map(
        np.random.default_rng, seeds
    )
    videos = make_videos(config, world_rng)
    users = make_users(config, expected_arrivals(config), videos, world_rng)
    country_taste = draw_country_taste(world_rng)
    sessions = draw_sessions(config, users, session_rng)

    session = np.repeat(np.arange(len(sessions.user)), sessions.views)
    user = sessions.user[session]
    request_ms = sessions.start_ms[session]
    mature = maturity(users, user, users.prior_views[user] + _rank_within(user))
    video = choose_videos(users, videos, user, mature, request_ms, feed_rng)
    network = (feed_rng.random(len(sessions.user)) >= WIFI_SHARE).astype(int)[session]
    interested = interest(users, videos, country_taste, user, video, request_ms, mature)
    responses = respond(
        users, videos, user, video, network, interested, mature, feed_rng
    )
    event_ms = request_ms + _offset_ms(session, responses.play_ms, feed_rng)

    log = _table(users, videos, sessions, user, video, network, event_ms, responses)
    log = log.filter(pc.less(log["event_time_ms"], config.end_ms))
    log = log.sort_by([("event_time_ms", "ascending"), ("user_id", "ascending")])
    log = keep_newcomers(log, config, newcomer_rng)
    return corrupt(log, config.corrupt_share, corruption_rng)


def _rank_within(user: np.ndarray) -> np.ndarray:
    """How many earlier rows the same user has; rows are grouped by user."""
    starts = np.flatnonzero(np.append(True, user[1:] != user[:-1]))
    counts = np.diff(np.append(starts, len(user)))
    return np.arange(len(user)) - np.repeat(starts, counts)


def _offset_ms(
    session: np.ndarray, play_ms: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Time from a session's start to each impression, the earlier plays and swipes.

    The rare session over the limit is squeezed into it.
    """
    spent = play_ms + rng.integers(*SWIPE_MS, size=len(play_ms))
    before = np.cumsum(spent) - spent
    starts = np.flatnonzero(np.append(True, session[1:] != session[:-1]))
    offset = before - before[starts][session]
    length = np.maximum.reduceat(offset, starts)
    squeeze = np.minimum(1.0, SESSION_LIMIT_MS / np.maximum(length, 1))
    return (offset * squeeze[session]).astype(np.int64)


def _table(
    users: Users,
    videos: Videos,
    sessions: Sessions,
    user: np.ndarray,
    video: np.ndarray,
    network: np.ndarray,
    event_ms: np.ndarray,
    responses: Responses,
) -> pa.Table:
    launch_ms = users.launch_ms.copy()
    first = np.flatnonzero(np.append(True, sessions.user[1:] != sessions.user[:-1]))
    newcomer = users.launch_day[sessions.user[first]] != ESTABLISHED
    first = first[newcomer]
    launch_ms[sessions.user[first]] = sessions.start_ms[first] - LAUNCH_TO_FEED_MS
    return pa.table(
        {
            "user_id": _names("u", len(users.habit)).take(pa.array(user)),
            "video_id": _names("v", len(videos.topic)).take(pa.array(video)),
            "event_time_ms": event_ms,
            "play_time_ms": responses.play_ms,
            "video_duration_ms": videos.duration_ms[video],
            "is_like": responses.like.astype(np.int8),
            "is_follow": responses.follow.astype(np.int8),
            "author_id": _names("a", len(videos.author_topic)).take(
                pa.array(videos.author[video])
            ),
            "video_tags": _tag_lists(videos).take(pa.array(video)),
            "user_first_launch_ms": launch_ms[user],
            "video_upload_ms": videos.upload_ms[video],
            "prior_view_count": users.prior_views[user],
            "user_country": pa.array(COUNTRIES).take(pa.array(users.country[user])),
            "device": pa.array(DEVICES).take(pa.array(users.device[user])),
            "network": pa.array(NETWORKS).take(pa.array(network)),
        }
    )


def _names(prefix: str, count: int) -> pa.Array:
    return pa.array([f"{prefix}{i:05d}" for i in range(count)])


def _tag_lists(videos: Videos) -> pa.Array:
    return pa.array([[TOPICS[t] for t in tags if t >= 0] for tags in videos.tags])
