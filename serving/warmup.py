"""Warm-up requests inside the SavedModel, replayed by a server before it serves.

TensorFlow Serving reads them from exactly one place in a version's folder.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from serving.signatures import RawColumn

WARMUP_FILE = os.path.join("assets.extra", "tf_serving_warmup_requests")

_EMPTY = {tf.string: b"", tf.int64: 0, tf.float32: 0.0}


def write_warmup_requests(
    model_dir: str,
    columns: Sequence[RawColumn],
    model_name: str,
    candidates: int,
    repeats: int,
) -> None:
    """Writes requests of each signature, made of neutral values.

    Args:
        model_dir: The exported version.
        columns: The model's raw inputs.
        model_name: The name under which the model will be served.
        candidates: M of the `rank` requests.
        repeats: Requests of each signature; 0 writes none.
    """
    if not repeats:
        return
    path = os.path.join(model_dir, WARMUP_FILE)
    tf.io.gfile.makedirs(os.path.dirname(path))
    requests = [
        _request("serving_default", model_name, {"examples": [_example(columns)]}),
        _request("predict_raw", model_name, _dense(columns, 1)),
        _request("rank", model_name, _dense(columns, candidates)),
    ]
    with tf.io.TFRecordWriter(path) as writer:
        for request in requests * repeats:
            log = prediction_log_pb2.PredictionLog(
                predict_log=prediction_log_pb2.PredictLog(request=request)
            )
            writer.write(log.SerializeToString())


def _request(
    signature: str, model_name: str, inputs: dict[str, object]
) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model_name
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request


def _dense(columns: Sequence[RawColumn], candidates: int) -> dict[str, object]:
    inputs: dict[str, object] = {}
    for column in columns:
        batch = candidates if column.candidate else 1
        shape = [batch, 1] if column.kind == "list" else [batch]
        inputs[column.name] = tf.fill(
            shape, tf.constant(_EMPTY[column.dtype], column.dtype)
        )
    return inputs


def _example(columns: Sequence[RawColumn]) -> bytes:
    """A serialized example with the required columns alone."""
    example = tf.train.Example()
    for column in columns:
        if column.kind != "required":
            continue
        feature = example.features.feature[column.name]
        if column.dtype == tf.string:
            feature.bytes_list.value.append(b"")
        elif column.dtype == tf.int64:
            feature.int64_list.value.append(0)
        else:
            feature.float_list.value.append(0.0)
    return example.SerializeToString()
