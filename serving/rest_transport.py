"""The client's way over REST, without TensorFlow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import numpy as np
import urllib3
from google.protobuf import json_format

from serving import wire_messages
from serving.errors import (
    DeadlineExceeded,
    Internal,
    Unavailable,
    error_of_http_status,
)
from serving.tensor_json import array_from_json, array_to_json
from serving.tensor_spec import Array, SignatureSpec, TensorSpec, signature_spec
from serving.transport import ModelMetadata, VersionStatus, version_statuses


class RestTransport:
    """Kept-alive connections to one model.

    Args:
        url: `http://host:port`.
        name: The model's name.
        timeout_s: Deadline of each request.
    """

    def __init__(self, url: str, name: str, timeout_s: float):
        self._model_url = f"{url.rstrip('/')}/v1/models/{quote(name, safe='')}"
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(total=timeout_s), retries=False
        )

    def predict(
        self, signature: str, inputs: Mapping[str, Array], spec: SignatureSpec
    ) -> dict[str, Array]:
        """Runs a signature on arrays that fit its specification."""
        columns = {name: _to_json(array) for name, array in inputs.items()}
        request = {"signature_name": signature, "inputs": columns}
        answer = self._call("POST", ":predict", json.dumps(request).encode())
        outputs = _member(answer, "outputs")
        if len(spec.outputs) == 1:
            outputs = dict.fromkeys(spec.outputs, outputs)
        return {
            name: _from_json(_member(outputs, name), output)
            for name, output in spec.outputs.items()
        }

    def metadata(self) -> ModelMetadata:
        """The newest version's signatures."""
        answer = self._call("GET", "/metadata")
        version = _member(_member(answer, "model_spec"), "version")
        definitions = _parsed(
            wire_messages.SignatureDefMap(),
            _member(_member(answer, "metadata"), "signature_def"),
        ).signature_def
        return ModelMetadata(
            int(version),
            {name: signature_spec(definitions[name]) for name in sorted(definitions)},
        )

    def status(self) -> list[VersionStatus]:
        """State of every version."""
        answer = self._call("GET", "")
        return version_statuses(_parsed(wire_messages.GetModelStatusResponse(), answer))

    def close(self) -> None:
        """Closes the connections."""
        self._pool.clear()

    def _call(self, method: str, path: str, body: bytes | None = None) -> Any:
        try:
            response = self._pool.request(
                method,
                self._model_url + path,
                body=body,
                headers={"Content-Type": "application/json"},
            )
        except urllib3.exceptions.NewConnectionError as error:
            raise Unavailable(f"{self._model_url}: {error}") from error
        except urllib3.exceptions.TimeoutError as error:
            raise DeadlineExceeded(f"{self._model_url}: {error}") from error
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(f"{self._model_url}: {error}") from error
        answer = _decoded(response)
        if response.status != 200:
            message = answer.get("error") if isinstance(answer, dict) else None
            raise error_of_http_status(
                response.status, str(message or f"{self._model_url} gave no reason")
            )
        return answer


def _decoded(response: Any) -> Any:
    try:
        return json.loads(response.data)
    except ValueError as error:
        if response.status != 200:
            return {"error": response.data[:200].decode(errors="replace")}
        raise Internal(f"the server's answer is not JSON: {error}") from error


def _member(answer: Any, key: str) -> Any:
    if not isinstance(answer, dict) or key not in answer:
        raise Internal(f"the server's answer has no {key!r}")
    return answer[key]


def _parsed(message: Any, value: Any) -> Any:
    try:
        return json_format.ParseDict(value, message, ignore_unknown_fields=True)
    except json_format.ParseError as error:
        raise Internal(f"cannot read the server's answer: {error}") from error


def _to_json(array: Array) -> Any:
    return array_to_json(array, as_bytes=False)


def _from_json(value: Any, spec: TensorSpec) -> Array:
    array = array_from_json(value, spec)
    # JSON says of an array without elements only how its first dimensions are.
    if array.size == 0 and spec.shape is not None:
        missing = spec.shape[array.ndim :]
        return np.empty(
            [*array.shape, *(length or 0 for length in missing)], array.dtype
        )
    return array
