"""Answers about a model itself, in the messages that both protocols share."""

from __future__ import annotations

from google.protobuf import any_pb2
from tensorflow.core.protobuf import error_codes_pb2
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from serving.server.models.model_store import ModelSpec, ModelStore
from serving.server.models.version_state import VersionState

SIGNATURE_FIELD = "signature_def"


def model_metadata(
    store: ModelStore, spec: ModelSpec
) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """A version's signatures.

    Raises:
        NotFound: If the model or version is not served.
    """
    version = store.find(spec)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    for name, definition in version.definitions.items():
        signatures.signature_def[name].CopyFrom(definition)
    packed = any_pb2.Any()
    packed.Pack(signatures)
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.model_spec.name = spec.name
    response.model_spec.version.value = version.number
    response.metadata[SIGNATURE_FIELD].CopyFrom(packed)
    return response


def model_status(
    store: ModelStore, spec: ModelSpec
) -> get_model_status_pb2.GetModelStatusResponse:
    """States of the asked version, or of all.

    Raises:
        NotFound: If the model or version is unknown.
    """
    response = get_model_status_pb2.GetModelStatusResponse()
    for state in store.states(spec):
        response.model_version_status.append(_version_status(state))
    return response


def _version_status(state: VersionState) -> get_model_status_pb2.ModelVersionStatus:
    message = get_model_status_pb2.ModelVersionStatus(version=state.number)
    message.state = get_model_status_pb2.ModelVersionStatus.State.Value(state.state)
    message.status.error_code = error_codes_pb2.Code.Value(state.code)
    message.status.error_message = state.error
    return message
