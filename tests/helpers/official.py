"""Official messages for the conformance model."""

from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import input_pb2, predict_pb2

from tests.helpers import write_model

OFFSET = write_model.OFFSETS[2]  # of the newest version, which answers by default


def set_spec(message: Any, signature: str = "", name: str | None = None, **version):
    """Fills `model_spec`; `version=1` or `label="stable"`."""
    message.model_spec.name = write_model.NAME if name is None else name
    message.model_spec.signature_name = signature
    if "version" in version:
        message.model_spec.version.value = version["version"]
    if "label" in version:
        message.model_spec.version_label = version["label"]
    return message


def predict_request(signature: str = "", inputs: dict | None = None, **spec):
    request = set_spec(predict_pb2.PredictRequest(), signature, **spec)
    for name, value in (inputs or {}).items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request


def float32(*rows) -> np.ndarray:
    return np.array(rows, np.float32)


def example(**features) -> tf.train.Example:
    """Floats, integers and strings, one a feature."""
    message = tf.train.Example()
    for name, value in features.items():
        feature = message.features.feature[name]
        if isinstance(value, float):
            feature.float_list.value.append(value)
        elif isinstance(value, int):
            feature.int64_list.value.append(value)
        else:
            feature.bytes_list.value.append(value.encode())
    return message


def input_of(*examples, context=None) -> input_pb2.Input:
    if context is None:
        return input_pb2.Input(example_list={"examples": examples})
    return input_pb2.Input(
        example_list_with_context={"examples": examples, "context": context}
    )
