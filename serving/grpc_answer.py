"""How the gRPC services read what a request asks for and answer with its errors."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from tensorflow_serving.apis import model_pb2

from serving.errors import Internal, InvalidArgument, ServingError
from serving.model_store import ModelSpec
from serving.prediction import Predictor

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
            return await handler(request, self._predictor)
        except ServingError as error:
            await abort(context, error)
        except Exception:
            _LOG.exception("a request failed in %s", handler.__name__)
            await abort(context, Internal("internal error; see the server's log"))


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


async def abort(context: Any, error: ServingError) -> None:
    """Ends a call with an error's code and message."""
    code = getattr(grpc.StatusCode, error.code, grpc.StatusCode.UNKNOWN)
    message = error.message
    if len(message) > _MAX_MESSAGE_CHARACTERS:
        message = f"{message[: _MAX_MESSAGE_CHARACTERS - 1]}…"
    await context.abort(code, message)
