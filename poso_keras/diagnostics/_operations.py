"""How arithmetic is counted, by the rules of layers and by `model_cost`.

A multiply-add of a matrix product is 2 FLOPs. Any other arithmetic on an element is 1:
an addition, multiplication, division, comparison with a bound (ReLU), exp, log, tanh or
square root. So a sigmoid is 4 (negate, exp, add, divide) and a softmax 5 per element
(maximum, subtract, exp, sum, divide). Moving, casting, selecting and looking up are 0.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from poso_keras._backend import Shape, keras

SOFTMAX = 5

_ACTIVATIONS = {
    "linear": 0,
    "relu": 1,
    "tanh": 1,
    "exponential": 1,
    "softplus": 3,
    "sigmoid": 4,
    "swish": 5,
    "softmax": SOFTMAX,
}


@dataclass(frozen=True)
class Operations:
    """An amount of arithmetic.

    Attributes:
        multiply_adds: multiply-adds of matrix products.
        elementwise: all other arithmetic, in FLOPs.
        complete: false if something more is done that could not be counted.
    """

    multiply_adds: int = 0
    elementwise: int = 0
    complete: bool = True

    @property
    def flops(self) -> int:
        """Floating-point operations, 2 per multiply-add."""
        return 2 * self.multiply_adds + self.elementwise

    def __add__(self, other: "Operations") -> "Operations":
        return Operations(
            self.multiply_adds + other.multiply_adds,
            self.elementwise + other.elementwise,
            self.complete and other.complete,
        )


def elements(shape: Shape | Sequence[int | None]) -> int:
    """Returns the number of elements of a shape that is wholly known."""
    if any(size is None for size in shape):
        raise ValueError(
            f"operations are counted for known sizes alone. Received: {tuple(shape)}"
        )
    return math.prod(int(size or 0) for size in shape)


def broadcast_size(*sizes: int | None) -> int:
    """Returns the size of an axis after broadcasting these sizes, each it or 1."""
    return next((elements((size,)) for size in sizes if size != 1), 1)


def activation_operations(activation: Any, count: int) -> Operations:
    """Returns what an activation function does to `count` elements.

    Args:
        activation: a function of `keras.activations`, or None. Of any other function
            nothing is known: the result is not `complete`.
        count: number of elements.
    """
    each = 0 if activation is None else _activation_costs().get(activation)
    if each is None:
        return Operations(complete=False)
    return Operations(elementwise=each * count)


@functools.cache
def _activation_costs() -> dict[Any, int]:
    return {keras.activations.get(name): cost for name, cost in _ACTIVATIONS.items()}
