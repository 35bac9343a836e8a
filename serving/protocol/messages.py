"""The messages of TensorFlow Serving's gRPC protocol that the client needs.

They are compiled from `messages.proto`, which says why they are not the official ones.
"""

from __future__ import annotations

import inspect
from typing import Any

from google.protobuf import json_format

from serving.protocol.messages_pb2 import (
    GetModelMetadataRequest,
    GetModelMetadataResponse,
    GetModelStatusRequest,
    GetModelStatusResponse,
    ModelVersionStatus,
    PredictRequest,
    PredictResponse,
    SignatureDefMap,
    TensorProto,
)

__all__ = [
    "GET_MODEL_METADATA",
    "GET_MODEL_STATUS",
    "PREDICT",
    "GetModelMetadataRequest",
    "GetModelMetadataResponse",
    "GetModelStatusRequest",
    "GetModelStatusResponse",
    "PredictRequest",
    "PredictResponse",
    "SignatureDefMap",
    "TensorProto",
    "message_as_dict",
    "state_name",
]

PREDICT = "/tensorflow.serving.PredictionService/Predict"
GET_MODEL_METADATA = "/tensorflow.serving.PredictionService/GetModelMetadata"
GET_MODEL_STATUS = "/tensorflow.serving.ModelService/GetModelStatus"

# What protobuf 3 and 4 call the argument for unset fields, and what 5 and later do.
_OLD_NAME = "including_default_value_fields"
_NEW_NAME = "always_print_fields_with_no_presence"
_IS_OLD = _OLD_NAME in inspect.signature(json_format.MessageToDict).parameters
_UNSET_FIELDS_TOO: dict[str, Any] = {_OLD_NAME if _IS_OLD else _NEW_NAME: True}


def state_name(number: int) -> str:
    """Name of a `ModelVersionStatus` state; `?` for a number without one."""
    if number not in ModelVersionStatus.State.values():
        return "?"
    return str(ModelVersionStatus.State.Name(number))


def message_as_dict(message: Any) -> dict[str, Any]:
    """The JSON object that TensorFlow Serving's REST API shows for a message.

    Fields have their names in the `.proto` file, and those that are unset stand there
    with their defaults.
    """
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True, **_UNSET_FIELDS_TOO
    )
