"""Kernels and biases: their initialiser, regulariser and constraint."""

import math
from collections.abc import Callable
from typing import Any

from poso_keras._backend import Layer, Tensor, keras, ops


def fresh_initializer(initializer: Any, index: int = 0) -> Any:
    """Returns a copy that draws values of its own.

    A Keras initialiser draws the same values each time it is called with a shape, so
    one instance must not serve two kernels. A fixed seed moves on by `index`.
    """
    if not hasattr(initializer, "get_config"):
        return initializer
    config = initializer.get_config()
    if isinstance(config.get("seed"), int):
        config["seed"] += index
    return type(initializer).from_config(config)


def stacked_initializer(
    initializer: Any, index: int = 0, correlation: float = 0.0
) -> Callable[..., Tensor]:
    """Returns an initialiser that draws each kernel of a stack as if it stood alone.

    Args:
        initializer: initialiser of one kernel.
        index: where the seeds start, if the initialiser has a fixed one.
        correlation: correlation between the kernels of the stack. Their variance is
            the same for every value.
    """

    def initialize(shape: Any, dtype: Any = None, **_: Any) -> Tensor:
        count, kernel_shape = int(shape[0]), tuple(int(size) for size in shape[1:])
        correlated = correlation > 0.0 and count > 1
        draws = [
            fresh_initializer(initializer, index + i)(kernel_shape, dtype=dtype)
            for i in range(count + 1 if correlated else count)
        ]
        if correlated:
            common, own = math.sqrt(correlation), math.sqrt(1.0 - correlation)
            draws = [common * draws[-1] + own * draw for draw in draws[:-1]]
        return ops.stack(draws)

    return initialize


class WeightOptions:
    """What a layer was told about its kernels, or its biases, and how to make them.

    Args:
        kind: `"kernel"` or `"bias"`, the prefix of the layer's arguments.
        initializer: initialiser of one kernel or bias, a name or an object.
        regularizer: regulariser of a whole (stacked) weight, or None.
        constraint: constraint on a whole (stacked) weight, or None.
    """

    def __init__(
        self, kind: str, initializer: Any, regularizer: Any, constraint: Any
    ) -> None:
        self.kind = kind
        self.initializer = keras.initializers.get(initializer)
        self.regularizer = keras.regularizers.get(regularizer)
        self.constraint = keras.constraints.get(constraint)

    def get_config(self) -> dict[str, Any]:
        """Returns the layer arguments these came from, serialised."""
        return {
            f"{self.kind}_initializer": keras.initializers.serialize(self.initializer),
            f"{self.kind}_regularizer": keras.regularizers.serialize(self.regularizer),
            f"{self.kind}_constraint": keras.constraints.serialize(self.constraint),
        }

    def for_child(self, index: int) -> dict[str, Any]:
        """Returns the same arguments for the sub-layer of that index."""
        return {
            f"{self.kind}_initializer": fresh_initializer(self.initializer, index),
            f"{self.kind}_regularizer": self.regularizer,
            f"{self.kind}_constraint": self.constraint,
        }

    def add_kernel(
        self,
        layer: Layer,
        name: str,
        shape: tuple[int, ...],
        index: int = 0,
        correlation: float = 0.0,
    ) -> Tensor:
        """Adds a kernel [in, out], or a stack of kernels [count, in, out].

        Args:
            layer: the layer it belongs to.
            name: its name.
            shape: its shape.
            index: seeds used before this kernel, if the initialiser's is fixed.
            correlation: see `stacked_initializer`.
        """
        if len(shape) == 2:
            initializer = fresh_initializer(self.initializer, index)
        else:
            initializer = stacked_initializer(self.initializer, index, correlation)
        return self._add_weight(layer, name, shape, initializer)

    def add_bias(self, layer: Layer, name: str, shape: tuple[int, ...]) -> Tensor:
        """Adds a bias, or a stack of biases."""
        return self._add_weight(layer, name, shape, self.initializer)

    def _add_weight(
        self, layer: Layer, name: str, shape: tuple[int, ...], initializer: Any
    ) -> Tensor:
        return layer.add_weight(
            name=name,
            shape=shape,
            initializer=initializer,
            regularizer=self.regularizer,
            constraint=self.constraint,
            trainable=True,
        )
