"""What callbacks have counted so far: part of every checkpoint."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

# The library's callbacks keep no state of their own and forget it as a training begins.
_ATTRIBUTES = {
    tf_keras.callbacks.EarlyStopping: (
        "wait",
        "best",
        "best_epoch",
        "stopped_epoch",
        "best_weights",
    ),
    tf_keras.callbacks.ReduceLROnPlateau: ("wait", "best", "cooldown_counter"),
    tf_keras.callbacks.ModelCheckpoint: ("best",),
}


class SavedCallbacks(tf.train.experimental.PythonState):
    """The state of callbacks as an object of a checkpoint.

    A callback of ours that has one names its attributes in `saved_attributes`: numbers,
    None, or lists of arrays.

    Args:
        callbacks: In an order that does not change between runs.
    """

    def __init__(self, callbacks: Sequence[tf_keras.callbacks.Callback]):
        self._callbacks = tuple(callbacks)
        self._restored: dict[str, Any] = {}

    def serialize(self) -> bytes:
        """The attributes as the bytes of an `.npz` file; what is None is left out."""
        arrays: dict[str, Any] = {}
        for index, callback in enumerate(self._callbacks):
            for attribute in _attributes(callback):
                value, key = getattr(callback, attribute), f"{index}.{attribute}"
                if isinstance(value, list | tuple):
                    arrays |= {f"{key}.{i:06}": item for i, item in enumerate(value)}
                elif value is not None:
                    arrays[key] = value
        file = io.BytesIO()
        np.savez(file, **arrays)
        return file.getvalue()

    def deserialize(self, string_value: Any) -> None:
        """Keeps what was read until `apply`."""
        with np.load(io.BytesIO(string_value), allow_pickle=False) as arrays:
            self._restored = dict(arrays)

    def apply(self) -> None:
        """Gives the callbacks what a checkpoint held, after `on_train_begin`."""
        lists: dict[str, list[Any]] = {}
        for key in sorted(self._restored):
            index, attribute, *place = key.split(".")
            value = self._restored[key]
            if place:
                lists.setdefault(f"{index}.{attribute}", []).append(value)
                value = lists[f"{index}.{attribute}"]
            setattr(
                self._callbacks[int(index)],
                attribute,
                value if place else value.item(),
            )


def _attributes(callback: tf_keras.callbacks.Callback) -> tuple[str, ...]:
    own: tuple[str, ...] = getattr(callback, "saved_attributes", ())
    for kind, attributes in _ATTRIBUTES.items():
        if isinstance(callback, kind):
            return (*own, *attributes)
    return own
