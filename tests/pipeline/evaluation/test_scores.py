import numpy as np
import pytest

from pipeline.evaluation import scores
from pipeline.evaluation.scores import (
    LabelCounts,
    VideoCounts,
    count_videos,
    popularity_scores,
    score_split,
)
from pipeline.examples.example_files import serialized_batches
from preprocessing.contract.column_names import USER_GROUPS
from tests.helpers.evaluation_rows import evaluation_rows
from tests.helpers.small_transform import (
    SmallTransform,
    analyzed_rows,
    feature_row,
    settings_with,
    write_examples,
)

TASKS = ("long_view", "like")


@pytest.fixture
def small_batches(monkeypatch):
    """Batches of 7 of 25 examples; returns how often a split was begun."""
    begun = []

    def batches(split_dir):
        begun.append(split_dir)
        return serialized_batches(split_dir, 7)

    monkeypatch.setattr(scores, "serialized_batches", batches)
    return begun


@pytest.mark.usefixtures("small_batches")
def test_a_split_is_read_in_order(small_transform):
    read, scored = score_split({}, small_transform.split_dir, TASKS)
    rows = analyzed_rows()
    assert scored == {}
    assert len(read) == len(rows)
    users = [row["user_id"] for row in rows]
    for one in range(len(rows)):
        same = [user == users[one] for user in users]
        assert (read.users == read.users[one]).tolist() == same
    videos = [read.video_ids[code].decode() for code in read.videos]
    assert videos == [row["video_id"] for row in rows]
    assert len(set(read.video_ids)) == len(read.video_ids)
    groups = [USER_GROUPS[code] for code in read.user_groups]
    assert groups == [row["user_group"] for row in rows]
    assert read.is_new_video.tolist() == [row["is_new_video"] == 1 for row in rows]
    for task in TASKS:
        assert read.labels[task].tolist() == [row[task] for row in rows]


def test_a_row_is_a_few_small_numbers(small_transform):
    read, _ = score_split({}, small_transform.split_dir, TASKS)
    columns = [read.users, read.videos, read.user_groups, read.is_new_video]
    columns += read.labels.values()
    assert sum(column.itemsize for column in columns) == 4 + 4 + 1 + 1 + 2 * 1


def test_a_group_without_a_name_is_in_no_group(small_transform, tmp_path):
    rows = [feature_row(user_group="vip"), feature_row(user_group="new")]
    write_examples(small_transform.examples(rows), tmp_path / "split")
    read, _ = score_split({}, str(tmp_path / "split"), TASKS)
    assert read.user_groups.tolist() == [-1, USER_GROUPS.index("new")]


def test_a_split_is_scored_as_the_model_does_and_read_once(
    small_model, exported_dir, small_transform, small_batches
):
    models = {"model": str(exported_dir), "again": str(exported_dir)}
    rows, scored = score_split(models, small_transform.split_dir, TASKS)
    assert small_batches == [small_transform.split_dir]
    assert set(scored) == set(models)
    expected = small_model.probabilities(small_transform.apply(*analyzed_rows()))
    for by_task in scored.values():
        assert list(by_task) == list(TASKS)
        for task in TASKS:
            assert by_task[task].dtype == np.float32
            assert len(by_task[task]) == len(rows)
            np.testing.assert_allclose(by_task[task], expected[task], atol=1e-5)


@pytest.mark.usefixtures("small_batches")
def test_videos_are_counted_over_all_batches(small_transform):
    counts = count_videos(small_transform.split_dir, "like")
    rows = analyzed_rows()
    videos = [row["video_id"] for row in rows]
    liked = [row["video_id"] for row in rows if row["like"]]
    assert counts.rows == len(rows)
    assert counts.impressions == {v.encode(): videos.count(v) for v in set(videos)}
    assert counts.positives == {v.encode(): liked.count(v) for v in set(liked)}


@pytest.mark.usefixtures("small_batches")
def test_labels_that_examples_lack_are_unknown(tmp_path):
    labels = {"long_view": {"rule": "long_view"}, "like": {"column": "is_like"}}
    labels["like"]["missing"] = "mask"
    config = settings_with(features={"labels": labels, "extra": []}, transform={})
    rows = [
        feature_row(
            video_id=f"v{i % 3}", long_view=i % 2, like=(0, 1, None, None)[i % 4]
        )
        for i in range(20)
    ]
    examples = SmallTransform(config, tmp_path).examples(rows)
    write_examples(examples, tmp_path / "split")
    read, _ = score_split({}, str(tmp_path / "split"), TASKS)
    assert read.labels["like"].tolist() == [0, 1, -1, -1] * 5
    assert read.known_labels("like").tolist() == [0, 1] * 5
    assert read.labels["long_view"].tolist() == [0, 1] * 10
    counts = count_videos(str(tmp_path / "split"), "like", TASKS)
    assert counts.rows == 20
    known = [row["video_id"] for row in rows if row["like"] is not None]
    assert counts.impressions == {v.encode(): known.count(v) for v in set(known)}
    assert sum(counts.positives.values()) == 5
    assert counts.tasks == {
        "like": LabelCounts(10, 5),
        "long_view": LabelCounts(20, 10),
    }


def test_without_a_known_label_in_the_past_all_are_as_popular():
    past = VideoCounts(rows=4, impressions={}, positives={})
    assert popularity_scores(past, shown(["a", "b"])).tolist() == [0, 0]


def counted(videos, labels):
    liked = [video for video, label in zip(videos, labels, strict=True) if label]
    return VideoCounts(
        rows=len(videos),
        impressions={v.encode(): videos.count(v) for v in set(videos)},
        positives={v.encode(): liked.count(v) for v in set(liked)},
    )


def shown(videos, labels=None):
    return evaluation_rows({"like": labels or [0] * len(videos)}, videos=videos)


@pytest.mark.parametrize("smoothing", [1.0, 20.0])
def test_popularity_against_a_slow_loop(smoothing):
    rng = np.random.default_rng(1)
    videos = [f"v{i}" for i in rng.integers(0, 12, 80)]
    labels = rng.integers(0, 2, 80)
    current = [f"v{i}" for i in rng.integers(0, 15, 40)] + ["", "a", "zz", "v"]
    expected = []
    for video in current:
        of_video = [y for v, y in zip(videos, labels, strict=True) if v == video]
        prior = smoothing * labels.mean()
        expected.append((sum(of_video) + prior) / (len(of_video) + smoothing))
    popularity = popularity_scores(counted(videos, labels), shown(current), smoothing)
    np.testing.assert_allclose(popularity, expected, rtol=1e-6)
    assert len(set(np.round(popularity, 6))) > 5


def test_a_video_that_the_past_has_not_seen_gets_the_mean():
    past = counted(["b", "b", "c", "d"], [1, 1, 0, 0])
    popularity = popularity_scores(past, shown(["a", "bb", "e", "b"]))
    assert popularity[:3].tolist() == [0.5] * 3
    assert popularity[3] == pytest.approx((2 + 20 * 0.5) / 22)


def test_the_current_labels_are_not_read():
    past = counted(["b", "c"], [1, 0])
    for labels in ([0, 0, 0], [1, 1, 1]):
        popularity = popularity_scores(past, shown(["b", "c", "d"], labels))
        np.testing.assert_allclose(popularity, [11 / 21, 10 / 21, 0.5])
