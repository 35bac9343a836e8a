"""TensorBoard's event files, written without the package that shows them.

`tf.summary.scalar` and its like are part of `tensorboard`, which TensorFlow no longer
brings. `tf.summary.write` is TensorFlow's own; what makes a tensor a scalar or a
histogram is its metadata.
"""

from __future__ import annotations

import os

import numpy as np
import tensorflow as tf

from pipeline.progress import report_progress

FOLDER = "tensorboard"  # of a training's folder, then of the model's run folder

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


def keep_event_files(name: str, training_dir: str, run_dir: str) -> None:
    """Copies what TensorBoard shows of a training that is over, if it wrote any.

    What cannot be copied is said in a line.

    Args:
        name: What was trained.
        training_dir: The folder that they were written below.
        run_dir: The model's run folder.
    """
    source, target = (
        os.path.join(folder, FOLDER) for folder in (training_dir, run_dir)
    )
    if not tf.io.gfile.isdir(source):
        return
    try:
        for folder, _, files in tf.io.gfile.walk(source):
            to = os.path.join(target, os.path.relpath(folder, source))
            tf.io.gfile.makedirs(to)
            for file in files:
                tf.io.gfile.copy(
                    os.path.join(folder, file), os.path.join(to, file), overwrite=True
                )
    except (tf.errors.OpError, OSError) as error:
        report_progress(
            f"{name}: TensorBoard's files were not copied to {target}: "
            f"{first_line(error)}"
        )
        return
    report_progress(f"{name}: TensorBoard's files are now in {target}")


def first_line(error: Exception) -> str:
    """What an error says, without where in TensorFlow it happened."""
    return str(error).strip().split("\n", 1)[0]
