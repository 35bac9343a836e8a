"""Warm-up requests inside the SavedModel, replayed by a server before it serves."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle, islice, product
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from serving.export.signatures import RawColumn
from serving.protocol.warmup_file import MAX_WARMUP_REQUESTS, WARMUP_FILE

_NEUTRAL: Mapping[tf.DType, Any] = {tf.string: b"", tf.int64: 0, tf.float32: 0.0}
_DEFAULT_LIST_LENGTH = 4
_SEED = 3


def write_warmup_requests(
    model_dir: str,
    columns: Sequence[RawColumn],
    model_name: str,
    *,
    max_candidates: int,
    count: int,
    known_values: Mapping[str, Sequence[Any]],
) -> None:
    """Writes requests of each signature, of small and large shapes in turn.

    Args:
        model_dir: The exported version.
        columns: The model's raw inputs.
        model_name: The name under which the model will be served.
        max_candidates: M of the largest `rank` request.
        count: Requests to write; 0 writes no file.
        known_values: Values to draw from, by column; a column without any gets a
            neutral one.

    Raises:
        ValueError: If more are asked for than TensorFlow Serving reads.
    """
    if count > MAX_WARMUP_REQUESTS:
        raise ValueError(
            f"TensorFlow Serving reads at most {MAX_WARMUP_REQUESTS} warm-up requests. "
            f"Received: count={count}"
        )
    if not count:
        return
    path = os.path.join(model_dir, WARMUP_FILE)
    tf.io.gfile.makedirs(os.path.dirname(path))
    values = _Values(columns, known_values)
    with tf.io.TFRecordWriter(path) as writer:
        for request in islice(_requests(values, model_name, max_candidates), count):
            log = prediction_log_pb2.PredictionLog(
                predict_log=prediction_log_pb2.PredictLog(request=request)
            )
            writer.write(log.SerializeToString())


def _requests(
    values: _Values, model_name: str, max_candidates: int
) -> Iterator[predict_pb2.PredictRequest]:
    """Endlessly: each signature at each size, with histories from none to whole."""
    sizes = sorted({max_candidates, max(max_candidates // 4, 1), 1}, reverse=True)
    shapes = list(product(sizes, (1.0, 0.5, 0.0)))
    for rows, filled in cycle(shapes):
        ranked = values.dense(1, rows, filled)
        yield _request("rank", model_name, ranked)
        yield _request("predict_raw", model_name, values.dense(rows, rows, filled))
        examples = [values.example(filled) for _ in range(rows)]
        yield _request("serving_default", model_name, {"examples": examples})


class _Values:
    """Draws column values, the same ones in each run."""

    def __init__(
        self, columns: Sequence[RawColumn], known: Mapping[str, Sequence[Any]]
    ):
        self._columns = columns
        self._known = known
        self._random = np.random.default_rng(_SEED)

    def dense(self, user_rows: int, video_rows: int, filled: float) -> dict[str, Any]:
        """Named tensors; `filled` is the share of a list's length that is used."""
        inputs = {}
        for column in self._columns:
            rows = video_rows if column.candidate else user_rows
            shape = [rows]
            if column.kind == "list":
                shape.append(self._length(column, filled))
            flat = self._draw(column, int(np.prod(shape)))
            inputs[column.name] = tf.constant(flat, column.dtype, shape=shape)
        return inputs

    def example(self, filled: float) -> bytes:
        """A serialized example; with `filled` 0 the required columns alone."""
        example = tf.train.Example()
        for column in self._columns:
            count = 1
            if column.kind == "list":
                count = self._length(column, filled)
            elif column.kind == "optional" and not filled:
                count = 0
            feature = example.features.feature[column.name]
            drawn = self._draw(column, count)
            if column.dtype == tf.string:
                feature.bytes_list.value.extend(map(tf.compat.as_bytes, drawn))
            elif column.dtype == tf.int64:
                feature.int64_list.value.extend(drawn)
            else:
                feature.float_list.value.extend(drawn)
        return example.SerializeToString()

    def _length(self, column: RawColumn, filled: float) -> int:
        return round(filled * (column.max_length or _DEFAULT_LIST_LENGTH))

    def _draw(self, column: RawColumn, count: int) -> list[Any]:
        known = self._known.get(column.name) or [_NEUTRAL[column.dtype]]
        return [known[place] for place in self._random.integers(len(known), size=count)]


def _request(
    signature: str, model_name: str, inputs: Mapping[str, Any]
) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model_name
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request
