"""How the gRPC services read what a request asks for and answer with its errors."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import model_pb2

from serving.protocol.errors import Internal, InvalidArgument, ServingError
from serving.server.models.model_store import ModelSpec

_LOG = logging.getLogger(__name__)
# Messages travel percent-encoded in a header; clients take 8 KiB of headers by default.
_MAX_MESSAGE_BYTES = 4096


class Undecodable:
    """A request whose bytes are no message of its type."""


def add_service(
    server: grpc.aio.Server,
    name: str,
    service: Any,
    methods: Mapping[str, tuple[Any, Any]],
) -> None:
    """Registers a service's methods.

    The generated registration lets bytes that cannot be decoded raise inside gRPC,
    which answers UNKNOWN and logs a traceback; here they become INVALID_ARGUMENT.

    Args:
        server: The server.
        name: The service's full name.
        service: Has a coroutine method of each name.
        methods: The classes of request and answer by method; all methods are unary.
    """
    handlers = {
        method: grpc.unary_unary_rpc_method_handler(
            getattr(service, method),
            request_deserializer=_decoder(request),
            response_serializer=answer.SerializeToString,
        )
        for method, (request, answer) in methods.items()
    }
    generic = grpc.method_handlers_generic_handler(name, handlers)
    server.add_generic_rpc_handlers((generic,))


async def handled(
    handler: Callable[..., Awaitable[Any]], request: Any, *arguments: Any
) -> Any:
    """What a handler answers to a request; whatever it raises is a `ServingError`.

    Raises:
        ServingError: The handler's own, or `Internal` for a defect.
    """
    if isinstance(request, Undecodable):
        raise InvalidArgument("the request's bytes are no message of its method")
    try:
        return await handler(request, *arguments)
    except ServingError:
        raise
    except Exception as error:
        _LOG.exception("a request failed")
        raise Internal("internal error; see the server's log") from error


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
    await context.abort(code, _shortened(error.message))


def _shortened(message: str) -> str:
    """As much of a message as fits into a header."""
    size = 0
    for place, character in enumerate(message):
        plain = " " <= character <= "~" and character != "%"
        size += 1 if plain else 3 * len(character.encode(errors="replace"))
        if size > _MAX_MESSAGE_BYTES:
            return f"{message[:place]}…"
    return message


def _decoder(message_class: Any) -> Callable[[bytes], Any]:
    def decode(data: bytes) -> Any:
        try:
            return message_class.FromString(data)
        except DecodeError:
            return Undecodable()

    return decode
