"""Columns in folders' names, in each format that has the contract's columns."""

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.datasets.tf_examples import encode_examples
from preprocessing.engine.in_memory import compute_feature_table
from preprocessing.storage.files import SourceError
from preprocessing.storage.folder_columns import folder_values
from tests.helpers.log_rows import LABELS

CONFIG = FeatureConfig(
    labels=LABELS, extra=[{"name": "country", "entity": "user", "type": "categorical"}]
)
ROW = {
    "user_id": "u",
    "video_id": "v",
    "event_time_ms": 1_650_000_000_000,
    "play_time_ms": 1,
    "video_duration_ms": 2,
    "is_like": 0,
    "country": "FR",
}


def examples(table, path):
    with tf.io.TFRecordWriter(str(path)) as writer:
        for example in encode_examples(table):
            writer.write(example)


WRITE = {
    "parquet": pq.write_table,
    "csv": pa.csv.write_csv,
    "tfrecord": examples,
}


def build(folder, kind, rows_of_folders, config=CONFIG):
    for name, row in rows_of_folders.items():
        (folder / name).mkdir(parents=True)
        WRITE[kind](pa.Table.from_pylist([row]), folder / name / f"part.{kind}")
    found = compute_feature_table(SourceConfig(format=kind), config, str(folder))
    return {row["user_id"]: row for row in found.features.to_pylist()}


def row_without(*names, **values):
    return {k: v for k, v in {**ROW, **values}.items() if k not in names}


@pytest.mark.parametrize("kind", WRITE)
def test_columns_that_only_folders_tell_are_read(tmp_path, kind):
    rows = build(
        tmp_path,
        kind,
        {
            "date=2022-05-01/country=DE/is_like=1": row_without(
                "country", "is_like", user_id="a"
            ),
            "date=2022-05-01/country=a%2Fb%20c/is_like=0": row_without(
                "country", "is_like", user_id="b"
            ),
            "country=__HIVE_DEFAULT_PARTITION__": row_without("country", user_id="c"),
            "country=GB": {**ROW, "user_id": "d"},
        },
    )
    assert {user: row["country"] for user, row in rows.items()} == {
        "a": "DE",
        "b": "a/b c",
        "c": None,
        "d": "FR",  # the file's own column
    }
    assert rows["a"]["like"] == 1
    assert rows["b"]["like"] == 0


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_file_without_the_column_and_the_folder_is_named(tmp_path, kind):
    rows = {"country=DE": row_without("country"), "x": row_without("country")}
    with pytest.raises(SourceError, match=rf"x/part\.{kind}: column 'country' is miss"):
        build(tmp_path, kind, rows)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("a=1/b.parquet", {"a": "1"}),
        ("a=1/a=2/x.csv", {"a": "2"}),
        ("a==/b=/c.csv", {"a": "=", "b": ""}),
        ("x/y.csv", {}),
        ("a=1.csv", {}),
    ],
)
def test_folders_tell_columns_and_files_do_not(name, values):
    assert folder_values(name) == values
