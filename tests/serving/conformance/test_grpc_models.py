"""GetModelMetadata and GetModelStatus.

Rules: servables/tensorflow/get_model_metadata_impl.cc and
model_servers/get_model_status_impl.cc.
"""

import tensorflow as tf
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from tests.helpers.official import set_spec
from tests.helpers.write_model import NAME, OFFSETS


def metadata_request(*fields, **spec):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    return set_spec(request, **spec)


def status_request(**spec):
    return set_spec(get_model_status_pb2.GetModelStatusRequest(), **spec)


def test_metadata(predictions):
    response = predictions.GetModelMetadata(metadata_request("signature_def"))
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    several = signatures.signature_def["several"]
    assert response.model_spec.name == NAME
    assert response.model_spec.version.value == max(OFFSETS)
    assert several.method_name == "tensorflow/serving/predict"
    assert several.inputs["b"].dtype == tf.int64.as_datatype_enum
    assert [d.size for d in several.inputs["b"].tensor_shape.dim] == [-1]
    assert set(several.outputs) == {"total", "double_b"}


def test_metadata_of_a_version(predictions):
    request = metadata_request("signature_def", version=1)
    assert predictions.GetModelMetadata(request).model_spec.version.value == 1


def test_metadata_errors(predictions):
    missing = get_model_metadata_pb2.GetModelMetadataRequest(
        metadata_field=["signature_def"]
    )
    for request, code in [
        (metadata_request(), "INVALID_ARGUMENT"),
        (metadata_request("weights"), "INVALID_ARGUMENT"),
        (metadata_request("signature_def", version=9), "NOT_FOUND"),
        (metadata_request("signature_def", name="nope"), "NOT_FOUND"),
        (missing, "INVALID_ARGUMENT"),
    ]:
        assert predictions.refused("GetModelMetadata", request)[0] == code


def test_status(models):
    states = models.GetModelStatus(status_request()).model_version_status
    available = get_model_status_pb2.ModelVersionStatus.AVAILABLE
    assert {state.version: state.state for state in states} == dict.fromkeys(
        OFFSETS, available
    )
    assert all(state.status.error_code == 0 for state in states)


def test_status_of_a_version(models):
    states = models.GetModelStatus(status_request(version=1)).model_version_status
    assert [state.version for state in states] == [1]


def test_status_errors(models):
    for request, code in [
        (status_request(version=9), "NOT_FOUND"),
        (status_request(name="nope"), "NOT_FOUND"),
        (get_model_status_pb2.GetModelStatusRequest(), "INVALID_ARGUMENT"),
    ]:
        assert models.refused("GetModelStatus", request)[0] == code
