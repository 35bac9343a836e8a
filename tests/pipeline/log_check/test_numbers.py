"""The numbers of a log against slow ones, row by row from its features."""

import datetime
import statistics
from collections import Counter, defaultdict

import pyarrow as pa
import pytest

from pipeline.log_check.numbers.lengths import in_steps, quantile
from poso_keras import gauc
from preprocessing.contract.config import SourceConfig
from preprocessing.engine.in_memory import compute_feature_table
from tests.helpers.checked_logs import checked, run_config


@pytest.fixture(scope="module")
def rows(clean, clean_check):
    config = run_config()
    source = SourceConfig(format="parquet")
    table = compute_feature_table(source, config.features, clean_check.data_dir)
    return table.features.to_pylist()


def day_of(row):
    return row["event_time_ms"] // 86_400_000


def test_rows_users_and_videos(rows, clean, clean_check):
    numbers = clean_check.numbers
    assert numbers.rows_in == clean.num_rows
    assert numbers.examples == len(rows)
    assert numbers.users == len({row["user_id"] for row in rows})
    assert numbers.videos == len({row["video_id"] for row in rows})
    most = Counter(row["video_id"] for row in rows).most_common(1)[0][1]
    assert numbers.top_videos[0].rows == most


def test_days(rows, clean_check):
    first_of_user, first_of_video = {}, {}
    for row in sorted(rows, key=day_of):
        first_of_user.setdefault(row["user_id"], day_of(row))
        first_of_video.setdefault(row["video_id"], day_of(row))
    for day in clean_check.numbers.days:
        of_day = [row for row in rows if day_of(row) == day.day]
        assert day.rows == len(of_day)
        assert day.users == len({row["user_id"] for row in of_day})
        assert day.first_seen_users == list(first_of_user.values()).count(day.day)
        assert day.first_seen_videos == list(first_of_video.values()).count(day.day)
        assert day.new_user_rows == sum(row["user_group"] == "new" for row in of_day)
    assert sum(day.rows for day in clean_check.numbers.days) == len(rows)


def test_hours_are_those_of_the_calendar(rows, clean, tmp_path):
    features = {"time_zone": "Asia/Kathmandu"}
    config = run_config().model_dump(mode="json")
    config["features"] = {**config["features"], **features}
    found = checked(clean, tmp_path, type(run_config())(**config))
    zone = datetime.timezone(datetime.timedelta(hours=5, minutes=45))
    expected = Counter(
        datetime.datetime.fromtimestamp(row["event_time_ms"] / 1000, zone).hour
        for row in rows
    )
    assert found.numbers.hours == [expected[hour] for hour in range(24)]


def test_labels_by_group(rows, clean_check):
    for name, group in clean_check.numbers.groups.items():
        of_group = [row for row in rows if name in ("all", row["user_group"])]
        assert group.rows == len(of_group)
        assert group.users == len({row["user_id"] for row in of_group})
        likes = sum(row["like"] for row in of_group)
        assert group.labels["like"].rate == pytest.approx(likes / len(of_group))
        mean = statistics.fmean(row["play_time_ms"] for row in of_group)
        assert group.mean_play_ms == pytest.approx(mean)


def test_lengths(rows, clean_check):
    lengths = clean_check.numbers.lengths
    of_users = Counter(Counter(row["user_id"] for row in rows).values())
    assert lengths.rows_of_users == of_users
    histories = Counter(len(row["history_video_ids"]) for row in rows)
    assert lengths.histories == histories
    empty = Counter(row["user_group"] for row in rows if not row["history_video_ids"])
    assert Counter(lengths.empty_by_group) == empty


def test_users_that_the_evaluation_can_score(rows, clean_check):
    last = max(map(day_of, rows))
    labels = defaultdict(set)
    for row in rows:
        if day_of(row) == last:
            for task in ("long_view", "like"):
                for name in ("all", row["user_group"]):
                    labels[task, name, row["user_id"]].add(row[task])
    split = clean_check.numbers.split
    assert split.evaluated == sum(day_of(row) == last for row in rows)
    assert split.train + split.evaluated + split.unused == len(rows)
    for each in split.slices:
        if each.slice.endswith("video"):
            continue
        scored = sum(
            len(of) == 2
            for (task, name, _), of in labels.items()
            if (task, name) == (each.task, each.slice)
        )
        assert each.scored == scored


def test_a_rate_is_judged_once_whatever_inputs_are_made_of_it(clean, tmp_path):
    config = run_config(
        features={"rates": {"subjects": {"video": {}}, "labels": ["like"]}},
        transform={"rate_buckets": 5},
    )
    singles = checked(clean, tmp_path, config).numbers.singles
    judged = Counter((each.label, each.column, each.how) for each in singles)
    assert set(judged.values()) == {1}
    of_rates = {each.column for each in singles if each.column.startswith("video_like")}
    assert of_rates == {"video_like_count", "video_like_rate"}


def test_single_columns_by_their_values(rows, clean_check):
    for name in ("video_impressions", "avc"):
        expected = gauc(
            [row["like"] for row in rows],
            [row[name] for row in rows],
            [row["user_id"] for row in rows],
        )
        found = next(
            each
            for each in clean_check.numbers.singles
            if (each.label, each.column, each.how) == ("like", name, "values")
        )
        assert found.gauc == pytest.approx(expected.value)
        assert found.scored == expected.users_scored


def test_columns(rows, clean_check):
    for column in clean_check.numbers.columns:
        values = [row[column.name] for row in rows]
        known = [value for value in values if value not in (None, [])]
        assert column.nulls == len(values) - len(known)
        if column.name == "is_like":
            assert (column.distinct, column.least, column.greatest) == (2, 0, 1)
        if column.name == "user_id":
            assert column.distinct == len(set(known))


def test_rejects_come_with_their_first_rows(clean, tmp_path):
    users = clean["user_id"].to_pylist()
    users[:5] = [None] * 5
    log = clean.set_column(0, "user_id", pa.array(users))
    (reason,) = checked(log, tmp_path, run_config()).numbers.rejects
    assert (reason.reason, reason.rows) == ("user_id is missing", 5)
    texts = [example.row for example in reason.examples]
    assert len(texts) == 3
    assert texts == sorted(texts)
    assert all('"user_id": null' in text for text in texts)
    assert {example.source for example in reason.examples} == {"log.parquet"}


def test_quantiles_and_steps_of_counts():
    counts = {0: 2, 3: 4, 10: 4}
    values = [value for value, count in counts.items() for _ in range(count)]
    for share in (0.1, 0.5, 0.9, 1.0):
        place = max(0, -(-round(share * 100) * len(values) // 100) - 1)
        assert quantile(counts, share) == sorted(values)[place]
    assert in_steps(counts) == [
        ("0", 2),
        ("1", 0),
        ("2 to 4", 4),
        ("5 to 9", 0),
        ("10", 4),
    ]
    assert in_steps(counts, 30)[-2:] == [("10 to 19", 4), ("20 or more", 0)]
