"""TensorFlow Serving's `PredictionService` over a predictor."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import grpc
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    inference_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from serving.protocol.errors import InvalidArgument, ServingError
from serving.protocol.example_input import example_count, read_input
from serving.protocol.input_check import check_names
from serving.protocol.tensor_proto import read_tensor, write_tensor
from serving.protocol.tensor_spec import Array
from serving.server.grpc_api.answer import (
    Undecodable,
    abort,
    add_service,
    deadline_of,
    handled,
    read_model_spec,
)
from serving.server.grpc_api.service_description import describe_service
from serving.server.metrics import ServingMetrics
from serving.server.prediction.admission import Admission
from serving.server.prediction.classify_regress import (
    CLASSIFY,
    REGRESS,
    Method,
    infer,
    infer_all,
)
from serving.server.prediction.model_messages import SIGNATURE_FIELD, model_metadata
from serving.server.prediction.predictor import Lease, Predictor
from serving.server.request_log.request_log import AnsweredRequest, RequestLog

Handler = Callable[[Any, float | None], Awaitable[Any]]

# In the official order, see `describe_service`.
_METHODS = {
    "Classify": (
        classification_pb2.ClassificationRequest,
        classification_pb2.ClassificationResponse,
    ),
    "Regress": (regression_pb2.RegressionRequest, regression_pb2.RegressionResponse),
    "Predict": (predict_pb2.PredictRequest, predict_pb2.PredictResponse),
    "MultiInference": (
        inference_pb2.MultiInferenceRequest,
        inference_pb2.MultiInferenceResponse,
    ),
    "GetModelMetadata": (
        get_model_metadata_pb2.GetModelMetadataRequest,
        get_model_metadata_pb2.GetModelMetadataResponse,
    ),
}
SERVICE = describe_service("PredictionService", _METHODS)


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """The methods of `tensorflow.serving.PredictionService`.

    Args:
        predictor: What answers.
        admission: How many predictions are answered at once.
        metrics: Where they are counted.
        request_log: Where Predict requests are logged, if at all.
    """

    def __init__(
        self,
        predictor: Predictor,
        admission: Admission,
        metrics: ServingMetrics,
        request_log: RequestLog | None = None,
    ):
        self._predictor = predictor
        self._admission = admission
        self._metrics = metrics
        self._request_log = request_log

    def register(self, server: grpc.aio.Server) -> None:
        """Adds the service to a server."""
        add_service(server, SERVICE, self, _METHODS)

    async def Predict(self, request: Any, context: Any) -> Any:
        """Runs a signature on named tensors."""
        return await self._counted("Predict", self._predict, request, context)

    async def Classify(self, request: Any, context: Any) -> Any:
        """Labels and scores of examples."""
        return await self._counted("Classify", self._classify, request, context)

    async def Regress(self, request: Any, context: Any) -> Any:
        """One number per example."""
        return await self._counted("Regress", self._regress, request, context)

    async def MultiInference(self, request: Any, context: Any) -> Any:
        """Several of the two above on the same examples."""
        return await self._counted("MultiInference", self._infer_all, request, context)

    async def GetModelMetadata(self, request: Any, context: Any) -> Any:
        """A version's signatures; no other field is known."""
        try:
            return await handled(self._metadata, request)
        except ServingError as error:
            await abort(context, error)

    async def _counted(
        self, api: str, handler: Handler, request: Any, context: Any
    ) -> Any:
        """The answer of a prediction, which counts as one in flight."""
        start = time.perf_counter()
        deadline = deadline_of(context)
        code = "CANCELLED"  # unless there is an answer first
        try:
            with self._admission:
                answer = await handled(handler, request, deadline)
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

    async def _predict(
        self, request: predict_pb2.PredictRequest, deadline: float | None
    ) -> predict_pb2.PredictResponse:
        lease = self._predictor.resolve(read_model_spec(request))
        check_names(request.inputs, lease.signature.spec.inputs)
        size_bytes, output_filter = request.ByteSize(), list(request.output_filter)
        inputs = await self._predictor.in_worker_if_large(
            size_bytes, _read_tensors, request.inputs
        )
        outputs = await self._predictor.predict(lease, inputs, output_filter, deadline)
        response = await self._predictor.in_worker_if_large(
            sum(array.nbytes for array in outputs.values()),
            _predict_response,
            lease,
            outputs,
        )
        if self._request_log is not None:
            answered = AnsweredRequest.of(lease, inputs, output_filter)
            self._request_log.offer(answered, size_bytes)
        return response

    async def _classify(self, request: Any, deadline: float | None) -> Any:
        response = classification_pb2.ClassificationResponse()
        return await self._infer(CLASSIFY, request, response, deadline)

    async def _regress(self, request: Any, deadline: float | None) -> Any:
        response = regression_pb2.RegressionResponse()
        return await self._infer(REGRESS, request, response, deadline)

    async def _infer(
        self, method: Method, request: Any, response: Any, deadline: float | None
    ) -> Any:
        inference = await infer(
            self._predictor,
            method,
            read_model_spec(request),
            lambda: read_input(request.input),
            deadline,
        )
        _write_spec(inference.lease, response.model_spec)
        response.result.CopyFrom(inference.result)
        return response

    async def _infer_all(
        self, request: inference_pb2.MultiInferenceRequest, deadline: float | None
    ) -> inference_pb2.MultiInferenceResponse:
        tasks = [(read_model_spec(task), task.method_name) for task in request.tasks]
        response = inference_pb2.MultiInferenceResponse()
        for inference in await infer_all(
            self._predictor, tasks, lambda: read_input(request.input), deadline
        ):
            result = response.results.add()
            _write_spec(inference.lease, result.model_spec)
            field = (
                result.classification_result
                if inference.method is CLASSIFY
                else result.regression_result
            )
            field.CopyFrom(inference.result)
        return response

    async def _metadata(
        self, request: get_model_metadata_pb2.GetModelMetadataRequest
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        spec = read_model_spec(request)
        if not request.metadata_field:
            raise InvalidArgument(
                "GetModelMetadataRequest must specify at least one metadata_field"
            )
        for field in request.metadata_field:
            if field != SIGNATURE_FIELD:
                raise InvalidArgument(f"Metadata field {field} is not supported")
        return model_metadata(self._predictor.store, spec)


def _read_tensors(tensors: Mapping[str, Any]) -> dict[str, Array]:
    return {name: read_tensor(name, tensors[name]) for name in tensors}


def _predict_response(
    lease: Lease, outputs: Mapping[str, Array]
) -> predict_pb2.PredictResponse:
    response = predict_pb2.PredictResponse()
    _write_spec(lease, response.model_spec)
    for name, array in outputs.items():
        write_tensor(array, response.outputs[name])
    return response


def _write_spec(lease: Lease, message: Any) -> None:
    message.name = lease.model
    message.version.value = lease.version.number
    message.signature_name = lease.signature.name


def _model_name(request: Any) -> str:
    """The model's name; of several tasks, which have one model, the first's."""
    if isinstance(request, Undecodable):
        return ""
    if isinstance(request, inference_pb2.MultiInferenceRequest):
        request = next(iter(request.tasks), inference_pb2.InferenceTask())
    return str(request.model_spec.name)
