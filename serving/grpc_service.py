"""TensorFlow Serving's gRPC services over a predictor."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving.errors import Internal, InvalidArgument, ServingError, Unimplemented
from serving.input_check import check_names
from serving.model_messages import SIGNATURE_FIELD, model_metadata, model_status
from serving.model_store import ModelSpec
from serving.prediction import Prediction, Predictor, Target
from serving.tensor_proto import read_tensor, write_tensor
from serving.tensor_spec import Array

_LOG = logging.getLogger(__name__)
# Messages travel in a header, whose size gRPC limits.
_MAX_MESSAGE_CHARACTERS = 1024


def add_services(server: grpc.aio.Server, predictor: Predictor) -> None:
    """Registers `PredictionService` and `ModelService` with a server."""
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(predictor), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(
        ModelService(predictor), server
    )


class _Service:
    def __init__(self, predictor: Predictor):
        self._predictor = predictor

    async def _answer(
        self,
        context: Any,
        handler: Callable[[Any, Predictor], Awaitable[Any]],
        request: Any,
    ) -> Any:
        try:
            return await handler(request, self._predictor)
        except ServingError as error:
            await _abort(context, error)
        except Exception:
            _LOG.exception("a request failed in %s", handler.__name__)
            await _abort(context, Internal("internal error; see the server's log"))


class PredictionService(
    _Service, prediction_service_pb2_grpc.PredictionServiceServicer
):
    """Predict and GetModelMetadata; what a ranker has no use for is unimplemented."""

    async def Predict(self, request: Any, context: Any) -> Any:
        """Runs a signature on named tensors."""
        return await self._answer(context, predict, request)

    async def GetModelMetadata(self, request: Any, context: Any) -> Any:
        """A version's signatures."""
        return await self._answer(context, get_model_metadata, request)

    async def Classify(self, request: Any, context: Any) -> Any:
        """Not offered: UNIMPLEMENTED."""
        await _abort(context, Unimplemented("Classify is not offered; use Predict"))

    async def Regress(self, request: Any, context: Any) -> Any:
        """Not offered: UNIMPLEMENTED."""
        await _abort(context, Unimplemented("Regress is not offered; use Predict"))

    async def MultiInference(self, request: Any, context: Any) -> Any:
        """Not offered: UNIMPLEMENTED."""
        await _abort(
            context, Unimplemented("MultiInference is not offered; use Predict")
        )


class ModelService(_Service, model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus; the model folder is set at start, so nothing is reloaded."""

    async def GetModelStatus(self, request: Any, context: Any) -> Any:
        """State of a model's versions."""
        return await self._answer(context, get_model_status, request)

    async def HandleReloadConfigRequest(self, request: Any, context: Any) -> Any:
        """Not offered: UNIMPLEMENTED."""
        await _abort(context, Unimplemented("HandleReloadConfigRequest is not offered"))


async def predict(
    request: predict_pb2.PredictRequest, predictor: Predictor
) -> predict_pb2.PredictResponse:
    """Answers a Predict request.

    Raises:
        ServingError: As `Predictor.resolve` and `Predictor.predict`, or
            `InvalidArgument` for a malformed tensor.
    """
    target = predictor.resolve(_model_spec(request))
    check_names(request.inputs, target.signature.spec.inputs)
    inputs = await predictor.in_worker_if_large(
        request.ByteSize(), _read_tensors, request.inputs
    )
    prediction = await predictor.predict(target, inputs, list(request.output_filter))
    return await predictor.in_worker_if_large(
        prediction.size_bytes, _predict_response, target, prediction
    )


async def get_model_metadata(
    request: get_model_metadata_pb2.GetModelMetadataRequest, predictor: Predictor
) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """Answers a GetModelMetadata request.

    Raises:
        InvalidArgument: If it asks for no field, or for another than the signatures.
        NotFound: If the model or version is not served.
    """
    spec = _model_spec(request)
    if not request.metadata_field:
        raise InvalidArgument(
            "GetModelMetadataRequest must specify at least one metadata_field"
        )
    for field in request.metadata_field:
        if field != SIGNATURE_FIELD:
            raise InvalidArgument(f"Metadata field {field} is not supported")
    return model_metadata(predictor.store, spec)


async def get_model_status(
    request: get_model_status_pb2.GetModelStatusRequest, predictor: Predictor
) -> get_model_status_pb2.GetModelStatusResponse:
    """Answers a GetModelStatus request.

    Raises:
        NotFound: If the model or version is unknown.
    """
    return model_status(predictor.store, _model_spec(request))


def _read_tensors(tensors: Mapping[str, Any]) -> dict[str, Array]:
    return {name: read_tensor(name, tensors[name]) for name in tensors}


def _predict_response(
    target: Target, prediction: Prediction
) -> predict_pb2.PredictResponse:
    response = predict_pb2.PredictResponse()
    response.model_spec.name = target.model
    response.model_spec.version.value = prediction.version
    response.model_spec.signature_name = prediction.signature
    for name, array in prediction.outputs.items():
        write_tensor(array, response.outputs[name])
    return response


def _model_spec(request: Any) -> ModelSpec:
    if not request.HasField("model_spec"):
        raise InvalidArgument("Missing ModelSpec")
    spec: model_pb2.ModelSpec = request.model_spec
    choice = spec.WhichOneof("version_choice")
    return ModelSpec(
        name=spec.name,
        version=spec.version.value if choice == "version" else None,
        label=spec.version_label if choice == "version_label" else None,
        signature=spec.signature_name,
    )


async def _abort(context: Any, error: ServingError) -> None:
    code = getattr(grpc.StatusCode, error.code, grpc.StatusCode.UNKNOWN)
    message = error.message
    if len(message) > _MAX_MESSAGE_CHARACTERS:
        message = f"{message[: _MAX_MESSAGE_CHARACTERS - 1]}…"
    await context.abort(code, message)
