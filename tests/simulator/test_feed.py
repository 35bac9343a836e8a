import numpy as np
import pytest

from simulator import SimulatorConfig
from simulator.feed import PERSONAL_SHARE, choose_videos
from simulator.users import make_users
from simulator.videos import TOPICS, make_videos

CONFIG = SimulatorConfig(users=200, videos=600, authors=60)


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(3)
    videos = make_videos(CONFIG, rng)
    users = make_users(CONFIG, np.zeros(CONFIG.days, int), videos, rng)
    return users, videos


def shown(world, maturity, request_ms, count=20_000):
    users, videos = world
    rng = np.random.default_rng(4)
    user = rng.integers(CONFIG.users, size=count)
    times = np.full(count, request_ms)
    video = choose_videos(users, videos, user, np.full(count, maturity), times, rng)
    liked = users.liked_topics[user] == videos.topic[video][:, None]
    return video, liked.any(axis=1).mean()


@pytest.mark.parametrize("maturity", [0.0, 1.0])
def test_only_uploaded_videos_are_shown(world, maturity):
    _, videos = world
    video, _ = shown(world, maturity, CONFIG.start_ms)
    assert (videos.upload_ms[video] <= CONFIG.start_ms).all()


def test_mature_users_are_shown_the_topics_they_like(world):
    users, _ = world
    _, unknown = shown(world, 0.0, CONFIG.end_ms)
    _, known = shown(world, 1.0, CONFIG.end_ms)
    by_chance = users.liked_topics.shape[1] / len(TOPICS)
    assert unknown == pytest.approx(by_chance, abs=0.03)
    expected = PERSONAL_SHARE + (1 - PERSONAL_SHARE) * unknown
    assert known == pytest.approx(expected, abs=0.03)


def test_popular_videos_are_shown_more(world):
    _, videos = world
    video, _ = shown(world, 0.0, CONFIG.end_ms)
    views = np.bincount(video, minlength=CONFIG.videos)
    liked, disliked = videos.appeal > 1, videos.appeal < -1
    assert views[liked].mean() > 5 * views[disliked].mean()
