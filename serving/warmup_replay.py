"""Replays a version's warm-up requests before it is served."""

from __future__ import annotations

import logging
import os

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from serving.errors import ServingError
from serving.input_check import check_inputs
from serving.saved_model import ModelLoadError, ModelVersion
from serving.tensor_proto import read_tensor
from serving.warmup import WARMUP_FILE

_LOG = logging.getLogger(__name__)
_MAX_REQUESTS = 1000  # TensorFlow Serving's own limit


def replay_warmup_requests(folder: str, version: ModelVersion) -> int:
    """Runs the requests of `assets.extra/tf_serving_warmup_requests`, if any.

    Only logged Predict requests are run; others belong to services that this server
    does not offer.

    Args:
        folder: The version's folder.
        version: The same version, loaded.

    Returns:
        How many requests were run.

    Raises:
        ModelLoadError: If the file cannot be read or a request fails.
    """
    path = os.path.join(folder, WARMUP_FILE)
    if not os.path.isfile(path):
        return 0
    try:
        requests = _read_requests(path)
        for request in requests:
            _run(request, version)
    except (ServingError, DecodeError, tf.errors.OpError) as error:
        raise ModelLoadError(f"warm-up requests of {path} fail: {error}") from error
    _LOG.info("version %d: ran %d warm-up requests", version.number, len(requests))
    return len(requests)


def _read_requests(path: str) -> list[predict_pb2.PredictRequest]:
    records = tf.data.TFRecordDataset(path).take(_MAX_REQUESTS).as_numpy_iterator()
    logs = map(prediction_log_pb2.PredictionLog.FromString, records)
    return [log.predict_log.request for log in logs if log.HasField("predict_log")]


def _run(request: predict_pb2.PredictRequest, version: ModelVersion) -> None:
    signature = version.signature(request.model_spec.signature_name)
    inputs = {name: read_tensor(name, request.inputs[name]) for name in request.inputs}
    check_inputs(inputs, signature.spec.inputs)
    signature.run(inputs)
