"""The transformed examples: the graph is applied to whole batches and these encoded."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_transform.saved import saved_transform_io_v2

from pipeline.examples.example_files import file_batches, split_files
from preprocessing.arrays.lists import make_lists, offsets_of
from preprocessing.datasets.tf_examples import encode_examples
from preprocessing.engine.cores import usable_cores

_PREFIX = "transformed_examples"  # as TFX names them
_BATCH = 4096
# Half of gzip's usual time for a third more bytes: they are read again soon.
_COMPRESSION_LEVEL = 1


def write_transformed_examples(
    folder: str,
    split_dir: str,
    output: tft.TFTransformOutput,
    spec: Mapping[str, Any],
) -> None:
    """Writes what the Transform's graph makes of a split.

    Each file of the split becomes one file of the same examples in the same order, so
    that neither depends on the number of threads.

    Args:
        folder: To write to.
        split_dir: The split of raw examples.
        output: The Transform's graph.
        spec: How the raw examples' columns are parsed, by name.
    """
    files = split_files(split_dir)
    tf.io.gfile.makedirs(folder)
    targets = [
        os.path.join(folder, f"{_PREFIX}-{place:05d}-of-{len(files):05d}.gz")
        for place in range(len(files))
    ]
    loader = saved_transform_io_v2.SavedModelLoader(output.transform_savedmodel_dir)

    # Called, not mapped: a data set of each file would optimize its graph anew.
    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None], tf.string)])
    def transform(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        return loader.apply_transform_model(tf.io.parse_example(serialized, spec))

    with ThreadPoolExecutor(min(len(files), usable_cores())) as threads:
        list(threads.map(partial(_write_file, transform=transform), files, targets))


def _write_file(source: str, target: str, transform: Any) -> None:
    options = tf.io.TFRecordOptions("GZIP", compression_level=_COMPRESSION_LEVEL)
    with tf.io.TFRecordWriter(target, options) as writer:
        for serialized in file_batches(source, _BATCH).prefetch(1):
            batch = transform(serialized)
            columns = {name: _column(batch[name].numpy()) for name in sorted(batch)}
            for example in encode_examples(pa.table(columns)):
                writer.write(example)


def _column(values: np.ndarray) -> pa.Array:
    """[batch] as it is, [batch, length] as a list an example."""
    if values.ndim == 1:
        return pa.array(values)
    ends = offsets_of(np.full(len(values), values.shape[1]))
    return make_lists(ends, pa.array(values.reshape(-1)))
