"""TensorFlow Serving's REST API over a predictor."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from tensorflow_serving.apis import get_model_metadata_pb2

from serving.protocol.errors import (
    DeadlineExceeded,
    Internal,
    InvalidArgument,
    ServingError,
)
from serving.protocol.messages import message_as_dict
from serving.server.metrics import ServingMetrics
from serving.server.models.model_store import ModelSpec
from serving.server.prediction.admission import Admission
from serving.server.prediction.classify_regress import CLASSIFY, REGRESS, infer
from serving.server.prediction.model_messages import (
    SIGNATURE_FIELD,
    model_metadata,
    model_status,
)
from serving.server.prediction.predictor import Predictor
from serving.server.request_log.request_log import AnsweredRequest, RequestLog
from serving.server.rest_api.examples import read_examples
from serving.server.rest_api.format import (
    is_by_row,
    read_inputs,
    write_outputs,
    write_results,
)
from serving.server.rest_api.request import JsonRequest, parse_request
from serving.server.settings.monitoring_config import MonitoringConfig

_LOG = logging.getLogger(__name__)
# As TensorFlow Serving's: the pattern ignores case, the words after : and / do not.
_MODEL = (
    r"/v1/models(?:/(?P<name>[^/:]+))?"
    r"(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
)
_PREDICTION_PATH = re.compile(
    _MODEL + r":(?P<verb>classify|regress|predict)", re.IGNORECASE
)
_MODEL_PATH = re.compile(_MODEL + r"(?:/(?P<part>metadata))?", re.IGNORECASE)
_MAX_VERSION = 2**63 - 1
_METHODS = {"classify": CLASSIFY, "regress": REGRESS}


class RestService:
    """Answers HTTP requests: the API under /v1/, and the page of metrics.

    Args:
        predictor: What answers.
        admission: How many predictions are answered at once.
        metrics: Where requests are counted, and what the page shows.
        monitoring: Whether and where the page is shown.
        timeout_s: Seconds for a request's body to arrive, after which it is answered by
            408, and again for its answer, after which that is 504.
        request_log: Where Predict requests are logged, if at all.
    """

    def __init__(
        self,
        predictor: Predictor,
        admission: Admission,
        metrics: ServingMetrics,
        monitoring: MonitoringConfig,
        timeout_s: float,
        request_log: RequestLog | None = None,
    ):
        self._predictor = predictor
        self._admission = admission
        self._metrics = metrics
        self._monitoring = monitoring
        self._timeout_s = timeout_s
        self._request_log = request_log

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answers a request; errors are `{"error": ...}` with their status."""
        path = request.rel_url.raw_path
        if self._monitoring.enabled and path == self._monitoring.path:
            return self._page(request.method)
        if not path.lower().startswith("/v1/"):
            return _error(404, f"nothing is served at {request.method} {path[:200]}")
        call = _Call(request.method, path)
        start = time.perf_counter()
        code = "CANCELLED"  # unless there is an answer first
        try:
            body = await self._answer(call, request)
            code = "OK"
            return _json(body)
        except ServingError as error:
            code = error.code
            return _error(error.http_status, error.message)
        except web.HTTPException as error:
            code = "INVALID_ARGUMENT"
            return _error(error.status, error.text or error.reason)
        except Exception:
            code = Internal.code
            _LOG.exception("a request failed: %s", request.method)
            return _error(Internal.http_status, "internal error; see the server's log")
        finally:
            seconds = time.perf_counter() - start
            self._metrics.record_request(call.model, call.verb, "REST", code, seconds)

    async def _answer(self, call: _Call, request: web.BaseRequest) -> bytes:
        if call.prediction is not None:
            with self._admission:
                body = await self._read(request)
                return await self._in_time(self._predict(call, call.prediction, body))
        if call.about is not None:
            answer = metadata if call.about["part"] == "metadata" else status
            return answer(self._predictor, call.about)
        raise InvalidArgument(f"Malformed request: {call.method} {call.path[:200]}")

    async def _predict(self, call: _Call, path: re.Match[str], body: bytes) -> bytes:
        request = await self._predictor.in_worker(parse_request, body)
        spec = _model_spec(path, request.signature)
        if call.verb == "predict":
            return await self._run(spec, request, len(body))
        inference = await infer(
            self._predictor,
            _METHODS[call.verb],
            spec,
            lambda: read_examples(request.fields),
            self._deadline(),
        )
        self._metrics.record_examples(spec.name, inference.batch)
        return await self._predictor.in_worker(write_results, inference.result)

    async def _run(
        self, spec: ModelSpec, request: JsonRequest, size_bytes: int
    ) -> bytes:
        lease = self._predictor.resolve(spec)
        specs = lease.signature.spec.inputs
        inputs = await self._predictor.in_worker(read_inputs, request.fields, specs)
        outputs = await self._predictor.predict(
            lease, inputs, deadline=self._deadline()
        )
        answer = await self._predictor.in_worker(
            write_outputs, outputs, is_by_row(request.fields)
        )
        if self._request_log is not None:
            answered = AnsweredRequest.of(lease, inputs)
            self._request_log.offer(answered, size_bytes)
        return answer

    async def _read(self, request: web.BaseRequest) -> bytes:
        announced = request.content_length or 0
        if announced > request.client_max_size:
            raise web.HTTPRequestEntityTooLarge(request.client_max_size, announced)
        try:
            return await asyncio.wait_for(request.read(), self._timeout_s)
        except asyncio.TimeoutError as error:
            raise web.HTTPRequestTimeout from error
        except web.RequestPayloadError as error:
            raise InvalidArgument(f"the body cannot be read: {error}") from error
        except ConnectionError as error:
            raise ServingError("the client hung up", "CANCELLED") from error

    async def _in_time(self, answer: Any) -> bytes:
        try:
            body: bytes = await asyncio.wait_for(answer, self._timeout_s)
        except asyncio.TimeoutError as error:
            raise DeadlineExceeded(
                f"no answer within {self._timeout_s:g} seconds"
            ) from error
        return body

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self._timeout_s

    def _page(self, method: str) -> web.Response:
        if method not in ("GET", "HEAD"):
            return _error(405, f"expected GET, received {method}")
        return web.Response(
            body=self._metrics.page(),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )


