"""Asks a server over gRPC, without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc

from serving.client.tls import TlsFiles
from serving.client.transport import (
    ModelChoice,
    ModelMetadata,
    VersionStatus,
    version_statuses,
)
from serving.protocol import messages as wire_messages
from serving.protocol.errors import error_of_code
from serving.protocol.tensor_proto import read_tensor, write_tensor
from serving.protocol.tensor_spec import Array, SignatureSpec, signature_spec

_SIGNATURES = "signature_def"
_TOO_LATE = "Deadline Exceeded"  # what the library says, and it says no more

# By default a channel that failed once answers every call with that failure for a
# second or more, and waits longer before each new attempt, up to two minutes.
_RECONNECT_MS = {"initial": 50, "max": 1000}


class GrpcTransport:
    """A channel to one model; connects when first used, and again when it must.

    Args:
        address: `host:port`.
        model: The model.
        tls: Files of an encrypted connection; None for an unencrypted one.

    Raises:
        ValueError: If the address is a URL, or a file of `tls` not what it should be.
        OSError: If one of its files cannot be read.
    """

    def __init__(self, address: str, model: ModelChoice, tls: TlsFiles | None = None):
        if address.startswith(("http://", "https://")):
            raise ValueError(f"gRPC needs host:port. Received: {address}")
        self._address = address
        self._model = model
        options: list[tuple[str, Any]] = [
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
            *(
                (f"grpc.{n}_reconnect_backoff_ms", ms)
                for n, ms in _RECONNECT_MS.items()
            ),
        ]
        if tls is None:
            self._channel = grpc.insecure_channel(address, options)
        else:
            if tls.server_name is not None:
                options.append(("grpc.ssl_target_name_override", tls.server_name))
            self._channel = grpc.secure_channel(address, _credentials(tls), options)
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
        self,
        signature: str,
        inputs: Mapping[str, Array],
        spec: SignatureSpec,
        timeout_s: float,
    ) -> dict[str, Array]:
        """Runs a signature on arrays that fit its specification."""
        request = wire_messages.PredictRequest()
        self._choose(request.model_spec)
        request.model_spec.signature_name = signature
        for name, array in inputs.items():
            write_tensor(array, request.inputs[name])
        outputs = self._call(self._predict, request, timeout_s).outputs
        return {name: read_tensor(name, outputs[name]) for name in outputs}

    def metadata(self, timeout_s: float) -> ModelMetadata:
        """The chosen version's signatures."""
        request = wire_messages.GetModelMetadataRequest(metadata_field=[_SIGNATURES])
        self._choose(request.model_spec)
        answer = self._call(self._metadata, request, timeout_s)
        packed = answer.metadata[_SIGNATURES].value
        definitions = wire_messages.SignatureDefMap.FromString(packed).signature_def
        return ModelMetadata(
            answer.model_spec.version.value,
            {name: signature_spec(definitions[name]) for name in sorted(definitions)},
        )

    def status(self, timeout_s: float) -> list[VersionStatus]:
        """State of the chosen version, or of every version if none is chosen."""
        request = wire_messages.GetModelStatusRequest()
        self._choose(request.model_spec)
        return version_statuses(self._call(self._status, request, timeout_s))

    def close(self) -> None:
        """Closes the channel."""
        self._channel.close()

    def _method(self, path: str, answer: Any) -> Any:
        return self._channel.unary_unary(
            path,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=answer.FromString,
        )

    def _choose(self, spec: Any) -> None:
        spec.name = self._model.name
        if self._model.version is not None:
            spec.version.value = self._model.version
        elif self._model.label is not None:
            spec.version_label = self._model.label

    def _call(self, method: Any, request: Any, timeout_s: float) -> Any:
        try:
            return method(request, timeout=timeout_s)
        except grpc.RpcError as error:
            message = error.details()
            if message == _TOO_LATE:
                message = f"{self._address}: no answer within {timeout_s:.3g} s"
            raise error_of_code(error.code().name, message) from error


def _credentials(tls: TlsFiles) -> grpc.ChannelCredentials:
    tls.check()
    ca, key, certificate = (
        None if path is None else Path(path).read_bytes()
        for path in (tls.ca, tls.key, tls.certificate)
    )
    return grpc.ssl_channel_credentials(ca, key, certificate)
