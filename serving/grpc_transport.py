"""The client's way over gRPC, without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import grpc

from serving import wire_messages
from serving.errors import error_of_code
from serving.tensor_proto import read_tensor, write_tensor
from serving.tensor_spec import Array, SignatureSpec, signature_spec
from serving.transport import ModelMetadata, VersionStatus, version_statuses

_SIGNATURES = "signature_def"


class GrpcTransport:
    """A channel to one model.

    Args:
        address: `host:port`.
        name: The model's name.
        timeout_s: Deadline of each call.
    """

    def __init__(self, address: str, name: str, timeout_s: float):
        self._name = name
        self._timeout_s = timeout_s
        self._channel = grpc.insecure_channel(
            address,
            options=[
                ("grpc.max_receive_message_length", -1),
                ("grpc.max_send_message_length", -1),
            ],
        )
        self._predict = self._method(
            wire_messages.PREDICT, wire_messages.PredictResponse
        )
        self._metadata = self._method(
            wire_messages.GET_MODEL_METADATA, wire_messages.GetModelMetadataResponse
        )
        self._status = self._method(
            wire_messages.GET_MODEL_STATUS, wire_messages.GetModelStatusResponse
        )

    def predict(
        self, signature: str, inputs: Mapping[str, Array], spec: SignatureSpec
    ) -> dict[str, Array]:
        """Runs a signature on arrays that fit its specification."""
        request = wire_messages.PredictRequest()
        request.model_spec.name = self._name
        request.model_spec.signature_name = signature
        for name, array in inputs.items():
            write_tensor(array, request.inputs[name])
        outputs = self._call(self._predict, request).outputs
        return {name: read_tensor(name, outputs[name]) for name in outputs}

    def metadata(self) -> ModelMetadata:
        """The newest version's signatures."""
        request = wire_messages.GetModelMetadataRequest(metadata_field=[_SIGNATURES])
        request.model_spec.name = self._name
        answer = self._call(self._metadata, request)
        packed = answer.metadata[_SIGNATURES].value
        definitions = wire_messages.SignatureDefMap.FromString(packed).signature_def
        return ModelMetadata(
            answer.model_spec.version.value,
            {name: signature_spec(definitions[name]) for name in sorted(definitions)},
        )

    def status(self) -> list[VersionStatus]:
        """State of every version."""
        request = wire_messages.GetModelStatusRequest()
        request.model_spec.name = self._name
        return version_statuses(self._call(self._status, request))

    def close(self) -> None:
        """Closes the channel."""
        self._channel.close()

    def _method(self, path: str, answer: Any) -> Any:
        return self._channel.unary_unary(
            path,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=answer.FromString,
        )

    def _call(self, method: Any, request: Any) -> Any:
        try:
            return method(request, timeout=self._timeout_s)
        except grpc.RpcError as error:
            raise error_of_code(error.code().name, error.details()) from error
