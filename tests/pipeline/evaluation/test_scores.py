import numpy as np
import pytest

from pipeline.evaluation.scores import (
    Impressions,
    past_rate_scores,
    read_impressions,
    score_split,
)
from tests.helpers.small_transform import analyzed_rows

TASKS = ("long_view", "like")


def test_a_split_is_read_in_order(small_transform):
    read = read_impressions(small_transform.split_dir, TASKS)
    rows = analyzed_rows()
    assert len(read) == len(rows)
    assert read.user_ids.tolist() == [row["user_id"].encode() for row in rows]
    assert read.video_ids.tolist() == [row["video_id"].encode() for row in rows]
    assert read.user_groups.tolist() == [row["user_group"].encode() for row in rows]
    assert read.is_new_video.tolist() == [row["is_new_video"] for row in rows]
    for task in TASKS:
        assert read.labels[task].dtype == np.float32
        assert read.labels[task].tolist() == [row[task] for row in rows]


def test_a_split_is_scored_as_the_model_does(
    small_model, exported_dir, small_transform
):
    scores = score_split(str(exported_dir), small_transform.split_dir)
    expected = small_model.probabilities(small_transform.apply(*analyzed_rows()))
    assert set(scores) == set(TASKS)
    for task in TASKS:
        np.testing.assert_allclose(scores[task], expected[task], atol=1e-5)


def impressions(videos, labels):
    empty = np.zeros(len(videos))
    return Impressions(
        user_ids=empty,
        video_ids=np.array(videos, dtype=bytes),
        user_groups=empty,
        is_new_video=empty,
        labels={"like": np.array(labels, np.float32)},
    )


@pytest.mark.parametrize("smoothing", [1.0, 20.0])
def test_past_rates_against_a_slow_loop(smoothing):
    rng = np.random.default_rng(1)
    videos = [f"v{i}" for i in rng.integers(0, 12, 80)]
    labels = rng.integers(0, 2, 80)
    shown = [f"v{i}" for i in rng.integers(0, 15, 40)] + ["", "a", "zz", "v"]
    past = impressions(videos, labels)
    current = impressions(shown, np.zeros(len(shown)))
    expected = []
    for video in shown:
        of_video = [y for v, y in zip(videos, labels, strict=True) if v == video]
        prior = smoothing * labels.mean()
        expected.append((sum(of_video) + prior) / (len(of_video) + smoothing))
    scores = past_rate_scores(past, current, "like", smoothing)
    np.testing.assert_allclose(scores, expected, rtol=1e-6)
    assert len(set(np.round(scores, 6))) > 5


def test_a_video_that_the_past_has_not_seen_gets_the_mean():
    past = impressions(["b", "b", "c", "d"], [1, 1, 0, 0])
    current = impressions(["a", "bb", "e", "b"], [0, 0, 0, 0])
    scores = past_rate_scores(past, current, "like")
    assert scores[:3].tolist() == [0.5] * 3
    assert scores[3] == pytest.approx((2 + 20 * 0.5) / 22)


def test_the_current_labels_are_not_read():
    past = impressions(["b", "c"], [1, 0])
    for labels in ([0, 0, 0], [1, 1, 1]):
        scores = past_rate_scores(past, impressions(["b", "c", "d"], labels), "like")
        np.testing.assert_allclose(scores, [11 / 21, 10 / 21, 0.5])
