"""TensorFlow Serving's gRPC `ModelService` over a predictor's store."""

from __future__ import annotations

from typing import Any

import grpc
from tensorflow_serving.apis import get_model_status_pb2, model_service_pb2

from serving.errors import Unimplemented
from serving.grpc_answer import GrpcService, abort, add_service, read_model_spec
from serving.model_messages import model_status
from serving.prediction import Predictor


def add_model_service(server: grpc.aio.Server, predictor: Predictor) -> None:
    """Registers `ModelService` with a server."""
    descriptor = model_service_pb2.DESCRIPTOR.services_by_name["ModelService"]
    add_service(server, ModelService(predictor), descriptor)


class ModelService(GrpcService):
    """GetModelStatus; the model folder is set at start, so nothing is reloaded."""

    async def GetModelStatus(self, request: Any, context: Any) -> Any:
        """State of a model's versions."""
        return await self.answer(context, get_model_status, request)

    async def HandleReloadConfigRequest(self, request: Any, context: Any) -> Any:
        """Not offered: UNIMPLEMENTED."""
        await abort(context, Unimplemented("HandleReloadConfigRequest is not offered"))


async def get_model_status(
    request: get_model_status_pb2.GetModelStatusRequest, predictor: Predictor
) -> get_model_status_pb2.GetModelStatusResponse:
    """Answers a GetModelStatus request.

    Raises:
        NotFound: If the model or version is unknown.
    """
    return model_status(predictor.store, read_model_spec(request))
