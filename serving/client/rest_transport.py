"""Asks a server over REST, without TensorFlow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import BadStatusLine
from typing import Any
from urllib.parse import quote

import urllib3
from google.protobuf import json_format

from serving.client.retries import Interrupted
from serving.client.tls import TlsFiles
from serving.client.transport import (
    ModelChoice,
    ModelMetadata,
    VersionStatus,
    version_statuses,
)
from serving.protocol import messages as wire_messages
from serving.protocol.errors import (
    DeadlineExceeded,
    Internal,
    Unavailable,
    error_of_http_status,
)
from serving.protocol.tensor_json import array_from_json, array_to_json
from serving.protocol.tensor_spec import (
    Array,
    SignatureSpec,
    signature_spec,
)

_CONNECTIONS = 16


class RestTransport:
    """Kept-alive connections to one model, one per thread that asks at the same time.

    Args:
        url: `http://host:port` or `https://host:port`.
        model: The model.
        tls: Files of an encrypted connection.

    Raises:
        ValueError: If `tls` is given for an `http://` URL, or one of its files is not
            what it should be.
        OSError: If one of its files cannot be read.
    """

    def __init__(self, url: str, model: ModelChoice, tls: TlsFiles | None = None):
        if tls is not None and not url.startswith("https://"):
            raise ValueError(f"TLS needs an https:// address. Received: {url}")
        place = f"/v1/models/{quote(model.name, safe='')}"
        if model.version is not None:
            place += f"/versions/{model.version}"
        elif model.label is not None:
            place += f"/labels/{quote(model.label, safe='')}"
        self._model_url = url.rstrip("/") + place
        options = {} if tls is None else _tls_options(tls)
        self._pool = urllib3.PoolManager(retries=False, maxsize=_CONNECTIONS, **options)

    def predict(
        self,
        signature: str,
        inputs: Mapping[str, Array],
        spec: SignatureSpec,
        timeout_s: float,
    ) -> dict[str, Array]:
        """Runs a signature on arrays that fit its specification."""
        columns = {name: _to_json(array) for name, array in inputs.items()}
        request = {"signature_name": signature, "inputs": columns}
        body = json.dumps(request).encode()
        answer = self._call("POST", ":predict", timeout_s, body)
        outputs = _member(answer, "outputs")
        if len(spec.outputs) == 1:
            outputs = dict.fromkeys(spec.outputs, outputs)
        return {
            name: array_from_json(_member(outputs, name), output)
            for name, output in spec.outputs.items()
        }

    def metadata(self, timeout_s: float) -> ModelMetadata:
        """The chosen version's signatures."""
        answer = self._call("GET", "/metadata", timeout_s)
        version = _member(_member(answer, "model_spec"), "version")
        definitions = _parsed(
            wire_messages.SignatureDefMap(),
            _member(_member(answer, "metadata"), "signature_def"),
        ).signature_def
        return ModelMetadata(
            int(version),
            {name: signature_spec(definitions[name]) for name in sorted(definitions)},
        )

    def status(self, timeout_s: float) -> list[VersionStatus]:
        """State of the chosen version, or of every version if none is chosen."""
        answer = self._call("GET", "", timeout_s)
        return version_statuses(_parsed(wire_messages.GetModelStatusResponse(), answer))

    def close(self) -> None:
        """Closes the connections."""
        self._pool.clear()

    def _call(
        self, method: str, path: str, timeout_s: float, body: bytes | None = None
    ) -> Any:
        try:
            response = self._pool.request(
                method,
                self._model_url + path,
                body=body,
                headers={"Content-Type": "application/json"},
                timeout=urllib3.Timeout(total=timeout_s),
            )
        except urllib3.exceptions.NewConnectionError as error:
            # Before the reason, it says at what address its object lies.
            reason = str(error).rpartition(">: ")[2]
            raise Unavailable(f"{self._model_url}: {reason}") from error
        except urllib3.exceptions.TimeoutError as error:
            raise DeadlineExceeded(f"{self._model_url}: {error}") from error
        except urllib3.exceptions.HTTPError as error:
            raise Interrupted(f"{self._model_url}: {_reason(error)}") from error
        answer = _decoded(response)
        if response.status != 200:
            message = answer.get("error") if isinstance(answer, dict) else None
            raise error_of_http_status(
                response.status, str(message or f"{self._model_url} gave no reason")
            )
        return answer


def _reason(error: urllib3.exceptions.HTTPError) -> str:
    cause = error.args[-1] if error.args else error
    if type(cause) is BadStatusLine:
        return "what answers is no HTTP server; is this the port of gRPC?"
    return str(cause)


def _tls_options(tls: TlsFiles) -> dict[str, Any]:
    tls.check()
    options: dict[str, Any] = {"cert_reqs": "CERT_REQUIRED"}
    if tls.ca is not None:
        options["ca_certs"] = str(tls.ca)
    if tls.certificate is not None:
        options["cert_file"], options["key_file"] = str(tls.certificate), str(tls.key)
    if tls.server_name is not None:
        options["server_hostname"] = options["assert_hostname"] = tls.server_name
    return options


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
