import json

import numpy as np
import pytest

from pipeline.examples.example_files import serialized_batches
from pipeline.model.export import raw_columns
from pipeline.validation import rank_requests
from pipeline.validation.rank_requests import (
    read_rows,
    sample_requests,
    write_requests,
)
from tests.helpers.small_transform import feature_row, write_examples

HOUR = 3_600_000
GROUPS = ("new", "returning", "inactive", "regular")


def impression(user, group, video, hour, **values):
    return feature_row(
        user_id=user, user_group=group, video_id=video, event_time_ms=hour * HOUR
    ) | dict(values)


ROWS = [
    impression("n1", "new", "popular", 3, avc=0, country="CN"),
    impression("n2", "new", "rare", 9, avc=1, battery=0.5, topics=["y"]),
    impression("r1", "regular", "popular", 8, avc=7, video_impressions=6),
    impression("r2", "regular", "popular", 5, avc=9, video_impressions=5),
    impression("r1", "regular", "twice", 2, video_tags=["t1", "t0"]),
    impression(
        "r1",
        "regular",
        "twice",
        7,
        author_id="a1",
        history_video_ids=["v1", "v2"],
        history_author_ids=["", "a0"],
        history_tags=["t0", ""],
        history_gap_ms=[2 * HOUR, HOUR],
    ),
]


@pytest.fixture
def split_dir(small_transform, tmp_path):
    write_examples(small_transform.examples(ROWS), tmp_path / "split")
    return str(tmp_path / "split")


def test_each_group_is_asked_for_by_its_last_impressions_user(
    small_transform, split_dir
):
    requests = sample_requests(small_transform.config, split_dir, GROUPS)
    assert [r.user_group for r in requests] == ["new", "regular"]
    assert [r.user["user_id"] for r in requests] == ["n2", "r1"]
    new, regular = requests
    assert (new.user["avc"], regular.user["avc"]) == (1, 7)


def test_candidates_are_the_most_impressed_videos_as_last_seen(
    small_transform, split_dir
):
    [request] = sample_requests(small_transform.config, split_dir, ("new",))
    assert request.candidates["video_id"] == ["popular", "twice", "rare"]
    assert request.candidates["video_impressions"] == [6, 0, 0]
    assert request.candidates["author_id"] == [None, "a1", None]
    # The last impression of "twice" had no tags, the one before had.
    assert request.candidates["video_tags"] == [[], [], []]
    assert request.candidates["topics"] == [[], [], ["y"]]


def test_no_more_candidates_than_asked_for(small_transform, split_dir):
    [request] = sample_requests(small_transform.config, split_dir, ("new",), 2)
    assert {len(values) for values in request.candidates.values()} == {2}
    assert request.candidates["video_id"] == ["popular", "twice"]


def test_every_column_is_there_once(small_transform, split_dir):
    [request] = sample_requests(small_transform.config, split_dir, ("regular",))
    columns = raw_columns(small_transform.config)
    assert set(request.user) == {c.name for c in columns if not c.candidate}
    assert set(request.candidates) == {c.name for c in columns if c.candidate}


def test_histories_and_missing_values(small_transform, tmp_path):
    earlier = [row for row in ROWS if row["event_time_ms"] < 8 * HOUR]
    folder = tmp_path / "earlier"
    write_examples(small_transform.examples(earlier), folder)
    new, regular = sample_requests(small_transform.config, str(folder), GROUPS)
    assert regular.user["history_author_ids"] == ["", "a0"]
    assert regular.user["history_gap_ms"] == [2 * HOUR, HOUR]
    assert regular.user["country"] is None
    assert regular.user["battery"] is None
    assert new.user["country"] == "CN"
    assert new.user["history_video_ids"] == []
    assert new.user["hours_since_first_launch"] is None


def test_requests_are_written_again_when_what_they_are_made_of_changes(
    small_transform, split_dir, tmp_path, monkeypatch
):
    folder, config = tmp_path / "requests", small_transform.config
    looked = []

    def sample(config, split_dir, groups):
        looked.append(split_dir)
        return sample_requests(config, split_dir, groups)

    monkeypatch.setattr(rank_requests, "sample_requests", sample)
    other = tmp_path / "other"
    write_examples(small_transform.examples(ROWS[2:]), other)
    for place, times in ((split_dir, 1), (split_dir, 1), (str(other), 2)):
        write_requests(config, place, folder)
        assert len(looked) == times
    (folder / "regular.json").unlink()
    write_requests(config, str(other), folder)
    assert (folder / "regular.json").exists()
    fewer = config.transform.model_copy(update={"max_list": 1})
    write_requests(config.model_copy(update={"transform": fewer}), str(other), folder)
    assert len(looked) == 4


def test_requests_are_written_as_strict_json(small_transform, split_dir, tmp_path):
    folder = tmp_path / "requests"
    write_requests(small_transform.config, split_dir, folder)
    assert sorted(path.name for path in folder.glob("*.json")) == [
        "new.json",
        "regular.json",
    ]
    expected = sample_requests(small_transform.config, split_dir, ("new", "regular"))
    for request in expected:
        text = (folder / f"{request.user_group}.json").read_text(encoding="utf-8")
        body = json.loads(text, parse_constant=pytest.fail)
        assert body == {"user": request.user, "candidates": request.candidates}


def slow_sample(columns, rows, groups, count):
    """User rows by group and video rows, from all rows as Python values."""
    users = [
        max((r for r in rows if r["user_group"] == g), key=lambda r: r["event_time_ms"])
        for g in groups
        if any(r["user_group"] == g for r in rows)
    ]
    last, seen = {}, {}
    for row in sorted(rows, key=lambda row: row["event_time_ms"]):
        last[row["video_id"]] = row
        seen[row["video_id"]] = seen.get(row["video_id"], 0) + 1
    chosen = sorted(seen, key=lambda video: (-seen[video], video))[:count]
    return users, [last[video] for video in chosen]


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_the_choice_against_a_slow_loop(
    small_transform, tmp_path, monkeypatch, batch_size
):
    """Many rows of one time, so that ties matter, in batches of any size."""
    rng = np.random.default_rng(batch_size)
    shown = [
        impression(f"u{i}", GROUPS[rng.integers(3)], f"v{rng.integers(9)}", hour, avc=i)
        for i, hour in enumerate(rng.integers(0, 6, 60).tolist())
    ]
    write_examples(small_transform.examples(shown), tmp_path / "split")
    split_dir = str(tmp_path / "split")
    columns = raw_columns(small_transform.config)
    rows = read_rows(columns, serialized_batches(split_dir))
    monkeypatch.setattr(
        rank_requests,
        "serialized_batches",
        lambda folder: serialized_batches(folder, batch_size),
    )
    users, videos = slow_sample(columns, rows, GROUPS, 5)
    requests = sample_requests(small_transform.config, split_dir, GROUPS, 5)
    assert [r.user_group for r in requests] == [u["user_group"] for u in users]
    for request, user in zip(requests, users, strict=True):
        assert request.user == {name: user[name] for name in request.user}
        for name, values in request.candidates.items():
            assert values == [video[name] for video in videos]


def test_only_the_chosen_rows_become_python_values(
    small_transform, split_dir, monkeypatch
):
    decoded = []

    def watched(columns, batches):
        rows = read_rows(columns, batches)
        decoded.extend(rows)
        return rows

    monkeypatch.setattr(rank_requests, "read_rows", watched)
    sample_requests(small_transform.config, split_dir, ("new",), candidates=2)
    assert len(decoded) == 3
