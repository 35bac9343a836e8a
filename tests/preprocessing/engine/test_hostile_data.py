"""Skewed and hostile logs: a correct result, rejects, or an error that says where."""

import subprocess
import sys
import textwrap

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.in_memory import compute_feature_table
from preprocessing.engine.write_table import write_feature_table
from preprocessing.features.columns import feature_schema
from preprocessing.storage.files import SourceError
from tests.helpers.log_rows import (
    LABELS,
    START,
    features_of,
    impression,
    in_order,
    log_table,
)
from tests.helpers.slow_engine import slow_features

PARQUET = SourceConfig(format="parquet")
CSV = SourceConfig(format="csv")
CONFIG = FeatureConfig(labels=LABELS, shards=3, max_reject_rate=1)
PLAIN = FeatureConfig(shards=4, max_reject_rate=1)


def write(path, **columns):
    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns), path, row_group_size=1 << 17)


def build(folder, source=PARQUET, config=PLAIN):
    return compute_feature_table(source, config, str(folder))


def unchecked(content):
    """A string column whose bytes need not be UTF-8: Parquet files have such."""
    missing, ends, values = pa.array(content, pa.binary()).buffers()
    return pa.StringArray.from_buffers(len(content), ends, values, missing)


def test_a_user_with_a_million_impressions(tmp_path):
    count, others = 1_000_000, 1000
    time = START + np.arange(count + others, dtype=np.int64)
    user = np.array(["one"] * count + ["other"] * others)
    video = np.char.add("v", (np.arange(count + others) % 97).astype(str))
    write(tmp_path / "log/a.parquet", user_id=user, video_id=video, event_time_ms=time)
    out = tmp_path / "out"
    write_feature_table(PARQUET, PLAIN, str(tmp_path / "log"), str(out))
    table = pq.read_table(out / "features", columns=["user_id", "avc", "event_time_ms"])
    one = table.filter(pa.compute.equal(table["user_id"], "one"))
    np.testing.assert_array_equal(one["avc"], one["event_time_ms"].to_numpy() - START)
    last = pq.read_table(out / "state/user_state").to_pylist()
    assert {state["user_id"]: state["view_count"] for state in last} == {
        "one": count,
        "other": others,
    }


def test_a_video_in_a_tenth_of_all_rows(tmp_path):
    rows = 200_000
    random = np.random.default_rng(1)
    hot = random.random(rows) < 0.1
    video = np.where(hot, "hot", np.char.add("v", np.arange(rows).astype(str)))
    time = START + random.permutation(rows).astype(np.int64)
    user = np.char.add("u", random.integers(0, 5000, rows).astype(str))
    write(tmp_path / "log.parquet", user_id=user, video_id=video, event_time_ms=time)
    features = build(tmp_path).features
    expected = dict(zip(np.sort(time[hot]), range(hot.sum()), strict=True))
    of_hot = features.filter(pa.compute.equal(features["video_id"], "hot"))
    found = dict(
        zip(
            of_hot["event_time_ms"].to_pylist(),
            of_hot["video_impressions"].to_pylist(),
            strict=True,
        )
    )
    assert found == expected


any_text = st.text(min_size=1, max_size=3)
ids = st.sampled_from(
    ["a", "a\0", "a\0b", "\0", " ", "é", "e\u0301", "\U0001f600", "A"]
)


@given(
    users=st.lists(ids | any_text, min_size=1, max_size=8),
    videos=st.lists(ids | any_text, min_size=8, max_size=8),
)
def test_ids_are_any_unicode(users, videos):
    log = [
        impression(user_id=user, video_id=video, author_id=video, video_tags=[video])
        | {"event_time_ms": START + i}
        for i, (user, video) in enumerate(zip(users, videos, strict=False))
    ]
    names = feature_schema(CONFIG).names
    slow = [{name: r[name] for name in names} for r in slow_features(log, CONFIG)]
    assert features_of(log, CONFIG)[0] == in_order(slow)


@pytest.mark.parametrize("column", ["user_id", "video_id", "author_id"])
def test_ids_that_are_not_utf8_cost_their_row(tmp_path, column):
    columns = {name: pa.array(["a", "b", "c"]) for name in ("user_id", "video_id")}
    columns["author_id"] = pa.array(["a", "b", "c"])
    columns[column] = unchecked([b"a", b"\xed\xa0\x80", b"c"])  # a lone surrogate
    write(tmp_path / "log.parquet", **columns, event_time_ms=[1, 2, 3])
    built = build(tmp_path)
    assert built.summary.by_reason == {f"{column} is not UTF-8 text": 1}
    assert r"\\xed\\xa0\\x80" in built.rejects["row"][0].as_py()
    assert built.features.num_rows == 2


def test_tags_that_are_not_utf8_cost_their_row(tmp_path):
    tags = pa.ListArray.from_arrays(
        pa.array([0, 2, 2, 3], pa.int32()), unchecked([b"t", b"\xff", b"s"])
    )
    ids = pa.array(["a", "b", "c"])
    write(
        tmp_path / "log.parquet",
        user_id=ids,
        video_id=ids,
        event_time_ms=[1, 2, 3],
        video_tags=tags,
    )
    built = build(tmp_path)
    assert built.summary.by_reason == {"video_tags is not UTF-8 text": 1}
    kept = {r["user_id"]: r["video_tags"] for r in built.features.to_pylist()}
    assert kept == {"b": [], "c": ["s"]}


def test_cells_of_csv_that_are_not_utf8_cost_their_row(tmp_path):
    lines = [b"user_id,video_id,event_time_ms", b"a,x,1", b"\xff,x,1", b"a,y,\xff"]
    (tmp_path / "log.csv").write_bytes(b"\n".join(lines))
    assert build(tmp_path, CSV).summary.by_reason == {
        "event_time_ms is not a number": 1,
        "user_id is not UTF-8 text": 1,
    }


