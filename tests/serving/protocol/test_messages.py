"""The client's messages against the official ones."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
from tensorflow.core.framework import tensor_pb2, tensor_shape_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    status_pb2,
)

from serving.protocol import messages as wire_messages
from serving.protocol import messages_pb2

OFFICIAL = {
    "TensorShapeProto": tensor_shape_pb2.TensorShapeProto,
    "TensorShapeProto.Dim": tensor_shape_pb2.TensorShapeProto.Dim,
    "TensorProto": tensor_pb2.TensorProto,
    "TensorInfo": meta_graph_pb2.TensorInfo,
    "SignatureDef": meta_graph_pb2.SignatureDef,
    "SignatureDefMap": get_model_metadata_pb2.SignatureDefMap,
    "ModelSpec": model_pb2.ModelSpec,
    "PredictRequest": predict_pb2.PredictRequest,
    "PredictResponse": predict_pb2.PredictResponse,
    "GetModelMetadataRequest": get_model_metadata_pb2.GetModelMetadataRequest,
    "GetModelMetadataResponse": get_model_metadata_pb2.GetModelMetadataResponse,
    "GetModelStatusRequest": get_model_status_pb2.GetModelStatusRequest,
    "StatusProto": status_pb2.StatusProto,
    "ModelVersionStatus": get_model_status_pb2.ModelVersionStatus,
    "GetModelStatusResponse": get_model_status_pb2.GetModelStatusResponse,
}


def messages_of(container, prefix=""):
    """Descriptors by name, those of messages within messages too, but of no maps."""
    found = {}
    for name, message in container.items():
        if not message.GetOptions().map_entry:
            found[prefix + name] = message
            found |= messages_of(message.nested_types_by_name, f"{prefix}{name}.")
    return found


OURS = messages_of(messages_pb2.DESCRIPTOR.message_types_by_name)


def test_every_message_is_compared():
    assert set(OFFICIAL) == set(OURS)


@pytest.mark.parametrize("name", OFFICIAL)
def test_fields_are_the_official_ones(name):
    official = OFFICIAL[name].DESCRIPTOR.fields_by_name
    for field in OURS[name].fields:
        assert form(field) == form(official[field.name]), field.name


def form(field):
    """Number and type of a field, with those of a map's values."""
    values = field.message_type and field.message_type.fields_by_name.get("value")
    is_map = field.message_type and field.message_type.GetOptions().map_entry
    value = (values.number, values.type) if is_map else None
    return field.number, field.type, field.label, value


def test_enumerations_are_the_official_ones():
    for name, field in [("TensorProto", "dtype"), ("ModelVersionStatus", "state")]:
        ours = OURS[name].fields_by_name[field].enum_type
        official = OFFICIAL[name].DESCRIPTOR.fields_by_name[field].enum_type
        for value in ours.values:
            assert official.values_by_name[value.name].number == value.number


def test_method_paths_are_the_official_ones():
    paths = set()
    channel = SimpleNamespace(unary_unary=lambda path, **_: paths.add(path))
    prediction_service_pb2_grpc.PredictionServiceStub(channel)
    model_service_pb2_grpc.ModelServiceStub(channel)
    assert {
        wire_messages.PREDICT,
        wire_messages.GET_MODEL_METADATA,
        wire_messages.GET_MODEL_STATUS,
    } <= paths


def test_states_have_their_names():
    assert wire_messages.state_name(30) == "AVAILABLE"
    assert wire_messages.state_name(31) == "?"


def test_fields_that_are_unset_are_shown():
    status = wire_messages.GetModelStatusResponse()
    status.model_version_status.add(version=3, state="END")
    assert wire_messages.message_as_dict(status) == {
        "model_version_status": [{"version": "3", "state": "END"}]
    }
    assert wire_messages.message_as_dict(wire_messages.PredictRequest()) == {
        "inputs": {},
        "output_filter": [],
    }


@pytest.mark.e2e
@pytest.mark.parametrize(
    "modules",
    [
        ("serving.protocol.messages", "tensorflow_serving.apis.predict_pb2"),
        ("tensorflow_serving.apis.predict_pb2", "serving.protocol.messages"),
    ],
    ids=["ours first", "official first"],
)
def test_both_sets_live_in_one_process(modules):
    script = "".join(f"import {module}\n" for module in modules) + (
        "ours = serving.protocol.messages.PredictRequest()\n"
        "ours.inputs['x'].int64_val.append(7)\n"
        "official = tensorflow_serving.apis.predict_pb2.PredictRequest\n"
        "same = official.FromString(ours.SerializeToString())\n"
        "assert list(same.inputs['x'].int64_val) == [7]\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=300)
