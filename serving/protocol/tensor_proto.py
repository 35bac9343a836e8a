"""Arrays to `TensorProto` messages and back, without TensorFlow."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from serving.protocol.errors import InvalidArgument, ResourceExhausted
from serving.protocol.tensor_spec import (
    TYPE_BY_NUMBER,
    TYPE_BY_NUMPY,
    Array,
    TensorType,
)

MAX_ELEMENTS = 1 << 24
# A message of a few bytes may declare any shape, for a short list of values is filled
# up with its last one; this bounds what is allocated for it.
_MAX_FILLED_ELEMENTS = 1 << 20
_MAX_DIMENSIONS = 32  # numpy's


def write_tensor(array: Array, proto: Any) -> None:
    """Fills a `TensorProto` by typed value fields, as TensorFlow Serving answers.

    Args:
        array: Values; bytes objects for strings.
        proto: An empty `TensorProto`.

    Raises:
        InvalidArgument: If a `TensorProto` cannot carry the array's type.
    """
    dtype = TYPE_BY_NUMPY.get(array.dtype)
    if dtype is None:
        raise InvalidArgument(f"arrays of {array.dtype} cannot be sent")
    proto.dtype = dtype.number
    for length in array.shape:
        proto.tensor_shape.dim.add().size = length
    getattr(proto, dtype.field).extend(array.ravel().tolist())


def read_tensor(name: str, proto: Any) -> Array:
    """The array in a `TensorProto`.

    Args:
        name: The tensor's name, for messages.
        proto: A `TensorProto`, by typed value fields or by `tensor_content`.

    Raises:
        InvalidArgument: If type, shape and values do not make an array.
        ResourceExhausted: If the shape has more than `MAX_ELEMENTS` elements, or 2^20
            without a value of their own.
    """
    dtype = TYPE_BY_NUMBER.get(proto.dtype)
    if dtype is None:
        raise InvalidArgument(
            f"input {name!r}: tensors of type number {proto.dtype} are not supported"
        )
    shape = _shape(name, proto.tensor_shape)
    if proto.tensor_content:
        return _from_content(name, proto.tensor_content, dtype, shape)
    return _from_values(name, getattr(proto, dtype.field), dtype, shape)


def _shape(name: str, message: Any) -> tuple[int, ...]:
    shape = tuple(int(dimension.size) for dimension in message.dim)
    if message.unknown_rank or any(length < 0 for length in shape):
        raise InvalidArgument(
            f"input {name!r}: expected a fully defined shape, received "
            f"{'an unknown rank' if message.unknown_rank else list(shape)}"
        )
    if len(shape) > _MAX_DIMENSIONS:
        raise InvalidArgument(
            f"input {name!r}: expected at most {_MAX_DIMENSIONS} dimensions, received "
            f"{len(shape)}"
        )
    if math.prod(max(length, 1) for length in shape) > MAX_ELEMENTS:
        raise ResourceExhausted(
            f"input {name!r}: expected at most {MAX_ELEMENTS} elements, received the "
            f"shape {list(shape)}"
        )
    return shape


def _from_content(
    name: str, content: bytes, dtype: TensorType, shape: tuple[int, ...]
) -> Array:
    if dtype.name == "string":
        raise InvalidArgument(
            f"input {name!r}: strings are expected in string_val, received "
            "tensor_content"
        )
    expected = math.prod(shape) * dtype.numpy.itemsize
    if len(content) != expected:
        raise InvalidArgument(
            f"input {name!r}: expected {expected} bytes for {dtype.name} "
            f"{list(shape)}, received {len(content)}"
        )
    return np.frombuffer(content, dtype.numpy).reshape(shape)


def _from_values(
    name: str, values: Any, dtype: TensorType, shape: tuple[int, ...]
) -> Array:
    expected = math.prod(shape)
    if len(values) > expected:
        raise InvalidArgument(
            f"input {name!r}: expected {expected} values for the shape {list(shape)}, "
            f"received {len(values)}"
        )
    if expected - len(values) > _MAX_FILLED_ELEMENTS:
        raise ResourceExhausted(
            f"input {name!r}: expected a value for each element of {list(shape)}, "
            f"received {len(values)}"
        )
    wide = dtype.numpy if dtype.field != "int_val" else np.dtype(np.int64)
    array = np.array(list(values), wide)
    if dtype.field == "int_val":
        limits = np.iinfo(dtype.numpy)
        if array.size and (array.min() < limits.min or array.max() > limits.max):
            raise InvalidArgument(
                f"input {name!r}: expected values of {dtype.name}, received one from "
                f"{array.min()} to {array.max()}"
            )
        array = array.astype(dtype.numpy)
    if array.size < expected:
        default = b"" if dtype.name == "string" else dtype.numpy.type(0)
        fill = array[-1] if array.size else default
        array = np.concatenate([array, _filled(expected - array.size, fill, dtype)])
    return array.reshape(shape)


def _filled(count: int, value: Any, dtype: TensorType) -> Array:
    filled = np.empty(count, dtype.numpy)
    filled.fill(value)
    return filled
