import pyarrow as pa
import tensorflow as tf
from hypothesis import given

from preprocessing.checks.validation import validate
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.schema import impression_schema
from preprocessing.datasets.tf_examples import encode_examples
from preprocessing.engine.in_memory import compute_features
from tests.helpers.log_rows import configs, logs


def decoded(serialized):
    features = tf.train.Example.FromString(serialized).features.feature
    values = {}
    for name, feature in features.items():
        kind = feature.WhichOneof("kind")
        values[name] = list(getattr(feature, kind).value) if kind else []
    return values


def test_values_nulls_and_lists():
    table = pa.table(
        {
            "i": pa.array([1, None]),
            "f": pa.array([None, 0.5]),
            "s": pa.array(["é", None]),
            "b": pa.array([True, False]),
            "texts": pa.array([["a", "b"], []], pa.list_(pa.string())),
            "ints": pa.array([None, [3]], pa.list_(pa.int64())),
        }
    )
    first, second = map(decoded, encode_examples(table))
    assert first["i"] == [1]
    assert first["s"] == ["é".encode()]
    assert first["texts"] == [b"a", b"b"]
    assert not first.get("f")
    assert not first.get("ints")
    assert second["f"] == [0.5]
    assert second["b"] == [0]
    assert second["ints"] == [3]
    assert not second.get("i")
    assert not second.get("texts")


def test_no_rows_are_no_examples():
    table = impression_schema(FeatureConfig()).empty_table()
    assert encode_examples(table) == []


@given(log=logs, config=configs)
def test_a_feature_table_survives(log, config):
    raw = pa.Table.from_pylist(
        log,
        schema=pa.schema([f.with_nullable(True) for f in impression_schema(config)]),
    )
    table, *_ = compute_features([validate(raw, "f", 0, config).accepted], config)
    for row, serialized in zip(table.to_pylist(), encode_examples(table), strict=True):
        example = decoded(serialized)
        for name, value in row.items():
            values = value if isinstance(value, list) else [value]
            plain = [v.encode() if isinstance(v, str) else v for v in values]
            assert example.get(name, []) == ([] if value is None else plain)
