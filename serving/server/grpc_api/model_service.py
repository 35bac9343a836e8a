"""TensorFlow Serving's gRPC `ModelService` over the models of a store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
)

from serving.protocol.errors import InvalidArgument, ServingError
from serving.server.grpc_api.answer import abort, add_service, handled, read_model_spec
from serving.server.grpc_api.service_description import describe_service
from serving.server.models.model_config import model_configs
from serving.server.models.model_store import ModelStore
from serving.server.prediction.model_messages import model_status

_METHODS = {
    "GetModelStatus": (
        get_model_status_pb2.GetModelStatusRequest,
        get_model_status_pb2.GetModelStatusResponse,
    ),
    "HandleReloadConfigRequest": (
        model_management_pb2.ReloadConfigRequest,
        model_management_pb2.ReloadConfigResponse,
    ),
}
SERVICE = describe_service("ModelService", _METHODS)


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus and HandleReloadConfigRequest.

    Args:
        store: The models.
    """

    def __init__(self, store: ModelStore):
        self._store = store

    def register(self, server: grpc.aio.Server) -> None:
        """Adds the service to a server."""
        add_service(server, SERVICE, self, _METHODS)

    async def GetModelStatus(self, request: Any, context: Any) -> Any:
        """State of a model's versions, or NOT_FOUND."""
        return await _answered(self._status, request, context)

    async def HandleReloadConfigRequest(self, request: Any, context: Any) -> Any:
        """Serves other models from now on; answers once they are loaded."""
        return await _answered(self._reload, request, context)

    async def _status(
        self, request: get_model_status_pb2.GetModelStatusRequest
    ) -> get_model_status_pb2.GetModelStatusResponse:
        return model_status(self._store, read_model_spec(request))

    async def _reload(
        self, request: model_management_pb2.ReloadConfigRequest
    ) -> model_management_pb2.ReloadConfigResponse:
        if request.config.WhichOneof("config") != "model_config_list":
            raise InvalidArgument(
                "ServerModelConfig type not supported by HandleReloadConfigRequest. "
                "Only ModelConfigList is currently supported"
            )
        models = model_configs(request.config.model_config_list)
        # Loading takes seconds: not in a thread that requests wait for.
        await asyncio.to_thread(self._store.reload, models)
        response = model_management_pb2.ReloadConfigResponse()
        response.status.SetInParent()  # OK, no message
        return response


async def _answered(
    handler: Callable[[Any], Awaitable[Any]], request: Any, context: Any
) -> Any:
    try:
        return await handled(handler, request)
    except ServingError as error:
        await abort(context, error)
