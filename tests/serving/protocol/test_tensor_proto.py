"""Tensors against TensorFlow's own reader and writer."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tensorflow.core.framework import tensor_pb2, types_pb2

from serving.protocol import messages as wire_messages
from serving.protocol.tensor_proto import read_tensor, write_tensor
from serving.protocol.tensor_spec import TYPE_BY_NUMBER

SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
NUMERIC = [t.numpy for t in TYPE_BY_NUMBER.values() if t.name != "string"]
ARRAYS = st.sampled_from(NUMERIC).flatmap(lambda dtype: hnp.arrays(dtype, SHAPES))
STRINGS = hnp.arrays(object, SHAPES, elements=st.binary(max_size=5))


def test_type_numbers_are_tensorflows():
    for dtype in TYPE_BY_NUMBER.values():
        assert tf.as_dtype(dtype.name).as_datatype_enum == dtype.number
        name = types_pb2.DataType.Name(dtype.number)
        assert wire_messages.TensorProto(dtype=name).dtype == dtype.number


@given(array=ARRAYS | STRINGS)
def test_tensorflow_reads_what_is_written(array):
    ours = wire_messages.TensorProto()
    write_tensor(array, ours)
    official = tensor_pb2.TensorProto.FromString(ours.SerializeToString())
    np.testing.assert_array_equal(tf.make_ndarray(official), array)


@given(array=ARRAYS | STRINGS)
def test_what_tensorflow_writes_is_read(array):
    is_string = array.dtype == object
    official = tf.make_tensor_proto(
        array, tf.string if is_string else tf.as_dtype(array.dtype), array.shape
    )
    read = read_tensor("x", official)
    assert read.dtype == array.dtype
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize(
    "proto",
    [
        tensor_pb2.TensorProto(dtype=1, tensor_shape={"dim": [{"size": 3}]}),
        tensor_pb2.TensorProto(
            dtype=9, tensor_shape={"dim": [{"size": 3}]}, int64_val=[4, 5]
        ),
        tensor_pb2.TensorProto(
            dtype=7, tensor_shape={"dim": [{"size": 3}]}, string_val=[b"a"]
        ),
    ],
)
def test_short_values_are_filled_up_with_the_last(proto):
    np.testing.assert_array_equal(read_tensor("x", proto), tf.make_ndarray(proto))
