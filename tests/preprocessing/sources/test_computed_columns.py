import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from preprocessing.contract.column_names import USER_FEATURES, VIDEO_FEATURES
from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.datasets.tf_examples import encode_examples
from preprocessing.engine.in_memory import compute_feature_table
from preprocessing.sources.computed_columns import computed_column_notes
from preprocessing.storage.files import SourceError
from tests.helpers.log_rows import LABELS, START

FORMATS = ("csv", "parquet", "tfrecord")
CONFIG = FeatureConfig(labels=LABELS)
ROW = {
    "user_id": "a",
    "video_id": "x",
    "event_time_ms": START,
    "play_time_ms": 5,
    "video_duration_ms": 10,
    "is_like": 1,
}


def write(path, kind, **more):
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist([{**ROW, **more}])
    if kind == "parquet":
        pq.write_table(table, path.with_suffix(".parquet"))
    elif kind == "csv":
        table.to_pandas().to_csv(path.with_suffix(".csv"), index=False)
    else:
        with tf.io.TFRecordWriter(f"{path}.tfrecord") as writer:
            for example in encode_examples(table):
                writer.write(example)


def notes(folder, kind, config=CONFIG):
    return computed_column_notes(SourceConfig(format=kind), config, str(folder))


@pytest.mark.parametrize("kind", FORMATS)
def test_columns_of_the_names_of_features_are_named_once(tmp_path, kind):
    write(tmp_path / "a", kind, avc=7, user_group="vip", history_video_ids="x")
    write(tmp_path / "more" / "b", kind, user_group="vip", is_new_video=1, page="p")
    assert notes(tmp_path, kind) == [
        "columns avc, user_group, history_video_ids, is_new_video of the log are not "
        "used: features of these names are computed"
    ]
    features = compute_feature_table(
        SourceConfig(format=kind), CONFIG, str(tmp_path)
    ).features.to_pylist()
    assert sorted(row["avc"] for row in features) != [7]
    assert {row["user_group"] for row in features} == {"regular"}


@pytest.mark.parametrize("name", [*USER_FEATURES, *VIDEO_FEATURES])
def test_every_feature_has_its_note(tmp_path, name):
    write(tmp_path / "a", "parquet", **{name: 1})
    assert notes(tmp_path, "parquet") == [
        f"column {name} of the log is not used: the feature of this name is computed"
    ]


@pytest.mark.parametrize("kind", FORMATS)
def test_columns_of_the_names_of_labels_are_named_unless_they_are_the_label(
    tmp_path, kind
):
    write(tmp_path / "a", kind, long_view=1, like=0, clicked=1)
    labels = {**LABELS, "clicked": {"column": "clicked"}}
    assert notes(tmp_path, kind, FeatureConfig(labels=labels)) == [
        "columns long_view, like of the log are not used: labels of these names are "
        "computed"
    ]
    assert notes(tmp_path, kind, FeatureConfig()) == []


@pytest.mark.parametrize("kind", FORMATS)
def test_a_column_that_is_read_under_another_name_needs_no_note(tmp_path, kind):
    write(tmp_path / "a", kind, user_group="vip", avc=7, like=1)
    columns = {"author_id": "user_group", "is_like": "like"}
    source = SourceConfig(format=kind, columns=columns)
    assert computed_column_notes(source, CONFIG, str(tmp_path)) == [
        "column avc of the log is not used: the feature of this name is computed"
    ]


@pytest.mark.parametrize("kind", FORMATS)
def test_other_columns_need_no_note(tmp_path, kind):
    write(tmp_path / "a", kind, AVC=7, avc_2=8, user_groups="x")
    assert notes(tmp_path, kind) == []


@pytest.mark.parametrize("kind", FORMATS)
def test_a_single_file_is_looked_at_too(tmp_path, kind):
    write(tmp_path / "a", kind, avc=7)
    [file] = tmp_path.iterdir()
    assert len(notes(file, kind)) == 1


def test_a_folder_without_a_log_is_an_error(tmp_path):
    with pytest.raises(SourceError, match="csv"):
        notes(tmp_path, "csv")


def test_the_official_files_of_a_data_set_have_no_note(tmp_path):
    assert notes(tmp_path, "kuairand") == []


def test_a_feature_that_only_a_later_example_has_is_found(tmp_path):
    with tf.io.TFRecordWriter(str(tmp_path / "log.tfrecord")) as writer:
        for row in (ROW, {**ROW, "user_group": "vip"}):
            [example] = encode_examples(pa.Table.from_pylist([row]))
            writer.write(example)
    assert "user_group" in notes(tmp_path, "tfrecord")[0]


def test_a_header_in_quotes_after_a_byte_order_mark_is_read(tmp_path):
    (tmp_path / "log.csv").write_bytes('\ufeff"avc",user_id\r\n1,a\r\n'.encode())
    assert "column avc" in notes(tmp_path, "csv")[0]
