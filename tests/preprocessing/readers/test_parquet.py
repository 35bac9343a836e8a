from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.checks.counts import EmptyLogError
from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.in_memory import compute_feature_table
from preprocessing.sources import open_source
from preprocessing.storage.files import SourceError
from tests.helpers.log_rows import LABELS, in_order, log_table, logs

SOURCE = SourceConfig(format="parquet")
CONFIG = FeatureConfig(labels=LABELS, shards=3)


def row(user="a", at=0):
    return {
        "user_id": user,
        "video_id": "x",
        "event_time_ms": 1_650_000_000_000 + at,
        "play_time_ms": 1,
        "video_duration_ms": 1,
        "is_like": 0,
    }


def write(path, rows, **options):
    pq.write_table(log_table(rows, CONFIG), path, **options)


def build(folder, config=CONFIG):
    return compute_feature_table(SOURCE, config, str(folder))


@given(log=logs.filter(len), cut=st.integers(0, 30), group=st.integers(1, 10))
def test_files_and_row_groups_make_no_difference(tmp_path_factory, log, cut, group):
    whole, split = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("split")
    write(whole / "log.parquet", log)
    (split / "day=2").mkdir()
    write(split / "b.parquet", log[:cut], row_group_size=group)
    write(split / "day=2" / "a.parquet", log[cut:], row_group_size=group)
    one, two = build(whole), build(split)
    assert in_order(one.features.to_pylist()) == in_order(two.features.to_pylist())
    assert one.rejects.num_rows == two.rejects.num_rows
    assert one.rows_in == two.rows_in == len(log)


def test_reads_one_split_a_row_group(tmp_path):
    write(tmp_path / "log.parquet", [row(at=i) for i in range(5)], row_group_size=2)
    parts = open_source(SOURCE, CONFIG, str(tmp_path)).parts()
    assert [split.first_row for split in parts] == [0, 2, 4]


def test_ids_may_be_numbers_and_times_time_stamps(tmp_path):
    table = pa.table(
        {
            "user_id": pa.array([712]),
            "video_id": pa.array(["x"]).dictionary_encode(),
            "event_time_ms": pa.array([1_650_000_000_000], pa.timestamp("ms")),
            "not_needed": ["?"],
        }
    )
    pq.write_table(table, tmp_path / "log.parquet")
    features = build(tmp_path, FeatureConfig()).features
    assert features["user_id"].to_pylist() == ["712"]
    assert features["event_time_ms"].to_pylist() == [1_650_000_000_000]
    assert "not_needed" not in features.column_names


def test_one_file_may_stand_for_the_folder(tmp_path):
    write(tmp_path / "log.parquet", [row()])
    write(tmp_path / "other.parquet", [row("b")])
    assert build(tmp_path / "log.parquet").rows_in == 1
    assert build(f"file://{tmp_path}").rows_in == 2


def test_hidden_files_are_no_part_of_a_log(tmp_path):
    write(tmp_path / "log.parquet", [row()])
    write(tmp_path / "_old.parquet", [row("b")])
    (tmp_path / ".tmp").mkdir()
    write(tmp_path / ".tmp" / "log.parquet", [row("c")])
    assert build(tmp_path).rows_in == 1


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"there is no file or folder .*nowhere"):
        build(tmp_path / "nowhere")


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"no \*.parquet in .*Received: no files"):
        build(tmp_path)


def test_a_folder_without_such_files_says_what_is_there(tmp_path):
    (tmp_path / "log.csv").write_text("user_id\n")
    with pytest.raises(SourceError, match=r"no \*.parquet in .*Received: log.csv"):
        build(tmp_path)
    with pytest.raises(SourceError, match=r"\*.parquet, or such a file"):
        build(tmp_path / "log.csv")


@pytest.mark.parametrize("keep", [0, 3, 200])
def test_a_truncated_file_is_named(tmp_path, keep):
    path = tmp_path / "log.parquet"
    write(path, [row(at=i) for i in range(100)])
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(SourceError, match=r"log\.parquet is no whole Parquet file"):
        build(tmp_path)


def test_damage_inside_a_file_is_named(tmp_path):
    path = tmp_path / "log.parquet"
    write(path, [row(user=str(i), at=i) for i in range(1000)])
    content = bytearray(path.read_bytes())
    content[4:2000] = bytes(1996)
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"log\.parquet is no whole Parquet file"):
        build(tmp_path)


def test_a_column_of_another_type_in_one_file_is_named(tmp_path):
    write(tmp_path / "a.parquet", [row()])
    table = log_table([row()], CONFIG)
    table = table.set_column(2, "event_time_ms", pa.array(["2022-04-25"]))
    pq.write_table(table, tmp_path / "b.parquet")
    with pytest.raises(
        SourceError, match=r"b.parquet: column 'event_time_ms' .*string"
    ):
        build(tmp_path)


def test_a_log_without_rows_is_an_error(tmp_path):
    write(tmp_path / "log.parquet", [])
    with pytest.raises(EmptyLogError, match="has no rows"):
        build(tmp_path)


def test_a_log_of_rejects_alone_has_an_empty_feature_table(tmp_path):
    write(tmp_path / "log.parquet", [{**row(), "user_id": None}])
    table = build(tmp_path)
    assert table.features.num_rows == 0
    assert table.summary.by_reason == {"user_id is missing": 1}


@pytest.mark.parametrize(
    ("kind", "sign"),
    [
        ("Delta", "_delta_log/00000000000000000000.json"),
        ("Iceberg", "metadata/v1.metadata.json"),
        ("Hudi", ".hoodie/hoodie.properties"),
    ],
)
@pytest.mark.parametrize("below", ["", "days/"])
def test_a_table_whose_files_hold_removed_rows_is_refused(tmp_path, kind, sign, below):
    path = tmp_path / below / sign
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    with pytest.raises(SourceError, match=f"{below[:-1]} is a table of {kind}"):
        open_source(SourceConfig(format="parquet"), FeatureConfig(), tmp_path).parts()


@pytest.mark.parametrize("large", [0, 10**30])
def test_ids_may_be_decimals_without_a_fraction(tmp_path, large):
    ids = pa.array([Decimal(712 + large), Decimal(5)], pa.decimal128(38, 0))
    log = pa.table({"user_id": ids, "video_id": ids, "event_time_ms": [1, 2]})
    pq.write_table(log, tmp_path / "log.parquet")
    features = compute_feature_table(SOURCE, FeatureConfig(), str(tmp_path)).features
    found = features.sort_by("event_time_ms")["user_id"].to_pylist()
    assert found == [str(712 + large), "5"]