class _Call:
    """What a method and a path ask for.

    Attributes:
        prediction: The path of a prediction, or None.
        about: The path of a question about a model, or None.
        model: The model's name, as far as there is one.
        verb: `predict`, `classify`, `regress`, or nothing.
    """

    def __init__(self, method: str, path: str):
        self.method, self.path = method, path
        self.prediction = self.about = None
        if method == "POST":
            match = _PREDICTION_PATH.fullmatch(path)
            if match and match["name"] and match["verb"].islower():
                self.prediction = match
        elif method == "GET":
            self.about = _MODEL_PATH.fullmatch(path)
        found = self.prediction or self.about
        self.model = unquote(found["name"] or "") if found else ""
        self.verb: str = self.prediction["verb"] if self.prediction else ""


def metadata(predictor: Predictor, path: re.Match[str]) -> bytes:
    """Answers `GET /v1/models/NAME[/versions/N|/labels/L]/metadata`.

    Raises:
        NotFound: If the model or version is not served.
    """
    message = model_metadata(predictor.store, _model_spec(path))
    signatures = get_model_metadata_pb2.SignatureDefMap()
    message.metadata[SIGNATURE_FIELD].Unpack(signatures)
    answer = {
        "model_spec": message_as_dict(message.model_spec),
        "metadata": {SIGNATURE_FIELD: message_as_dict(signatures)},
    }
    return json.dumps(answer, indent=1).encode()


def status(predictor: Predictor, path: re.Match[str]) -> bytes:
    """Answers `GET /v1/models/NAME[/versions/N|/labels/L]`.

    Raises:
        NotFound: If the model or version is unknown.
    """
    message = model_status(predictor.store, _model_spec(path))
    return json.dumps(message_as_dict(message), indent=1).encode()


def _model_spec(path: re.Match[str], signature: str = "") -> ModelSpec:
    if not path["name"]:
        raise InvalidArgument("Missing model name in request.")
    version = int(path["version"]) if path["version"] else None
    if version is not None and version > _MAX_VERSION:
        raise InvalidArgument(
            f"Failed to convert version: {path['version'][:40]} to numeric."
        )
    label = unquote(path["label"]) if path["label"] else None
    return ModelSpec(unquote(path["name"]), version, label, signature)


def _error(code: int, message: str) -> web.Response:
    return _json(json.dumps({"error": message}).encode(), code)


def _json(body: bytes, code: int = 200) -> web.Response:
    return web.Response(body=body, status=code, content_type="application/json")
