"""Names for what Keras leaves untyped, below everything else in the package."""

from typing import Any, TypeAlias

import numpy as np

# They say in signatures what is meant.
Tensor: TypeAlias = Any
Shape: TypeAlias = tuple[int | None, ...]


def as_shape(value: Any) -> Shape:
    """Returns the static shape of a tensor or array, or of a shape, as a tuple."""
    shape = value.shape if hasattr(value, "shape") else np.shape(value)
    return tuple(None if size is None else int(size) for size in shape)
