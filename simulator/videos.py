"""The catalogue: what is uploaded, by whom, when, and how good it is."""

from dataclasses import dataclass

import numpy as np

from simulator.config import DAY_MS, SimulatorConfig

# The first BROAD_TOPICS of them interest everybody a little.
TOPICS = (
    *("comedy", "music", "pets", "food", "dance", "life hacks"),
    *("football", "basketball", "fitness", "travel", "cars", "gaming"),
    *("fashion", "makeup", "crafts", "gardening", "fishing", "cooking"),
    *("history", "science", "finance", "news", "parenting", "rural life"),
)
BROAD_TOPICS = 6

LIBRARY_DAYS = 30  # uploads reach this far back before the log
LIBRARY_SHARE = 0.75  # of the catalogue is uploaded before the log
AUTHOR_STAYS_ON_TOPIC = 0.85  # of an author's videos
MAX_TAGS = 3
DURATION_MEDIAN_MS = 20_000
DURATION_SIGMA = 0.8  # of ln(duration)
DURATION_RANGE_MS = (4_000, 180_000)


@dataclass(frozen=True)
class Videos:
    """The catalogue, with one entry per video in each array.

    Attributes:
        topic: main topic, an index into `TOPICS` [videos].
        tags: topics of each video, the main one first, -1 where there are fewer
            [videos, MAX_TAGS].
        author: [videos].
        author_topic: the topic each author is known for [authors].
        duration_ms: [videos].
        shortness: -ln(duration), standardised over the catalogue [videos].
        appeal: what makes a video popular with everybody, standard normal [videos].
        upload_ms: [videos].
    """

    topic: np.ndarray
    tags: np.ndarray
    author: np.ndarray
    author_topic: np.ndarray
    duration_ms: np.ndarray
    shortness: np.ndarray
    appeal: np.ndarray
    upload_ms: np.ndarray


def make_videos(config: SimulatorConfig, rng: np.random.Generator) -> Videos:
    """Draws a catalogue."""
    count = config.videos
    author_topic = rng.integers(len(TOPICS), size=config.authors)
    author = rng.integers(config.authors, size=count)
    stays = rng.random(count) < AUTHOR_STAYS_ON_TOPIC
    topic = np.where(stays, author_topic[author], rng.integers(len(TOPICS), size=count))

    log_duration = rng.normal(np.log(DURATION_MEDIAN_MS), DURATION_SIGMA, count)
    duration_ms = np.clip(np.exp(log_duration), *DURATION_RANGE_MS).astype(np.int64)
    log_duration = np.log(duration_ms)
    return Videos(
        topic=topic,
        tags=_tags(topic, rng),
        author=author,
        author_topic=author_topic,
        duration_ms=duration_ms,
        shortness=(log_duration.mean() - log_duration) / log_duration.std(),
        appeal=rng.standard_normal(count),
        upload_ms=_upload_times(config, rng),
    )


def _tags(topic: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    others = np.argsort(rng.random((len(topic), len(TOPICS))), axis=1)[:, :MAX_TAGS]
    tags = np.concatenate([topic[:, None], others[:, : MAX_TAGS - 1]], axis=1)
    extra = rng.integers(MAX_TAGS, size=len(topic))
    absent = np.arange(MAX_TAGS) > extra[:, None]
    absent[:, 1:] |= tags[:, 1:] == topic[:, None]
    return np.where(absent, -1, tags)


def _upload_times(config: SimulatorConfig, rng: np.random.Generator) -> np.ndarray:
    """Uniform before the log and uniform during it, in random order."""
    before = round(config.videos * LIBRARY_SHARE)
    times = np.concatenate(
        [
            rng.integers(
                config.start_ms - LIBRARY_DAYS * DAY_MS, config.start_ms, size=before
            ),
            rng.integers(config.start_ms, config.end_ms, size=config.videos - before),
        ]
    )
    return rng.permutation(times)
