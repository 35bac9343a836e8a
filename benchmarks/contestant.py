"""A layer as it is served and as it is trained, both as compiled functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

Tensors = Sequence[tf.Tensor]


class Contestant:
    """A layer with fixed inputs, ready to be timed.

    A train step is forward, backward and Adam, on the squared distance from fixed
    targets. Inputs also get gradients: below a layer there are embeddings to train.

    Args:
        layer: what to call.
        inputs: its first arguments, [batch, ...], which get gradients.
        weights: what to train.
        fixed: its further arguments, [batch, ...], which get none.
        jit: whether to compile by XLA.

    Attributes:
        forward: returns the outputs.
        gradients: returns the gradients of weights and inputs.
        train: makes a step and returns the gradients of the inputs.
        targets: what the outputs are trained towards.
    """

    def __init__(
        self,
        layer: Callable[..., Any],
        inputs: Tensors,
        weights: Sequence[tf.Variable],
        fixed: Tensors = (),
        jit: bool = False,
    ) -> None:
        self._layer, self._weights = layer, list(weights)
        self._optimizer = tf_keras.optimizers.Adam(1e-3, jit_compile=False)
        self._optimizer.build(self._weights)
        rng = np.random.default_rng(1)
        self._inputs, self._fixed = tuple(inputs), tuple(fixed)
        outputs = _as_list(layer(*inputs, *fixed))
        self.targets = [tf.constant(rng.normal(size=y.shape), y.dtype) for y in outputs]
        # They capture the inputs, which costs less a call than arguments do and, unlike
        # constants, is not folded.
        self.forward, self.gradients, self.train = (
            tf.function(work, autograph=False, jit_compile=jit or None)
            for work in (self._run, self._differentiate, self._step)
        )

    def _run(self) -> list[tf.Tensor]:
        return _as_list(self._layer(*self._inputs, *self._fixed))

    def _differentiate(self) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(self._inputs)
            pairs = zip(self._run(), self.targets, strict=True)
            loss = tf.add_n([tf.reduce_mean((y - target) ** 2) for y, target in pairs])
        return tape.gradient(loss, [*self._weights, *self._inputs])

    def _step(self) -> list[tf.Tensor]:
        gradients = self._differentiate()
        count = len(self._weights)
        pairs = zip(gradients[:count], self._weights, strict=True)
        self._optimizer.apply_gradients(pairs)
        return gradients[count:]


def check_equal(a: Tensors, b: Tensors, tolerance: float = 1e-4) -> float:
    """Returns the largest difference, relative to each tensor's largest entry.

    Raises:
        ValueError: if it is above the tolerance: then the two are not comparable.
    """
    worst = 0.0
    for x, y in zip(a, b, strict=True):
        scale = float(tf.reduce_max(tf.abs(x))) or 1.0
        worst = max(worst, float(tf.reduce_max(tf.abs(x - y))) / scale)
    if not worst <= tolerance:
        raise ValueError(
            f"contestants must agree to {tolerance:g}. Received: a difference of "
            f"{worst:g}"
        )
    return worst


def _as_list(outputs: Any) -> list[tf.Tensor]:
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]
