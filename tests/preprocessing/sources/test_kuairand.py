import pyarrow as pa
import pyarrow.compute as pc
import pytest

from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.in_memory import compute_feature_table
from preprocessing.sources import open_source
from preprocessing.storage.files import SourceError
from tests.helpers.kuairand_files import (
    FIRST_MS,
    LOG,
    cut_kuairand,
    log_line,
    write_kuairand,
)

SOURCE = SourceConfig(format="kuairand")
CONFIG = FeatureConfig(
    new_user={"max_avc": 10},
    utc_offset_hours=8,
    labels={
        "long_view": {"column": "long_view"},
        "click": {"column": "is_click"},
        "like": {"column": "is_like"},
    },
    extra=[
        {"name": "tab", "entity": "context", "type": "categorical"},
        {"name": "video_type", "entity": "video", "type": "categorical"},
        {"name": "user_active_degree", "entity": "user", "type": "categorical"},
        {"name": "register_days", "entity": "user", "type": "numeric"},
    ],
)


def rows_of(folder, config=CONFIG):
    features, *_ = compute_feature_table(SOURCE, config, str(folder))
    return sorted(features.to_pylist(), key=lambda row: row["event_time_ms"])


def test_columns_come_from_all_tables(tmp_path):
    write_kuairand(tmp_path, [log_line(1, 10, like=1), log_line(3, 11, at=1)])
    first, second = rows_of(tmp_path)
    assert first["event_time_ms"] == FIRST_MS
    assert first["video_duration_ms"] == 10
    assert (first["author_id"], first["video_tags"]) == ("900", ["20", "43"])
    assert (first["like"], first["click"], first["long_view"]) == (1, 1, 0)
    assert first["video_upload_ms"] == 1_649_520_000_000  # 9 April, 16:00 UTC
    assert (first["tab"], first["video_type"]) == ("1", "NORMAL")
    assert (first["user_active_degree"], first["register_days"]) == ("full_active", 799)
    assert first["user_first_launch_ms"] is None
    assert second["user_active_degree"] is None  # not in the user table
    assert second["video_upload_ms"] is None  # no date given


def test_videos_without_a_table_row_are_kept(tmp_path):
    write_kuairand(tmp_path, [log_line(1, 99)])
    assert rows_of(tmp_path)[0]["author_id"] is None


def test_history_becomes_user_state(tmp_path):
    last = FIRST_MS - 1000
    history = [
        f"1,-1,10,1,0,0,70,{last}",
        f"1,-3,11,0,0,0,70,{last}",
        f"1,-2,99,1,0,1,70,{last}",
        f"7,-1,10,0,0,0,1,{last}",
    ]
    write_kuairand(tmp_path, [log_line(1, 10)], history)
    state = open_source(SOURCE, CONFIG, str(tmp_path)).user_state().to_pylist()
    assert [row["user_id"] for row in state] == ["1", "7"]
    assert state[0]["view_count"] == 70
    assert state[0]["video_ids"] == ["11", "99", "10"]
    assert state[0]["author_ids"] == ["901", None, "900"]
    assert state[0]["tags"] == ["", None, "20"]
    assert state[0]["long_views"] == [False, None, True]
    assert state[0]["times_ms"] == [last] * 3
    row = rows_of(tmp_path)[0]
    assert row["avc"] == 70
    assert row["history_video_ids"] == ["11", "99", "10"]
    assert row["history_tags"] == ["", "", "20"]
    assert row["history_gap_ms"] == [1000] * 3
    assert row["is_new_user"] == 0


def test_without_history_there_is_no_state(tmp_path):
    write_kuairand(tmp_path, [log_line(1, 10)])
    assert open_source(SOURCE, CONFIG, str(tmp_path)).user_state() is None
    assert rows_of(tmp_path)[0]["user_group"] == "new"


