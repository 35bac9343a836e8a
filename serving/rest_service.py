"""TensorFlow Serving's REST API over a predictor."""

from __future__ import annotations

import json
import logging
import re
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2

from serving.errors import Internal, InvalidArgument, ServingError, Unimplemented
from serving.model_messages import SIGNATURE_FIELD, model_metadata, model_status
from serving.model_store import ModelSpec
from serving.prediction import Predictor
from serving.rest_format import parse_body, read_inputs, write_outputs

_LOG = logging.getLogger(__name__)
_MODEL = (
    r"/v1/models/(?P<name>[^/:]+)"
    r"(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
)
_PREDICTION_PATH = re.compile(
    _MODEL + r":(?P<verb>classify|regress|predict)", re.IGNORECASE
)
_MODEL_PATH = re.compile(_MODEL + r"(?P<metadata>/metadata)?", re.IGNORECASE)
_MAX_VERSION = 2**63 - 1


def rest_application(predictor: Predictor, max_request_bytes: int) -> web.Application:
    """The REST API as an aiohttp application.

    Args:
        predictor: What runs the requests.
        max_request_bytes: Larger bodies are answered by 413.
    """
    application = web.Application(
        client_max_size=max_request_bytes, middlewares=[_errors_as_json]
    )
    service = _RestService(predictor)
    application.router.add_route("*", "/{path:.*}", service.handle)
    return application


class _RestService:
    def __init__(self, predictor: Predictor):
        self._predictor = predictor

    async def handle(self, request: web.Request) -> web.Response:
        # One route for all, as in TensorFlow Serving: what matches no path of the API
        # is a malformed request (400); only paths outside /v1/ are not found (404).
        path = request.rel_url.raw_path
        if not path.lower().startswith("/v1/"):
            raise web.HTTPNotFound
        body = await request.read()
        if request.method == "POST" and (match := _PREDICTION_PATH.fullmatch(path)):
            return _json(await predict(self._predictor, match, body))
        if request.method == "GET" and (match := _MODEL_PATH.fullmatch(path)):
            about = metadata if match["metadata"] else status
            return _json(about(self._predictor, match))
        raise InvalidArgument(f"Malformed request: {request.method} {path}")


async def predict(predictor: Predictor, path: re.Match[str], body: bytes) -> bytes:
    """Answers `POST /v1/models/NAME[/versions/N]:predict`.

    Raises:
        ServingError: As `Predictor.resolve` and `Predictor.predict`, or
            `InvalidArgument` for a body that is no predict request.
    """
    if path["verb"].lower() != "predict":
        raise Unimplemented(f"{path['verb']} is not offered; use predict")
    request = await predictor.in_worker(parse_body, body)
    target = predictor.resolve(_model_spec(path, request.signature))
    specs = target.signature.spec.inputs
    inputs = await predictor.in_worker(read_inputs, request, specs)
    prediction = await predictor.predict(target, inputs)
    return await predictor.in_worker(write_outputs, prediction.outputs, request.by_row)


def metadata(predictor: Predictor, path: re.Match[str]) -> bytes:
    """Answers `GET /v1/models/NAME[/versions/N]/metadata`.

    Raises:
        NotFound: If the model or version is not served.
    """
    message = model_metadata(predictor.store, _model_spec(path))
    signatures = get_model_metadata_pb2.SignatureDefMap()
    message.metadata[SIGNATURE_FIELD].Unpack(signatures)
    answer = {
        "model_spec": _message(message.model_spec),
        "metadata": {SIGNATURE_FIELD: _message(signatures)},
    }
    return json.dumps(answer, indent=1).encode()


def status(predictor: Predictor, path: re.Match[str]) -> bytes:
    """Answers `GET /v1/models/NAME[/versions/N]`.

    Raises:
        NotFound: If the model or version is unknown.
    """
    message = model_status(predictor.store, _model_spec(path))
    return json.dumps(_message(message), indent=1).encode()


def _model_spec(path: re.Match[str], signature: str = "") -> ModelSpec:
    version = int(path["version"]) if path["version"] else None
    if version is not None and version > _MAX_VERSION:
        raise InvalidArgument(
            f"Failed to convert version: {path['version']} to numeric."
        )
    label = unquote(path["label"]) if path["label"] else None
    return ModelSpec(unquote(path["name"]), version, label, signature)


def _message(message: Any) -> dict[str, Any]:
    return json_format.MessageToDict(
        message,
        including_default_value_fields=True,  # type: ignore[call-arg] # protobuf < 5
        preserving_proto_field_name=True,
    )


@web.middleware
async def _errors_as_json(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        response: web.StreamResponse = await handler(request)
        return response
    except ServingError as error:
        return _error(error.http_status, error.message)
    except web.HTTPException as error:
        return _error(error.status, error.text or error.reason)
    except Exception:
        _LOG.exception("a request failed: %s", request.method)
        return _error(Internal.http_status, "internal error; see the server's log")


def _error(code: int, message: str) -> web.Response:
    return _json(json.dumps({"error": message}).encode(), code)


def _json(body: bytes, code: int = 200) -> web.Response:
    return web.Response(body=body, status=code, content_type="application/json")
