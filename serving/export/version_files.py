"""Lists a version's files in the version itself, so that a half copy is not served."""

from __future__ import annotations

import json
import os

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from serving.protocol.version_files import FILE_LIST, LISTED_MARK, checksum


def list_version_files(model_dir: str) -> None:
    """Writes the list, once all else of the version is written.

    A copy that lacks the list itself is also noticed: `saved_model.pb` is marked.
    TensorFlow Serving reads neither the mark nor the list.

    Args:
        model_dir: The exported version; a path or a URI of TensorFlow's file systems.
    """
    _mark(os.path.join(model_dir, "saved_model.pb"))
    files = {}
    for parent, _, names in tf.io.gfile.walk(model_dir):
        for name in names:
            path = os.path.join(parent, name)
            relative = os.path.relpath(path, model_dir)
            if relative != FILE_LIST:
                with tf.io.gfile.GFile(path, "rb") as file:
                    size, crc32 = checksum(file)
                files[relative] = {"bytes": size, "crc32": crc32}
    target = os.path.join(model_dir, FILE_LIST)
    tf.io.gfile.makedirs(os.path.dirname(target))
    with tf.io.gfile.GFile(target, "w") as file:
        file.write(json.dumps({"files": dict(sorted(files.items()))}, indent=1) + "\n")


def _mark(path: str) -> None:
    with tf.io.gfile.GFile(path, "rb") as file:
        model = saved_model_pb2.SavedModel.FromString(file.read())
    for graph in model.meta_graphs:
        graph.collection_def[LISTED_MARK].int64_list.value[:] = [1]
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write(model.SerializeToString(deterministic=True))
