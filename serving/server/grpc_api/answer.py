"""How the gRPC services read what a request asks for and answer with its errors."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import model_pb2

from serving.protocol.errors import Internal, InvalidArgument, ServingError
from serving.server.models.model_store import ModelSpec
from serving.server.prediction.predictor import Predictor

_LOG = logging.getLogger(__name__)
# Messages travel in a header, whose size gRPC limits.
_MAX_MESSAGE_CHARACTERS = 1024


class GrpcService:
    """A service whose handlers are functions of a request and a predictor."""

    def __init__(self, predictor: Predictor):
        self._predictor = predictor

    async def answer(
        self,
        context: Any,
        handler: Callable[[Any, Predictor], Awaitable[Any]],
        request: Any,
    ) -> Any:
        """What the handler answers; its errors end the call with their code."""
        try:
            return await self.handled(handler, request)
        except ServingError as error:
            await abort(context, error)

    async def handled(
        self, handler: Callable[[Any, Predictor], Awaitable[Any]], request: Any
    ) -> Any:
        """What the handler answers; whatever it raises is a `ServingError`.

        Raises:
            ServingError: The handler's own, or `Internal` for a defect.
        """
        if isinstance(request, Undecodable):
            raise InvalidArgument("the request's bytes are no message of its method")
        try:
            return await handler(request, self._predictor)
        except ServingError:
            raise
        except Exception as error:
            _LOG.exception("a request failed")
            raise Internal("internal error; see the server's log") from error


class Undecodable:
    """A request whose bytes are no message of its type."""


def add_service(server: grpc.aio.Server, service: Any, descriptor: Any) -> None:
    """Registers a service's methods.

    The generated registration lets bytes that cannot be decoded raise inside gRPC,
    which answers UNKNOWN and logs a traceback; here they become INVALID_ARGUMENT.

    Args:
        server: The server.
        service: Has a coroutine method of each name.
        descriptor: The service's descriptor; all its methods are unary.
    """
    handlers = {
        method.name: grpc.unary_unary_rpc_method_handler(
            getattr(service, method.name),
            request_deserializer=_decoder(method.input_type._concrete_class),
            response_serializer=method.output_type._concrete_class.SerializeToString,
        )
        for method in descriptor.methods
    }
    generic = grpc.method_handlers_generic_handler(descriptor.full_name, handlers)
    server.add_generic_rpc_handlers((generic,))


def read_model_spec(request: Any) -> ModelSpec:
    """What a request asks for.

    Raises:
        InvalidArgument: If it has no `model_spec`.
    """
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


def deadline_of(context: Any) -> float | None:
    """When a call's client stops waiting, in the event loop's seconds, if ever."""
    remaining = context.time_remaining()
    if remaining is None:
        return None
    return asyncio.get_running_loop().time() + float(remaining)


async def abort(context: Any, error: ServingError) -> None:
    """Ends a call with an error's code and message."""
    code = getattr(grpc.StatusCode, error.code, grpc.StatusCode.UNKNOWN)
    message = error.message
    if len(message) > _MAX_MESSAGE_CHARACTERS:
        message = f"{message[: _MAX_MESSAGE_CHARACTERS - 1]}…"
    await context.abort(code, message)


def _decoder(message_class: Any) -> Callable[[bytes], Any]:
    def decode(data: bytes) -> Any:
        try:
            return message_class.FromString(data)
        except DecodeError:
            return Undecodable()

    return decode
