"""TensorBoard's event files, written without the package that shows them.

`tf.summary.scalar` and its like are part of `tensorboard`, which TensorFlow no longer
brings. `tf.summary.write` is TensorFlow's own; what makes a tensor a scalar or a
histogram is its metadata.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

# tensorboard.compat.proto.summary_pb2.DataClass
_SCALAR, _TENSOR = 1, 2
_BUCKETS = 30


class EventFiles:
    """Curves and histograms of one training, or of its evaluation.

    Args:
        folder: Where they go, a path or URI.
    """

    def __init__(self, folder: str):
        self._writer = tf.summary.create_file_writer(folder)

    def scalar(self, tag: str, value: float, step: int) -> None:
        """Adds a point to a curve."""
        self._write(tag, tf.constant(value, tf.float32), step, "scalars", _SCALAR)

    def histogram(self, tag: str, values: np.ndarray, step: int) -> None:
        """Adds the distribution of values, of any shape."""
        counts, edges = np.histogram(values, bins=_BUCKETS)
        rows = np.stack([edges[:-1], edges[1:], counts], axis=1)
        self._write(tag, tf.constant(rows, tf.float64), step, "histograms", _TENSOR)

    def flush(self) -> None:
        """Makes what was added visible to readers."""
        self._writer.flush()

    def close(self) -> None:
        """Writes what is left."""
        self._writer.close()

    def _write(
        self, tag: str, tensor: tf.Tensor, step: int, plugin: str, data_class: int
    ) -> None:
        proto = tf.compat.v1.SummaryMetadata
        metadata = proto(
            plugin_data=proto.PluginData(plugin_name=plugin), data_class=data_class
        )
        with self._writer.as_default():
            tf.summary.write(tag, tensor, step, metadata)