def test_several_log_files_are_one_log(tmp_path):
    write_kuairand(tmp_path, [log_line(1, 10)])
    text = (tmp_path / LOG).read_text()
    later = text.replace(str(FIRST_MS), str(FIRST_MS + 5))
    (tmp_path / "log_standard_5_06_1k.csv").write_text(later)
    assert [row["avc"] for row in rows_of(tmp_path)] == [0, 1]


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"name": "is_hate", "entity": "context"}, "'is_hate' is known only after"),
        ({"name": "tabb", "entity": "context"}, f"{LOG}: column 'tabb' is missing"),
        ({"name": "tab", "entity": "user"}, "user_features_pure.csv: column 'tab'"),
        ({"name": "age", "entity": "video"}, "video_features_basic_pure.csv: column"),
    ],
)
def test_a_feature_that_is_not_there_is_named(tmp_path, extra, message):
    write_kuairand(tmp_path, [log_line(1, 10)])
    config = FeatureConfig(extra=[{**extra, "type": "categorical"}])
    with pytest.raises(SourceError, match=message):
        open_source(SOURCE, config, str(tmp_path)).parts()


@pytest.mark.parametrize(
    ("missing", "pattern"),
    [
        (LOG, r"no log_standard_\*\.csv in"),
        ("video_features_basic_pure.csv", r"no video_features_basic_\*\.csv in"),
        ("user_features_pure.csv", r"no user_features_\*\.csv in"),
    ],
)
def test_a_missing_file_is_named(tmp_path, missing, pattern):
    write_kuairand(tmp_path, [log_line(1, 10)])
    (tmp_path / missing).unlink()
    with pytest.raises(SourceError, match=pattern):
        compute_feature_table(SOURCE, CONFIG, str(tmp_path))


def test_two_video_tables_are_an_error(tmp_path):
    write_kuairand(tmp_path, [log_line(1, 10)])
    text = (tmp_path / "video_features_basic_pure.csv").read_text()
    (tmp_path / "video_features_basic_1k.csv").write_text(text)
    with pytest.raises(SourceError, match="expected one video_features_basic"):
        compute_feature_table(SOURCE, CONFIG, str(tmp_path))


def test_a_log_without_a_column_is_named(tmp_path):
    write_kuairand(tmp_path, [log_line(1, 10)])
    log = tmp_path / LOG
    log.write_text(log.read_text().replace("time_ms", "time", 1))
    with pytest.raises(SourceError, match="column 'time_ms' is missing"):
        compute_feature_table(SOURCE, CONFIG, str(tmp_path))


def test_a_history_with_an_unreadable_number_is_named(tmp_path):
    write_kuairand(tmp_path, [log_line(1, 10)], ["1,-1,10,1,0,0,many,5"])
    with pytest.raises(SourceError, match="'history_len' has a cell without number"):
        compute_feature_table(SOURCE, CONFIG, str(tmp_path))


def test_the_real_files(data_dir, tmp_path):
    cut_kuairand(data_dir, tmp_path, users=600)
    features, rejects, rows_in, *_ = compute_feature_table(
        SOURCE, CONFIG, str(tmp_path)
    )
    assert rows_in == features.num_rows + rejects.num_rows > 1000
    assert set(rejects["reason"].to_pylist()) == {
        "equal to another row in all columns that are read (the contract's, long_view, "
        "is_click, tab, video_type, user_active_degree, register_days)"
    }
    assert pc.min(features["video_age_hours"]).as_py() > 0
    assert features["author_id"].null_count == 0
    groups = {g["values"] for g in pc.value_counts(features["user_group"]).to_pylist()}
    assert groups == {"new", "returning", "inactive", "regular"}
    first = features.filter(pc.equal(features["avc"], 0))
    assert pc.sum(pc.list_value_length(first["history_video_ids"])).as_py() == 0


def test_state_counts_agree_with_the_history_file(data_dir, tmp_path):
    cut_kuairand(data_dir, tmp_path, users=300)
    state = open_source(SOURCE, CONFIG, str(tmp_path)).user_state()
    listed = pc.list_value_length(state["video_ids"])
    expected = pc.min_element_wise(state["view_count"], pa.scalar(50))
    assert listed.cast(pa.int64()).equals(expected.cast(pa.int64()))
