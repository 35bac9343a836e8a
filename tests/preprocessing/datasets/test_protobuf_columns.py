import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from google.protobuf.internal import decoder
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.datasets.protobuf_columns import packed_integers, varint
from preprocessing.datasets.tf_examples import encode_examples

INT64 = st.integers(-(2**63), 2**63 - 1)
COLUMNS = {
    "whole": (pa.int64(), INT64),
    "wholes": (pa.list_(pa.int64()), st.lists(INT64)),
    "real": (pa.float32(), st.floats(width=32, allow_nan=False)),
    "reals": (pa.list_(pa.float32()), st.lists(st.floats(width=32, allow_nan=False))),
    "text": (pa.string(), st.text(max_size=200)),
    "texts": (pa.list_(pa.string()), st.lists(st.text())),
    "code": (pa.dictionary(pa.int32(), pa.string()), st.sampled_from(["", "a", "é"])),
}


def official(row):
    """The example as TensorFlow's own classes make it."""
    example = tf.train.Example()
    example.features.SetInParent()
    for name, value in row.items():
        if value is None:
            continue
        feature = example.features.feature[name]
        kind = {"w": "int64_list", "r": "float_list"}.get(name[0], "bytes_list")
        target = getattr(feature, kind)
        target.SetInParent()
        values = value if isinstance(value, list) else [value]
        target.value.extend(v.encode() if isinstance(v, str) else v for v in values)
    return example


rows = st.lists(
    st.fixed_dictionaries({n: st.none() | v for n, (_, v) in COLUMNS.items()}),
    min_size=1,
    max_size=9,
)


@given(rows=rows)
def test_examples_are_those_of_the_official_classes(rows):
    schema = pa.schema([(name, kind) for name, (kind, _) in COLUMNS.items()])
    columns = [pa.array([row[f.name] for row in rows], f.type) for f in schema]
    table = pa.Table.from_arrays(columns, schema=schema)
    for row, encoded in zip(rows, encode_examples(table), strict=True):
        assert tf.train.Example.FromString(encoded) == official(row)


def test_a_slice_is_encoded_as_its_rows_are():
    table = pa.table({"texts": [["a"], [], ["bc", "d"], None], "whole": [1, 300, 2, 3]})
    assert encode_examples(table.slice(1, 2)) == encode_examples(table)[1:3]


@pytest.mark.parametrize("number", [0, 127, 128, 16_383, 16_384, 2**35])
def test_a_varint_is_read_back(number):
    assert decoder._DecodeVarint(varint(number), 0) == (number, len(varint(number)))


def test_packed_integers_end_where_their_rows_do():
    values = np.array([1, 128, -1])
    packed = packed_integers(values, np.array([0, 0, 2, 3])).to_pylist()
    assert packed == [b"", b"\x01\x80\x01", b"\xff" * 9 + b"\x01"]