EXTREMES = [2**63 - 1, -(2**63), 253_402_300_800_000, -1]


@pytest.mark.parametrize("value", EXTREMES)
@pytest.mark.parametrize(
    "column",
    ["event_time_ms", "user_first_launch_ms", "video_upload_ms", "prior_view_count"],
)
def test_numbers_out_of_range_cost_their_row(value, column):
    log = log_table([impression(**{column: value}), impression()], CONFIG)
    from preprocessing.checks.validation import validate

    accepted, rejects = validate(log, "f", 0, CONFIG)
    assert accepted.num_rows == 1
    assert rejects["reason"][0].as_py().startswith(column)


def test_the_greatest_numbers_that_are_accepted_give_exact_features():
    last = 253_402_300_799_999
    log = [
        impression(event_time_ms=0, user_first_launch_ms=last, prior_view_count=last),
        impression(event_time_ms=last, user_first_launch_ms=0, video_upload_ms=0),
    ]
    names = feature_schema(CONFIG).names
    slow = [{name: r[name] for name in names} for r in slow_features(log, CONFIG)]
    assert features_of(log, CONFIG)[0] == in_order(slow)


def test_a_video_of_no_length_is_watched_to_its_end():
    features, _ = features_of([impression(video_duration_ms=0, play_time_ms=0)], CONFIG)
    assert (features[0]["long_view"], features[0]["finish_view"]) == (1, 1)


def test_files_without_rows_are_no_harm(tmp_path):
    write(tmp_path / "a.parquet", user_id=["a"], video_id=["x"], event_time_ms=[1])
    pq.write_table(log_table([], CONFIG), tmp_path / "b.parquet")
    assert build(tmp_path).rows_in == 1


def test_a_csv_without_a_header_is_named(tmp_path):
    (tmp_path / "a.csv").write_text("user_id,video_id,event_time_ms\na,x,1\n")
    (tmp_path / "b.csv").write_text("")
    with pytest.raises(SourceError, match=r"b\.csv is empty"):
        build(tmp_path, CSV)


def test_days_may_differ_in_their_types_and_optional_columns(tmp_path):
    times = [START, START + 1, START + 2, START + 3]
    write(tmp_path / "1.parquet", user_id=[7], video_id=["x"], event_time_ms=times[:1])
    write(
        tmp_path / "2.parquet",
        user_id=pa.array([7], pa.uint64()),
        video_id=pa.array(["x"]).dictionary_encode(),
        event_time_ms=pa.array([times[1] * 1000], pa.timestamp("us")),
        author_id=["p"],
    )
    write(
        tmp_path / "3.parquet",
        event_time_ms=pa.array(times[2:3], pa.float64()),
        video_id=pa.array(["x"], pa.large_string()),
        user_id=pa.array([b"7"], pa.binary()),
        video_tags=pa.array([[5]], pa.large_list(pa.int32())),
    )
    write(
        tmp_path / "4.parquet",
        user_id=["7"],
        video_id=["x"],
        event_time_ms=times[3:4],
        author_id=pa.nulls(1),
        prior_view_count=pa.array([3], pa.int8()),
    )
    built = build(tmp_path)
    assert built.rejects.num_rows == 0
    rows = sorted(built.features.to_pylist(), key=lambda r: r["event_time_ms"])
    assert {r["user_id"] for r in rows} == {"7"}
    assert [r["avc"] for r in rows] == [0, 1, 2, 6]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("user_id", pa.array([1.5])),
        ("video_id", pa.array([["x"]])),
        ("event_time_ms", pa.array(["2022-04-15"])),
        ("video_tags", pa.array([7])),
        ("prior_view_count", pa.array([{"count": 1}])),
    ],
)
def test_a_day_with_an_unusable_type_is_named(tmp_path, column, values):
    day = {"user_id": ["a"], "video_id": ["x"], "event_time_ms": [1]}
    write(tmp_path / "monday.parquet", **day)
    write(tmp_path / "tuesday.parquet", **{**day, column: values})
    with pytest.raises(
        SourceError, match=rf"tuesday\.parquet: column '{column}' .*Received: "
    ):
        build(tmp_path)


PEAK = """
    import sys
    import numpy as np, pyarrow as pa, pyarrow.parquet as pq
    from preprocessing import FeatureConfig, SourceConfig, write_feature_table
    from preprocessing.engine import disk_shuffle
    disk_shuffle._BUFFERED_ROWS = 1 << 14
    folder, parts = sys.argv[1], int(sys.argv[2])
    out = folder + "-out"
    random = np.random.default_rng(0)
    for part in range(parts):
        size = 40_000
        pq.write_table(pa.table({
            "user_id": random.integers(0, 500 * parts, size),
            "video_id": random.integers(0, 300 * parts, size),
            "event_time_ms": random.integers(0, 10**9, size),
        }), f"{folder}/{part}.parquet")
    before = pa.default_memory_pool().max_memory()
    config = FeatureConfig(shards=4 * parts)
    write_feature_table(SourceConfig(format="parquet"), config, folder, out, threads=1)
    print(pa.default_memory_pool().max_memory())
"""


@pytest.mark.e2e
def test_memory_is_bounded_by_a_shard(tmp_path):
    peaks = []
    for parts in (2, 10):
        folder = tmp_path / str(parts)
        folder.mkdir()
        script = [sys.executable, "-c", textwrap.dedent(PEAK), str(folder), str(parts)]
        done = subprocess.run(script, capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout))
    # Five times the data in shards of the same size.
    assert peaks[1] < 1.3 * peaks[0]
