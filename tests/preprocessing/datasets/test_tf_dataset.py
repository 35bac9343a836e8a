"""Parquet read straight into tf.data, against the examples that hold the same rows."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from preprocessing.contract.config import FeatureConfig
from preprocessing.datasets.tf_dataset import read_feature_dataset
from preprocessing.datasets.tf_examples import encode_examples
from preprocessing.features.columns import feature_schema
from preprocessing.storage.files import SourceError
from tests.helpers import fake_store
from tests.helpers.log_rows import LABELS, features_of, logs

CONFIG = FeatureConfig(labels=LABELS, history_length=3)
SCHEMA = feature_schema(CONFIG)


def write(folder, table, files=1, row_group_size=4):
    size = -(-table.num_rows // files) or 1
    for number in range(files):
        part = table.slice(number * size, size)
        pq.write_table(
            part, folder / f"part-{number}.parquet", row_group_size=row_group_size
        )


def feature_spec():
    spec = {}
    for field in SCHEMA:
        listed = pa.types.is_list(field.type)
        kind = field.type.value_type if listed else field.type
        if pa.types.is_string(kind) or pa.types.is_dictionary(kind):
            dtype = tf.string
        else:
            dtype = tf.float32 if pa.types.is_floating(kind) else tf.int64
        if listed or field.nullable:
            spec[field.name] = tf.io.RaggedFeature(dtype, row_splits_dtype=tf.int64)
        else:
            spec[field.name] = tf.io.FixedLenFeature([], dtype)
    return spec


def as_lists(batches):
    columns = {}
    for batch in batches:
        for name, tensor in batch.items():
            values = tensor.numpy()
            if isinstance(tensor, tf.RaggedTensor):
                values = tensor.to_list()
            columns.setdefault(name, []).extend(list(values))
    return columns


def table_of(log):
    return pa.Table.from_pylist(features_of(log, CONFIG)[0], schema=SCHEMA)


@settings(max_examples=15)
@given(
    log=logs.filter(len),
    files=st.integers(1, 3),
    group=st.integers(1, 9),
    batch=st.integers(1, 12),
)
def test_gives_what_parsed_examples_give(tmp_path_factory, log, files, group, batch):
    folder = tmp_path_factory.mktemp("table")
    table = table_of(log)
    write(folder, table, files, group)
    read = list(read_feature_dataset(str(folder), batch))
    sizes = [int(part["avc"].shape[0]) for part in read]
    assert sizes[:-1] == [batch] * (len(sizes) - 1)
    assert sum(sizes) == table.num_rows
    parsed = tf.io.parse_example(encode_examples(table), feature_spec())
    expected = as_lists([parsed])
    assert as_lists(read) == expected
    for name, tensor in read[0].items():
        assert type(tensor) is type(parsed[name])
        assert tensor.dtype == parsed[name].dtype


def numbered(rows):
    numbers = pa.array(range(rows), pa.int64())
    texts = pa.array([f"x{i % 3}" for i in range(rows)], pa.string())
    fields = [("n", pa.int64()), ("t", pa.string())]
    schema = pa.schema([pa.field(*field, nullable=False) for field in fields])
    return pa.Table.from_arrays([numbers, texts], schema=schema)


def order(dataset):
    rows = as_lists(dataset)
    assert rows["t"] == [b"x%d" % (n % 3) for n in rows["n"]]
    return [int(n) for n in rows["n"]]


def test_mixing_keeps_rows_whole_and_is_repeatable(tmp_path):
    write(tmp_path, numbered(200), files=4, row_group_size=10)

    def read(**more):
        return read_feature_dataset(str(tmp_path), 16, **more)

    mixed = read(shuffle_row_groups=3, seed=1)
    first, second = order(mixed), order(mixed)
    assert sorted(first) == sorted(second) == list(range(200)) == order(read())
    assert len({tuple(first), tuple(second), tuple(range(200))}) == 3
    again = read(shuffle_row_groups=3, seed=1)
    assert [order(again), order(again)] == [first, second]
    assert order(read(shuffle_row_groups=3, seed=2)) != first
    assert not set(first[:30]) <= set(range(50))  # more than one file is mixed


def test_a_last_smaller_batch_may_be_dropped(tmp_path):
    write(tmp_path, numbered(50), files=2, row_group_size=7)
    read = read_feature_dataset(str(tmp_path), 16, drop_remainder=True)
    assert [int(part["n"].shape[0]) for part in read] == [16] * 3


def test_only_the_columns_asked_for_are_read(tmp_path):
    write(tmp_path, numbered(5))
    batch = next(iter(read_feature_dataset(str(tmp_path), 5, columns=["t"])))
    assert list(batch) == ["t"]
    with pytest.raises(SourceError, match=r"column 'u' is missing.*: n, t"):
        read_feature_dataset(str(tmp_path), 5, columns=["u"])


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"no \*\.parquet in"):
        read_feature_dataset(str(tmp_path), 5)
    write(tmp_path, numbered(0))
    with pytest.raises(SourceError, match="has no rows"):
        read_feature_dataset(str(tmp_path), 5)
    (tmp_path / "part-0.parquet").write_bytes(b"PAR1")
    with pytest.raises(SourceError, match=r"part-0\.parquet is no whole Parquet"):
        read_feature_dataset(str(tmp_path), 5)


def test_a_table_in_an_object_store(tmp_path):
    write(tmp_path, numbered(20))
    fake_store.FILES.clear()
    content = (tmp_path / "part-0.parquet").read_bytes()
    fake_store.FILES["fake://b/features/part-0.parquet"] = content
    assert order(read_feature_dataset("fake://b/features", 8)) == list(range(20))


NULLS = pa.array([1.0, None, 3.0, None, 5.0], pa.float32())


def test_a_null_is_an_empty_row_and_no_later_value_moves_up(tmp_path):
    write(tmp_path, pa.table({"a": NULLS}))
    batch = next(iter(read_feature_dataset(str(tmp_path), 5)))
    assert batch["a"].to_list() == [[1.0], [], [3.0], [], [5.0]]


def test_tensorflow_io_moves_values_after_a_null_up(tmp_path):
    """Why its reader is not used."""
    tfio = pytest.importorskip("tensorflow_io", reason="not on the current stack")
    write(tmp_path, pa.table({"a": NULLS}))
    file = str(tmp_path / "part-0.parquet")
    theirs = [row["a"].numpy() for row in tfio.IODataset.from_parquet(file, ["a"])]
    assert not np.array_equal(theirs, NULLS.to_numpy(zero_copy_only=False))
