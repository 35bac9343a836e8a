"""JSON values to arrays and back, by the rules of TensorFlow Serving's REST API."""

from __future__ import annotations

import base64
import binascii
import json
from itertools import chain
from typing import Any

import numpy as np

from serving.protocol.errors import InvalidArgument, Unimplemented
from serving.protocol.tensor_spec import Array, TensorSpec, TensorType

_MAX_DIMENSIONS = 32  # numpy's
_SHOWN_CHARACTERS = 80
_LARGEST_FLOAT32 = float(np.finfo(np.float32).max)
_LARGEST_EXACT = {"float32": 2**24 - 1, "float64": 2**53 - 1}


def array_from_json(value: Any, spec: TensorSpec) -> Array:
    """The array that nested JSON lists stand for.

    Numbers are taken for the floating types when whole numbers up to 2^24 - 1
    (float32) or 2^53 - 1 (float64) or within the type's range; NaN and infinities are
    kept. Strings are UTF-8 text or `{"b64": "..."}`. An empty list has the further
    dimensions that the signature asks for.

    Args:
        value: A scalar, or lists nested to equal lengths.
        spec: What the signature asks for; its shape is not checked here.

    Raises:
        InvalidArgument: If lists are ragged or a value does not fit the type.
        Unimplemented: If JSON has no form for the type.
    """
    if spec.dtype is None:
        raise Unimplemented(f"input {spec.name!r} has a type that JSON cannot carry")
    flat, shape = _flatten(value, spec)
    if not flat and spec.shape is not None:
        # Of an array without elements, JSON gives only the first dimensions.
        shape += tuple(length or 0 for length in spec.shape[len(shape) :])
    return _typed(flat, spec.name, spec.dtype).reshape(shape)


def array_to_json(array: Array, as_bytes: bool) -> Any:
    """Nested lists, or a scalar, whose numbers print as short as their type allows.

    Args:
        array: An output; bytes objects for strings.
        as_bytes: Whether strings are written in base64; those that are not UTF-8 are
            in any case.
    """
    if array.dtype == object:
        texts = np.empty(array.size, object)
        for index, value in enumerate(array.ravel()):
            texts[index] = _text(value, as_bytes)
        return texts.reshape(array.shape).tolist()
    if array.dtype == np.float32:
        # Through text, 0.2 stays 0.2 and does not become 0.20000000298023224.
        return array.astype(str).astype(np.float64).tolist()
    return array.tolist()


def is_base64(value: Any) -> bool:
    """Whether a JSON value is `{"b64": "..."}`."""
    return (
        isinstance(value, dict)
        and len(value) == 1
        and isinstance(value.get("b64"), str)
    )


def fits_float32(value: float) -> bool:
    """Whether a number is NaN, infinite or in float32's range."""
    return not _LARGEST_FLOAT32 < abs(value) < float("inf")


def bytes_from_json(value: Any, name: str) -> bytes:
    """The bytes of a JSON string (UTF-8) or of `{"b64": "..."}`.

    Args:
        value: What the request has.
        name: The input's or feature's name, for messages.

    Raises:
        InvalidArgument: If it is neither.
    """
    if isinstance(value, str):
        try:
            return value.encode()
        except UnicodeEncodeError as error:
            raise InvalidArgument(
                f"input {name!r}: {shorten(value)} is not valid Unicode"
            ) from error
    if not is_base64(value):
        raise InvalidArgument(
            f'input {name!r}: expected a string or {{"b64": "..."}}, received '
            f"{shorten(value)}"
        )
    text: str = value["b64"]
    try:
        digits = text.rstrip("=")  # padding is optional
        return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidArgument(
            f"input {name!r}: {shorten(text)} is not base64: {error}"
        ) from error


def shorten(value: Any) -> str:
    """A value as it may stand in a message: short, and printable."""
    if isinstance(value, list):
        return f"a list of length {len(value)}"
    if isinstance(value, dict):
        return f"an object with {len(value)} key{'s' * (len(value) != 1)}"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if type(value) is int and value.bit_length() > 200:
        return f"an integer of {value.bit_length()} bits"
    text = ascii(value)
    if len(text) > _SHOWN_CHARACTERS:
        return f"{text[:_SHOWN_CHARACTERS]}…"
    return text


def _flatten(value: Any, spec: TensorSpec) -> tuple[list[Any], tuple[int, ...]]:
    flat: list[Any] = [value]
    shape: list[int] = []
    while flat and isinstance(flat[0], list):
        length = len(flat[0])
        for entry in flat:
            if not isinstance(entry, list) or len(entry) != length:
                raise InvalidArgument(
                    f"input {spec.name!r}: expected lists of equal length, "
                    f"{spec.describe()}; at depth {len(shape)} one of length {length} "
                    f"stands beside {shorten(entry)}"
                )
        shape.append(length)
        flat = list(chain.from_iterable(flat))
        if len(shape) > _MAX_DIMENSIONS:
            raise InvalidArgument(
                f"input {spec.name!r}: expected {spec.describe()}, received lists "
                f"nested more than {_MAX_DIMENSIONS} deep"
            )
    return flat, tuple(shape)


def _typed(flat: list[Any], name: str, dtype: TensorType) -> Array:
    if dtype.name == "string":
        strings = np.empty(len(flat), object)
        for index, value in enumerate(flat):
            strings[index] = bytes_from_json(value, name)
        return strings
    accepted = {"b": (bool,), "f": (float, int)}.get(dtype.numpy.kind, (int,))
    if not set(map(type, flat)) <= set(accepted):
        wrong = next(value for value in flat if type(value) not in accepted)
        raise InvalidArgument(
            f"input {name!r}: expected {dtype.name}, received {shorten(wrong)}"
        )
    _check_range(flat, name, dtype)
    return np.array(flat, dtype.numpy)


def _check_range(flat: list[Any], name: str, dtype: TensorType) -> None:
    if not flat or dtype.numpy.kind == "b":
        return
    if dtype.numpy.kind != "f":
        lowest, highest = min(flat), max(flat)
        limits = np.iinfo(dtype.numpy)
        if lowest < limits.min or highest > limits.max:
            wrong = lowest if lowest < limits.min else highest
            raise InvalidArgument(
                f"input {name!r}: {shorten(wrong)} is out of {dtype.name}'s range"
            )
        return
    exact, largest = _LARGEST_EXACT[dtype.name], float(np.finfo(dtype.numpy).max)
    for value in flat:
        is_64_bit = type(value) is int and -(2**63) <= value < 2**64
        size = abs(value)
        if size > exact if is_64_bit else largest < size != float("inf"):
            raise InvalidArgument(
                f"input {name!r}: {shorten(value)} cannot be converted to {dtype.name} "
                "without loss of precision"
            )


def _text(value: bytes, as_bytes: bool) -> Any:
    if not as_bytes:
        try:
            return value.decode()
        except UnicodeDecodeError:
            pass  # JSON has no other form for such bytes than base64
    return {"b64": base64.b64encode(value).decode()}
