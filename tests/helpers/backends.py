"""Gradients and compiled calls under whichever backend the tests run on."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from poso_keras._backend import KERAS_3, keras, ops

BACKEND = keras.backend.backend() if KERAS_3 else "tf_keras"
ON_TENSORFLOW = BACKEND in ("tensorflow", "tf_keras")

Arrays = list[np.ndarray]


def as_list(outputs: Any) -> list[Any]:
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]


def as_arrays(outputs: Any) -> Arrays:
    """Outputs as float32 arrays, always as a list."""
    convert = ops.convert_to_numpy if KERAS_3 else np.array
    return [convert(ops.cast(y, "float32")) for y in as_list(outputs)]


@contextlib.contextmanager
def gradients_recorded(recorded: bool) -> Iterator[None]:
    """Tells PyTorch, whose tensors become arrays only where they are not."""
    if BACKEND != "torch":
        yield
        return
    import torch

    with torch.set_grad_enabled(recorded):
        yield


def gradients(
    layer: Any,
    arrays: dict[str, np.ndarray],
    loss: Callable[..., Any] = lambda *outputs: sum(ops.sum(y**2) for y in outputs),
    compiled: bool = False,
) -> tuple[Arrays, Arrays, Arrays]:
    """Outputs, and the gradients of a loss on them.

    Args:
        layer: a layer that is built.
        arrays: the tensor arguments of `call`, by name and in order.
        loss: a scalar of the outputs; the sum of their squares by default.
        compiled: by XLA, where the backend has it.

    Returns:
        The outputs, the gradients with respect to each array of floats (zero where
        the loss does not depend on it) and with respect to each trainable weight.
    """
    under = {"jax": _under_jax, "torch": _under_torch}.get(BACKEND, _under_tensorflow)
    outputs, inputs, weights = under(layer, arrays, loss, compiled)
    return as_arrays(outputs), as_arrays(inputs), as_arrays(weights)


def _under_tensorflow(layer: Any, arrays: Any, loss: Any, compiled: bool) -> Any:
    import tensorflow as tf

    tensors = [tf.constant(a) for a in arrays.values()]
    floats = [t for t in tensors if t.dtype.is_floating]
    weights = [w.value if KERAS_3 else w for w in layer.trainable_weights]

    def run() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(floats)
            outputs = as_list(layer(*tensors))
            value = loss(*outputs)
        inputs, weight_gradients = tape.gradient(
            value, (floats, weights), unconnected_gradients="zero"
        )
        return outputs, inputs, weight_gradients

    return tf.function(run, jit_compile=True)() if compiled else run()


def _under_jax(layer: Any, arrays: Any, loss: Any, compiled: bool) -> Any:
    import jax

    fixed = [v.value for v in layer.non_trainable_variables]
    is_float = [a.dtype.kind == "f" for a in arrays.values()]
    floats = [a for a, f in zip(arrays.values(), is_float, strict=True) if f]

    def run(floats: Any, weights: Any) -> Any:
        given = iter(floats)
        tensors = [
            next(given) if f else a
            for a, f in zip(arrays.values(), is_float, strict=True)
        ]
        outputs, _ = layer.stateless_call(weights, fixed, *tensors)
        return loss(*as_list(outputs)), as_list(outputs)

    run = jax.value_and_grad(run, argnums=(0, 1), has_aux=True)
    weights = [v.value for v in layer.trainable_variables]
    (_, outputs), slopes = (jax.jit(run) if compiled else run)(floats, weights)
    return outputs, *slopes


def _under_torch(layer: Any, arrays: Any, loss: Any, compiled: bool) -> Any:
    import torch

    tensors = [torch.tensor(a) for a in arrays.values()]
    floats = [t.requires_grad_() for t in tensors if t.is_floating_point()]
    weights = [v.value for v in layer.trainable_variables]
    wanted = [*floats, *weights]
    with gradients_recorded(True):
        outputs = as_list(layer(*tensors))
        # PyTorch refuses to be asked for no gradient at all.
        found = (
            torch.autograd.grad(loss(*outputs), wanted, allow_unused=True)
            if wanted
            else ()
        )
    slopes = [
        torch.zeros_like(x) if slope is None else slope
        for slope, x in zip(found, wanted, strict=True)
    ]
    return (
        [y.detach() for y in outputs],
        slopes[: len(floats)],
        slopes[len(floats) :],
    )
