"""TensorFlow Serving's `PredictionService` over a predictor."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import grpc
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    inference_pb2,
    predict_pb2,
    prediction_service_pb2,
    regression_pb2,
)

from serving.protocol.errors import InvalidArgument, ServingError
from serving.protocol.input_check import check_names
from serving.protocol.tensor_proto import read_tensor, write_tensor
from serving.protocol.tensor_spec import Array
from serving.server.grpc_api.answer import (
    GrpcService,
    Undecodable,
    abort,
    add_service,
    deadline_of,
    read_model_spec,
)
from serving.server.metrics import ServingMetrics
from serving.server.prediction.admission import Admission
from serving.server.prediction.classify_regress import (
    CLASSIFY,
    REGRESS,
    Method,
    infer,
    infer_all,
)
from serving.server.prediction.example_input import example_count, read_input
from serving.server.prediction.model_messages import SIGNATURE_FIELD, model_metadata
from serving.server.prediction.predictor import Prediction, Predictor, Target

Handler = Callable[[Any, Predictor], Awaitable[Any]]


def add_prediction_service(
    server: grpc.aio.Server,
    predictor: Predictor,
    admission: Admission,
    metrics: ServingMetrics,
) -> None:
    """Registers `PredictionService` with a server.

    Args:
        server: The server.
        predictor: What answers.
        admission: How many predictions are answered at once.
        metrics: Where they are counted.
    """
    descriptor = prediction_service_pb2.DESCRIPTOR.services_by_name["PredictionService"]
    service = PredictionService(predictor, admission, metrics)
    add_service(server, service, descriptor)


class PredictionService(GrpcService):
    """The methods of `tensorflow.serving.PredictionService`."""

    def __init__(
        self, predictor: Predictor, admission: Admission, metrics: ServingMetrics
    ):
        super().__init__(predictor)
        self._admission = admission
        self._metrics = metrics

    async def Predict(self, request: Any, context: Any) -> Any:
        """Runs a signature on named tensors."""
        handler = partial(predict, deadline=deadline_of(context))
        return await self._counted(context, handler, request, "Predict")

    async def Classify(self, request: Any, context: Any) -> Any:
        """Labels and scores of examples."""
        handler = partial(classify, deadline=deadline_of(context))
        return await self._counted(context, handler, request, "Classify")

    async def Regress(self, request: Any, context: Any) -> Any:
        """One number an example."""
        handler = partial(regress, deadline=deadline_of(context))
        return await self._counted(context, handler, request, "Regress")

    async def MultiInference(self, request: Any, context: Any) -> Any:
        """Several of the two above on the same examples."""
        handler = partial(multi_inference, deadline=deadline_of(context))
        return await self._counted(context, handler, request, "MultiInference")

    async def GetModelMetadata(self, request: Any, context: Any) -> Any:
        """A version's signatures."""
        return await self.answer(context, get_model_metadata, request)

    async def _counted(
        self, context: Any, handler: Handler, request: Any, api: str
    ) -> Any:
        """The answer of a prediction, which counts as one in flight."""
        start = time.perf_counter()
        code = "CANCELLED"  # unless there is an answer first
        try:
            with self._admission:
                answer = await self.handled(handler, request)
            code = "OK"
            if api != "Predict":
                count = example_count(request.input)
                self._metrics.record_examples(_model_name(request), count)
            return answer
        except ServingError as error:
            code = error.code
            await abort(context, error)
        finally:
            seconds = time.perf_counter() - start
            name = _model_name(request)
            self._metrics.record_request(name, api, "GRPC", code, seconds)


async def predict(
    request: predict_pb2.PredictRequest,
    predictor: Predictor,
    deadline: float | None = None,
) -> predict_pb2.PredictResponse:
    """Answers a Predict request.

    Raises:
        ServingError: As `Predictor.resolve` and `Predictor.predict`, or
            `InvalidArgument` for a malformed tensor.
    """
    target = predictor.resolve(read_model_spec(request))
    check_names(request.inputs, target.signature.spec.inputs)
    inputs = await predictor.in_worker_if_large(
        request.ByteSize(), _read_tensors, request.inputs
    )
    prediction = await predictor.predict(
        target, inputs, list(request.output_filter), deadline
    )
    return await predictor.in_worker_if_large(
        prediction.size_bytes, _predict_response, target, prediction
    )


async def classify(
    request: classification_pb2.ClassificationRequest,
    predictor: Predictor,
    deadline: float | None = None,
) -> classification_pb2.ClassificationResponse:
    """Answers a Classify request.

    Raises:
        ServingError: As `infer`.
    """
    response = classification_pb2.ClassificationResponse()
    await _infer(CLASSIFY, request, response, predictor, deadline)
    return response


async def regress(
    request: regression_pb2.RegressionRequest,
    predictor: Predictor,
    deadline: float | None = None,
) -> regression_pb2.RegressionResponse:
    """Answers a Regress request.

    Raises:
        ServingError: As `infer`.
    """
    response = regression_pb2.RegressionResponse()
    await _infer(REGRESS, request, response, predictor, deadline)
    return response


async def multi_inference(
    request: inference_pb2.MultiInferenceRequest,
    predictor: Predictor,
    deadline: float | None = None,
) -> inference_pb2.MultiInferenceResponse:
    """Answers a MultiInference request.

    Raises:
        ServingError: As `infer_all`.
    """
    tasks = [(read_model_spec(task), task.method_name) for task in request.tasks]
    response = inference_pb2.MultiInferenceResponse()
    for inference in await infer_all(
        predictor, tasks, lambda: read_input(request.input), deadline
    ):
        result = response.results.add()
        _write_spec(inference.target, result.model_spec)
        field = (
            result.classification_result
            if inference.method is CLASSIFY
            else result.regression_result
        )
        field.CopyFrom(inference.result)
    return response


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
    _write_spec(target, response.model_spec)
    for name, array in prediction.outputs.items():
        write_tensor(array, response.outputs[name])
    return response


async def _infer(
    method: Method,
    request: Any,
    response: Any,
    predictor: Predictor,
    deadline: float | None,
) -> None:
    spec = read_model_spec(request)
    inference = await infer(
        predictor, method, spec, lambda: read_input(request.input), deadline
    )
    _write_spec(inference.target, response.model_spec)
    response.result.CopyFrom(inference.result)


def _write_spec(target: Target, message: Any) -> None:
    message.name = target.model
    message.version.value = target.version.number
    message.signature_name = target.signature.name


def _model_name(request: Any) -> str:
    """The model's name; of several tasks, which have one model, the first's."""
    if isinstance(request, Undecodable):
        return ""
    if isinstance(request, inference_pb2.MultiInferenceRequest):
        request = next(iter(request.tasks), inference_pb2.InferenceTask())
    return str(request.model_spec.name)
