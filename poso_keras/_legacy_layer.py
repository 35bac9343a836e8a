"""Makes the layers of `tf_keras` behave as those of Keras 3 where we need it."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf
import tf_keras

from poso_keras._tensors import Shape, as_shape


class Layer(tf_keras.layers.Layer):  # type: ignore[misc]  # tf_keras is untyped
    """A layer all of whose tensor arguments count, not the first one only.

    Keras 3 calls `build(inputs_shape=..., personalization_code_shape=...)` when
    `call(inputs, personalization_code)` has several tensors, and hands an argument
    `value_mask` the mask that came with the tensor `value`. `tf_keras` knows the
    first tensor only. This class does both by the names of the arguments.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        tensors = _signature(type(self).call).bind(self, *args, **kwargs).arguments
        if not self.built:
            self._build_from(tensors)
        for name in _mask_names(type(self).call):
            tensor = tensors.get(name.removesuffix("_mask"))
            # A symbolic tensor's mask is taken when the model runs.
            if name in tensors or not tf.is_tensor(tensor):
                continue
            if not tf_keras.backend.is_keras_tensor(tensor):
                kwargs[name] = getattr(tensor, "_keras_mask", None)
        return super().__call__(*args, **kwargs)

    def _build_from(self, tensors: Mapping[str, Any]) -> None:
        shapes = {
            name: as_shape(tensors[name.removesuffix("_shape")])
            for name in inspect.signature(self.build).parameters
            if tensors.get(name.removesuffix("_shape")) is not None
        }
        # Weights belong to the layer, not to the function being traced.
        with tf.name_scope(self.name), tf.init_scope():
            self.build(**shapes)
        self._poso_build_shapes = {k: list(v) for k, v in shapes.items()}

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = super().get_config()
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = tf_keras.regularizers.serialize(
                self.activity_regularizer
            )
        return config

    def get_build_config(self) -> dict[str, Any] | None:
        shapes = getattr(self, "_poso_build_shapes", None)
        if shapes:
            return {"shapes": dict(shapes)}
        config: dict[str, Any] | None = super().get_build_config()
        return config

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


_signature = functools.cache(inspect.signature)


@functools.cache
def _mask_names(call: Callable[..., Any]) -> tuple[str, ...]:
    """The arguments of `call` that take the mask of another argument."""
    names = _signature(call).parameters
    return tuple(n for n in names if n.removesuffix("_mask") in set(names) - {n})
