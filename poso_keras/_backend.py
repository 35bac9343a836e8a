"""Chooses the Keras generation, once, for the whole package.

`TF_USE_LEGACY_KERAS=1` (the variable TensorFlow itself reads) selects `tf_keras`,
anything else Keras 3 on whatever backend it is configured for. Every other module
imports `keras`, `ops` and `Layer` from here, so that one source serves both.
"""

import inspect
import os
from typing import Any, TypeAlias

import numpy as np

KERAS_3 = os.environ.get("TF_USE_LEGACY_KERAS", "").lower() not in ("1", "true")

# Keras is untyped: these names say in signatures what is meant.
Tensor: TypeAlias = Any
Shape: TypeAlias = tuple[int | None, ...]

keras: Any
ops: Any
if KERAS_3:
    import keras as _keras_3
    from keras import ops as _keras_3_ops

    if not _keras_3.__version__.startswith("3."):
        raise ImportError(
            "poso_keras needs Keras 3, or tf_keras with TF_USE_LEGACY_KERAS=1 set "
            "before the first import. Fix: pip install 'keras>=3'. "
            f"Received: keras {_keras_3.__version__}"
        )
    keras, ops = _keras_3, _keras_3_ops
else:
    try:
        import tf_keras as _tf_keras
    except ImportError as error:
        raise ImportError(
            "TF_USE_LEGACY_KERAS is set, but tf_keras is not installed. Fix: "
            "pip install tf_keras, or unset TF_USE_LEGACY_KERAS to use Keras 3."
        ) from error
    from poso_keras import _tensorflow_ops

    keras, ops = _tf_keras, _tensorflow_ops

register = keras.utils.register_keras_serializable(package="poso_keras")


if KERAS_3:

    class Layer(keras.layers.Layer):
        """The base of all layers: Keras 3 does everything by itself."""

    def build_child(child: Any, *shapes: Shape | None) -> None:
        """Builds a sub-layer from its parent's `build`."""
        child.build(*shapes)

    def matmul_transposed(a: Tensor, b: Tensor) -> Tensor:
        """[..., m, k] x [..., n, k] -> [..., m, n]."""
        return ops.matmul(a, ops.swapaxes(b, -1, -2))

else:
    import tensorflow as tf

    class Layer(keras.layers.Layer):  # type: ignore[no-redef]
        """The base of all layers: gives `build` the shape of every tensor.

        Keras 3 calls `build(inputs_shape=..., personalization_code_shape=...)` when
        `call(inputs, personalization_code)` has several tensors; `tf_keras` knows
        the first one only. This class makes the second behave as the first: it
        builds before the first call, by the names of `build`'s own arguments, and
        remembers these shapes for saving.
        """

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            if not self.built:
                bound = inspect.signature(self.call).bind(*args, **kwargs).arguments
                shapes = {
                    name: as_shape(bound[name.removesuffix("_shape")])
                    for name in inspect.signature(self.build).parameters
                    if bound.get(name.removesuffix("_shape")) is not None
                }
                # Weights belong to the layer, not to the function being traced.
                with tf.name_scope(self.name), tf.init_scope():
                    self.build(**shapes)
                self._poso_build_shapes = {k: list(v) for k, v in shapes.items()}
            return super().__call__(*args, **kwargs)

        def get_build_config(self) -> dict[str, Any] | None:
            shapes = getattr(self, "_poso_build_shapes", None)
            return {"shapes": dict(shapes)} if shapes else super().get_build_config()

        def build_from_config(self, config: dict[str, Any]) -> None:
            if "shapes" not in config:
                super().build_from_config(config)
                return
            with tf.name_scope(self.name):
                self.build(**{k: tuple(v) for k, v in config["shapes"].items()})
            self._poso_build_shapes = config["shapes"]

    def build_child(child: Any, *shapes: Shape | None) -> None:
        """Builds a sub-layer from its parent's `build`, under its own name."""
        with tf.name_scope(child.name):
            child.build(*shapes)

    def matmul_transposed(a: Tensor, b: Tensor) -> Tensor:
        """[..., m, k] x [..., n, k] -> [..., m, n].

        Here b's gradient is one product; through a transpose it would be copied.
        """
        return tf.matmul(a, b, transpose_b=True)


def as_shape(value: Any) -> Shape:
    """Returns the static shape of a tensor or array, or of a shape, as a tuple."""
    shape = value.shape if hasattr(value, "shape") else np.shape(value)
    return tuple(None if size is None else int(size) for size in shape)
