"""TensorFlow Serving's gRPC `ModelService` over a predictor's store."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2,
)

from serving.protocol.errors import InvalidArgument
from serving.server.grpc_api.answer import GrpcService, add_service, read_model_spec
from serving.server.models.model_config import model_configs
from serving.server.prediction.model_messages import model_status
from serving.server.prediction.predictor import Predictor


def add_model_service(server: grpc.aio.Server, predictor: Predictor) -> None:
    """Registers `ModelService` with a server."""
    descriptor = model_service_pb2.DESCRIPTOR.services_by_name["ModelService"]
    add_service(server, ModelService(predictor), descriptor)


class ModelService(GrpcService):
    """GetModelStatus and HandleReloadConfigRequest."""

    async def GetModelStatus(self, request: Any, context: Any) -> Any:
        """State of a model's versions."""
        return await self.answer(context, get_model_status, request)

    async def HandleReloadConfigRequest(self, request: Any, context: Any) -> Any:
        """Serves other models from now on."""
        return await self.answer(context, reload_config, request)


async def get_model_status(
    request: get_model_status_pb2.GetModelStatusRequest, predictor: Predictor
) -> get_model_status_pb2.GetModelStatusResponse:
    """Answers a GetModelStatus request.

    Raises:
        NotFound: If the model or version is unknown.
    """
    return model_status(predictor.store, read_model_spec(request))


async def reload_config(
    request: model_management_pb2.ReloadConfigRequest, predictor: Predictor
) -> model_management_pb2.ReloadConfigResponse:
    """Answers a HandleReloadConfigRequest once the models are loaded.

    Raises:
        ServingError: As `ModelStore.reload`, or `InvalidArgument` for another kind of
            configuration than a list of models.
    """
    if request.config.WhichOneof("config") != "model_config_list":
        raise InvalidArgument(
            "ServerModelConfig type not supported by HandleReloadConfigRequest. Only "
            "ModelConfigList is currently supported"
        )
    models = model_configs(request.config.model_config_list)
    # Loading takes seconds: not in a thread that requests wait for.
    await asyncio.to_thread(predictor.store.reload, models)
    response = model_management_pb2.ReloadConfigResponse()
    response.status.SetInParent()  # OK, no message
    return response
