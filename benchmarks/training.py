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
    targets. Inputs get gradients, too: below a layer there are embeddings to train.

    Args:
        layer: what to call.
        inputs: its first arguments, [batch, ...], which get gradients.
        weights: what to train.
        fixed: its further arguments, [batch, ...], which get none.
        jit: whether to compile by XLA.
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
        outputs = _as_list(layer(*inputs, *fixed))
        targets = [tf.constant(rng.normal(size=y.shape), y.dtype) for y in outputs]
        # Arguments of the functions: constants in them would be folded.
        self._arguments = (tuple(inputs), tuple(fixed), tuple(targets))
        signature = tf.nest.map_structure(
            lambda x: tf.TensorSpec((None, *x.shape[1:]), x.dtype), self._arguments
        )
        self._forward, self._gradients, self._train = (
            tf.function(f, signature, autograph=False, jit_compile=jit or None)
            for f in (self._run, self._differentiate, self._step)
        )

    def forward(self) -> list[tf.Tensor]:
        """Returns the outputs."""
        return self._forward(*self._arguments)

    @property
    def targets(self) -> Tensors:
        """What the outputs are trained towards."""
        return self._arguments[2]

    def gradients(self) -> list[tf.Tensor]:
        """Returns the gradients of weights and inputs."""
        return self._gradients(*self._arguments)

    def train(self) -> list[tf.Tensor]:
        """Makes a step and returns the gradients of the inputs."""
        return self._train(*self._arguments)

    def _run(
        self, inputs: Tensors, fixed: Tensors, targets: Tensors
    ) -> list[tf.Tensor]:
        del targets
        return _as_list(self._layer(*inputs, *fixed))

    def _differentiate(
        self, inputs: Tensors, fixed: Tensors, targets: Tensors
    ) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = _as_list(self._layer(*inputs, *fixed))
            pairs = zip(outputs, targets, strict=True)
            loss = tf.add_n([tf.reduce_mean((y - target) ** 2) for y, target in pairs])
        return tape.gradient(loss, [*self._weights, *inputs])

    def _step(
        self, inputs: Tensors, fixed: Tensors, targets: Tensors
    ) -> list[tf.Tensor]:
        gradients = self._differentiate(inputs, fixed, targets)
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
