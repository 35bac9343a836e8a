"""TensorFlow Serving's gRPC `PredictionService` over a predictor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving.errors import InvalidArgument, Unimplemented
from serving.grpc_answer import GrpcService, abort, read_model_spec
from serving.input_check import check_names
from serving.model_messages import SIGNATURE_FIELD, model_metadata
from serving.prediction import Prediction, Predictor, Target
from serving.tensor_proto import read_tensor, write_tensor
from serving.tensor_spec import Array


def add_prediction_service(server: grpc.aio.Server, predictor: Predictor) -> None:
    """Registers `PredictionService` with a server."""
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(predictor), server
    )


class PredictionService(
    GrpcService, prediction_service_pb2_grpc.PredictionServiceServicer
):
    """Predict and GetModelMetadata; what a ranker has no use for is unimplemented."""

    async def Predict(self, request: Any, context: Any) -> Any:
        """Runs a signature on named tensors."""
        return await self.answer(context, predict, request)

    async def GetModelMetadata(self, request: Any, context: Any) -> Any:
        """A version's signatures."""
        return await self.answer(context, get_model_metadata, request)

    async def Classify(self, request: Any, context: Any) -> Any:
        """Not offered: UNIMPLEMENTED."""
        await abort(context, Unimplemented("Classify is not offered; use Predict"))

    async def Regress(self, request: Any, context: Any) -> Any:
        """Not offered: UNIMPLEMENTED."""
        await abort(context, Unimplemented("Regress is not offered; use Predict"))

    async def MultiInference(self, request: Any, context: Any) -> Any:
        """Not offered: UNIMPLEMENTED."""
        await abort(
            context, Unimplemented("MultiInference is not offered; use Predict")
        )


async def predict(
    request: predict_pb2.PredictRequest, predictor: Predictor
) -> predict_pb2.PredictResponse:
    """Answers a Predict request.

    Raises:
        ServingError: As `Predictor.resolve` and `Predictor.predict`, or
            `InvalidArgument` for a malformed tensor.
    """
    target = predictor.resolve(read_model_spec(request))
    check_names(request.inputs, target.signature.spec.inputs)
    inputs = await predictor.in_worker(_read_tensors, request.inputs)
    prediction = await predictor.predict(target, inputs, list(request.output_filter))
    return await predictor.in_worker(_predict_response, target, prediction)


async def get_model_metadata(
    request: get_model_metadata_pb2.GetModelMetadataRequest, predictor: Predictor
) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """Answers a GetModelMetadata request.

    Raises:
        InvalidArgument: If it asks for no field, or for another than the signatures.
        NotFound: If the model or version is not served.
    """
    spec = read_model_spec(request)
    if not request.metadata_field:
        raise InvalidArgument(
            "GetModelMetadataRequest must specify at least one metadata_field"
        )
    for field in request.metadata_field:
        if field != SIGNATURE_FIELD:
            raise InvalidArgument(f"Metadata field {field} is not supported")
    return model_metadata(predictor.store, spec)


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
