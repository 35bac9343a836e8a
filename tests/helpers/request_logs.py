"""Files of logged Predict requests, as a server writes them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from pipeline.model.export import raw_columns
from tests.helpers.exported_requests import dense, rank_inputs


def predict_log(inputs: Mapping[str, Any], model: str = "ranker") -> bytes:
    """A logged request of named tensors."""
    log = prediction_log_pb2.PredictionLog()
    request = log.predict_log.request
    request.model_spec.name = model
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return log.SerializeToString()


def rows_log(config, rows, **options) -> bytes:
    """A logged request of `predict_raw`."""
    return predict_log(dense(raw_columns(config), rows, extra_padding=1), **options)


def rank_log(config, user, videos) -> bytes:
    """A logged request of `rank`."""
    return predict_log(rank_inputs(raw_columns(config), user, videos))


def write_log(path: Path, records: Iterable[bytes]) -> None:
    """Writes a file of records."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)
