"""Replays a version's warm-up requests before it is served."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import prediction_log_pb2

from serving.protocol.errors import InvalidArgument, ServingError, Unimplemented
from serving.protocol.example_input import read_input
from serving.protocol.input_check import check_inputs
from serving.protocol.tensor_proto import read_tensor
from serving.protocol.tensor_spec import Array
from serving.protocol.warmup_file import MAX_WARMUP_REQUESTS, WARMUP_FILE
from serving.server.models.saved_model import ModelLoadError, ModelVersion


def replay_warmup_requests(folder: str, version: ModelVersion) -> int:
    """Runs the requests of `assets.extra/tf_serving_warmup_requests`, if any.

    The requests of Classify, Regress and MultiInference run the signatures they name
    on their examples. As in TensorFlow Serving, a logged session run is refused.

    Args:
        folder: The version's folder.
        version: The same version, loaded.

    Returns:
        How many requests were run.

    Raises:
        ModelLoadError: If the file cannot be read, holds more than 1,000 requests, or
            one of them fails.
    """
    path = os.path.join(folder, WARMUP_FILE)
    if not os.path.isfile(path):
        return 0
    count = 0
    try:
        for log in _read_logs(path):
            if count == MAX_WARMUP_REQUESTS:
                raise InvalidArgument(
                    "Number of warmup records exceeds the maximum "
                    f"({MAX_WARMUP_REQUESTS})"
                )
            for name, inputs in _runs(log, version):
                signature = version.signature(name)
                check_inputs(inputs, signature.spec.inputs)
                signature.run(inputs)
            count += 1
    except (ServingError, DecodeError, tf.errors.OpError) as error:
        raise ModelLoadError(f"warm-up requests of {path} fail: {error}") from error
    return count


def _read_logs(path: str) -> Iterator[Any]:
    for record in tf.data.TFRecordDataset(path).as_numpy_iterator():
        yield prediction_log_pb2.PredictionLog.FromString(record)


def _runs(log: Any, version: ModelVersion) -> Iterator[tuple[str, Mapping[str, Array]]]:
    """The signatures that a logged request runs, and their inputs."""
    kind = log.WhichOneof("log_type")
    if kind is None:
        return
    if kind == "session_run_log":
        raise Unimplemented(f"Unsupported log_type for warmup: {kind}")
    request = getattr(log, kind).request
    if kind == "predict_log":
        inputs = {
            name: read_tensor(name, request.inputs[name]) for name in request.inputs
        }
        yield request.model_spec.signature_name, inputs
        return
    tasks = request.tasks if kind == "multi_inference_log" else [request]
    for task in tasks:
        name = task.model_spec.signature_name
        yield name, _examples(request.input, version, name)


def _examples(message: Any, version: ModelVersion, signature: str) -> dict[str, Array]:
    """An `Input` message as the one input of a signature, serialized examples."""
    names = list(version.signature(signature).spec.inputs)
    if len(names) != 1:
        raise InvalidArgument(
            f'signature "{signature}" must take serialized examples alone to be asked '
            f"by Classify or Regress; its inputs are {', '.join(names)}"
        )
    return {names[0]: read_input(message)}
