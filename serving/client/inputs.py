"""Converts plain Python values to the arrays that a signature asks for."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, repeat
from typing import Any

import numpy as np

from serving.protocol.errors import InvalidArgument
from serving.protocol.input_check import check_names
from serving.protocol.tensor_spec import ABSENT, Array, TensorSpec, TensorType


def as_arrays(
    inputs: Mapping[str, Any], specs: Mapping[str, TensorSpec]
) -> dict[str, Array]:
    """Arrays of the signature's dtypes and shapes.

    A value with one dimension less than the signature's gets a batch dimension of one.
    The absent value (an empty string, -1 or NaN) fills up lists of unequal lengths and
    replaces None.

    Args:
        inputs: Scalars, nested lists or arrays by input name.
        specs: The signature's inputs.

    Raises:
        InvalidArgument: Naming the input, what was expected and what was received.
    """
    check_names(inputs, specs)
    return {name: as_array(inputs[name], spec) for name, spec in specs.items()}


def as_array(value: Any, spec: TensorSpec) -> Array:
    """Array of one input; see `as_arrays`.

    Raises:
        InvalidArgument: If the value does not fit.
    """
    if spec.dtype is None:
        raise InvalidArgument(f"input {spec.name!r} has a type that cannot be sent")
    nested = value.tolist() if hasattr(value, "tolist") else value
    lengths = _lengths(nested, spec)
    if spec.shape is not None and len(lengths) == len(spec.shape) - 1:
        if lengths[:1] == (0,) and spec.shape[0] is None:
            lengths = (*lengths, 0)  # no rows, not one empty row
        else:
            nested, lengths = [nested], (1, *lengths)
    absent = ABSENT.get(spec.dtype.numpy.kind)
    flat = list(_filled_up(nested, lengths, absent))
    array = _typed(flat, spec, spec.dtype).reshape(lengths)
    if not spec.accepts(array.shape):
        raise InvalidArgument(
            f"input {spec.name!r}: expected {spec.describe()}, received "
            f"{list(array.shape)}"
        )
    return array


def _lengths(nested: Any, spec: TensorSpec) -> tuple[int, ...]:
    """The longest list at each depth."""
    level, lengths = [nested], []
    while any(_is_list(value) for value in level):
        for value in level:
            if not _is_list(value):
                raise InvalidArgument(
                    f"input {spec.name!r}: expected {spec.describe()}, received "
                    f"{_shown(value)} beside a list"
                )
        lengths.append(max(len(value) for value in level))
        level = list(chain.from_iterable(level))
    return tuple(lengths)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _filled_up(nested: Any, lengths: tuple[int, ...], absent: Any) -> Iterator[Any]:
    if not lengths:
        yield absent if nested is None else nested
        return
    for value in nested:
        yield from _filled_up(value, lengths[1:], absent)
    missing = (lengths[0] - len(nested)) * math.prod(lengths[1:])
    yield from repeat(absent, missing)


def _typed(flat: list[Any], spec: TensorSpec, dtype: TensorType) -> Array:
    array = np.empty(len(flat), dtype.numpy)
    try:
        values = [_CONVERT[dtype.numpy.kind](value) for value in flat]
        _check_range(values, dtype)
        with np.errstate(over="ignore"):
            array[:] = values
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidArgument(
            f"input {spec.name!r}: expected {spec.describe()}; {error}"
        ) from error
    if dtype.numpy.kind == "f" and np.isinf(array).any():
        _check_infinities(flat, array, spec)
    return array


def _check_range(values: list[Any], dtype: TensorType) -> None:
    if not values or dtype.numpy.kind not in "iu":
        return
    limits = np.iinfo(dtype.numpy)
    for value in (min(values), max(values)):
        if not limits.min <= value <= limits.max:
            raise OverflowError(f"received {value}, which is out of range")


def _check_infinities(flat: list[Any], array: Array, spec: TensorSpec) -> None:
    for value, converted in zip(flat, array, strict=True):
        if np.isinf(converted) and not math.isinf(value):
            raise InvalidArgument(
                f"input {spec.name!r}: expected {spec.describe()}, received {value!r}, "
                "which is too large"
            )


def _to_bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    raise TypeError(f"received {_shown(value)}, which is no string")


def _to_int(value: Any) -> int:
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    raise TypeError(f"received {_shown(value)}, which is no whole number")


def _to_float(value: Any) -> float:
    if isinstance(value, int | float):
        return float(value)
    raise TypeError(f"received {_shown(value)}, which is no number")


def _to_bool(value: Any) -> bool:
    if value in (True, False):
        return bool(value)
    raise TypeError(f"received {_shown(value)}, which is neither true nor false")


def _shown(value: Any) -> str:
    """A value as it may stand in a message: short, and on one line."""
    return " ".join(reprlib.repr(value).split())


_CONVERT: Mapping[str, Callable[[Any], Any]] = {
    "O": _to_bytes,
    "i": _to_int,
    "u": _to_int,
    "f": _to_float,
    "b": _to_bool,
}
