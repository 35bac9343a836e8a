"""What a signature takes and gives: names, dtypes and shapes, without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class TensorType:
    """A tensor's element type.

    Attributes:
        name: TensorFlow's name of it.
        number: Its number in TensorFlow's `DataType` enumeration.
        field: The field of a `TensorProto` that holds its values.
        numpy: The numpy type; bytes objects for strings.
    """

    name: str
    number: int
    field: str
    numpy: np.dtype[Any]


_TYPES = [
    TensorType("float32", 1, "float_val", np.dtype(np.float32)),
    TensorType("float64", 2, "double_val", np.dtype(np.float64)),
    TensorType("int32", 3, "int_val", np.dtype(np.int32)),
    TensorType("uint8", 4, "int_val", np.dtype(np.uint8)),
    TensorType("int16", 5, "int_val", np.dtype(np.int16)),
    TensorType("int8", 6, "int_val", np.dtype(np.int8)),
    TensorType("string", 7, "string_val", np.dtype(object)),
    TensorType("int64", 9, "int64_val", np.dtype(np.int64)),
    TensorType("bool", 10, "bool_val", np.dtype(np.bool_)),
    TensorType("uint16", 17, "int_val", np.dtype(np.uint16)),
    TensorType("uint32", 22, "uint32_val", np.dtype(np.uint32)),
    TensorType("uint64", 23, "uint64_val", np.dtype(np.uint64)),
]
TYPE_BY_NUMBER: Mapping[int, TensorType] = {type_.number: type_ for type_ in _TYPES}
TYPE_BY_NUMPY: Mapping[np.dtype[Any], TensorType] = {
    type_.numpy: type_ for type_ in _TYPES
}
# How a dense request of the ranking model says that there is no value, by numpy's kind
# of the type. Booleans and unsigned integers have no such value.
ABSENT: Mapping[str, Any] = {"O": b"", "i": -1, "f": float("nan")}


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a signature.

    Attributes:
        name: Its name in requests and answers.
        dtype: Its element type; None for a type that requests cannot carry.
        shape: Its dimensions, None for any length; None for any shape at all.
    """

    name: str
    dtype: TensorType | None
    shape: tuple[int | None, ...] | None

    def accepts(self, shape: tuple[int, ...]) -> bool:
        """Whether an array of this shape may be passed."""
        if self.shape is None:
            return True
        return len(shape) == len(self.shape) and all(
            expected in (None, received)
            for expected, received in zip(self.shape, shape, strict=True)
        )

    def describe(self) -> str:
        """Type and shape for a message, such as `int64 [?, 3]`."""
        dtype = self.dtype.name if self.dtype else "an unsupported type"
        if self.shape is None:
            return f"{dtype} of any shape"
        lengths = ("?" if length is None else str(length) for length in self.shape)
        return f"{dtype} [{', '.join(lengths)}]"


@dataclass(frozen=True)
class SignatureSpec:
    """Inputs and outputs of a signature, by name."""

    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]

    @cached_property
    def is_batchable(self) -> bool:
        """Whether all inputs and outputs have a first dimension of any length.

        `rank`, which takes one user, has not: its requests are never merged.
        """
        tensors = [*self.inputs.values(), *self.outputs.values()]
        return bool(self.inputs) and all(
            tensor.shape and tensor.shape[0] is None for tensor in tensors
        )


def signature_spec(definition: Any) -> SignatureSpec:
    """Reads a `SignatureDef` message."""
    return SignatureSpec(_specs(definition.inputs), _specs(definition.outputs))


def _specs(infos: Mapping[str, Any]) -> dict[str, TensorSpec]:
    return {name: _spec(name, infos[name]) for name in sorted(infos)}


def _spec(name: str, info: Any) -> TensorSpec:
    shape = None
    if not info.tensor_shape.unknown_rank:
        sizes = (dimension.size for dimension in info.tensor_shape.dim)
        shape = tuple(None if size < 0 else int(size) for size in sizes)
    return TensorSpec(name, TYPE_BY_NUMBER.get(info.dtype), shape)
