"""Chooses the Keras generation, once, for the whole package.

`TF_USE_LEGACY_KERAS=1` (the variable TensorFlow itself reads) selects `tf_keras`,
where that is installed; all else is Keras 3 on whatever backend it is configured for.
Every other module imports `keras`, `ops`, `Layer` and `Callback` from here, so that one
source serves both.
"""

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from poso_keras._generation import (
    import_keras_3,
    import_tf_keras,
    tf_keras_is_wanted,
)
from poso_keras._tensors import Shape, Tensor, as_shape

KERAS_3 = not tf_keras_is_wanted()

keras: Any
ops: Any
if KERAS_3:
    keras = import_keras_3()
    ops = keras.ops
else:
    keras = import_tf_keras()
    ops = importlib.import_module("poso_keras._tensorflow_ops")

# None where another backend runs, maybe without TensorFlow installed.
tensorflow: Any = None
if not KERAS_3 or keras.backend.backend() == "tensorflow":
    tensorflow = importlib.import_module("tensorflow")

if TYPE_CHECKING:
    from poso_keras._keras_types import (
        Callback,
        Layer,
        build_child,
        matmul_transposed,
    )
elif KERAS_3:
    Layer, Callback = keras.layers.Layer, keras.callbacks.Callback

    def build_child(child: Layer, *shapes: Shape | None) -> None:
        """Builds a sub-layer from its parent's `build`."""
        child.build(*shapes)

    def matmul_transposed(a: Tensor, b: Tensor) -> Tensor:
        """[..., m, k] x [..., n, k] -> [..., m, n]."""
        return ops.matmul(a, ops.swapaxes(b, -1, -2))

else:
    from poso_keras._legacy_layer import Layer, build_child
    from poso_keras._tensorflow_ops import matmul_transposed

    Callback = keras.callbacks.Callback

__all__ = [
    "KERAS_3",
    "Callback",
    "Layer",
    "Shape",
    "Tensor",
    "as_shape",
    "build_child",
    "keras",
    "matmul_transposed",
    "ops",
    "register",
    "tensorflow",
]

_Class = TypeVar("_Class", bound=type)


def register(layer: _Class) -> _Class:
    """Lets saved models find a class by its name in this package."""
    decorate: Callable[[_Class], _Class] = keras.utils.register_keras_serializable(
        package="poso_keras"
    )
    return decorate(layer)
