"""Servers of both protocols that fail as told and count what they are asked."""

import json
import socket
import threading
from concurrent import futures
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import numpy as np
from google.protobuf import json_format

from serving.protocol import messages as wire_messages
from serving.protocol.tensor_proto import read_tensor, write_tensor
from serving.protocol.tensor_spec import TYPE_BY_NUMPY


class Script:
    """What a server does: the failures still to come, then a doubling model.

    Attributes:
        failures: Status codes to answer with, by name, one per call.
        calls: What was asked: "metadata", "status" or "predict".
        connections: Addresses that calls came from.
        dtype: numpy dtype of the model's input and output.
        specs: (version, label) that calls asked for.
    """

    def __init__(self, *failures):
        self.failures = list(failures)
        self.calls = []
        self.connections = set()
        self.dtype = "float32"
        self.specs = []

    def definitions(self):
        definitions = wire_messages.SignatureDefMap()
        signature = definitions.signature_def["doubled"]
        for side in (signature.inputs["x"], signature.outputs["y"]):
            side.dtype = TYPE_BY_NUMPY[np.dtype(self.dtype)].number
            side.tensor_shape.dim.add().size = -1
        return definitions


@contextmanager
def grpc_server(script, credentials=None):
    """Yields the port."""

    def answer(kind, respond):
        def handle(request, context):
            script.calls.append(kind)
            script.connections.add(context.peer())
            spec = request.model_spec
            script.specs.append((spec.version.value or None, spec.version_label))
            if script.failures:
                context.abort(getattr(grpc.StatusCode, script.failures.pop(0)), "told")
            return respond(request, context)

        return handle

    def metadata(request, context):
        response = wire_messages.GetModelMetadataResponse()
        response.model_spec.version.value = 1
        packed = script.definitions().SerializeToString()
        response.metadata["signature_def"].value = packed
        return response

    def predict(request, context):
        x = read_tensor("x", request.inputs["x"])
        if x.dtype != script.dtype:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"no {x.dtype}")
        response = wire_messages.PredictResponse()
        write_tensor(2 * x, response.outputs["y"])
        return response

    def status(request, context):
        return wire_messages.GetModelStatusResponse()

    methods = {
        wire_messages.PREDICT: (wire_messages.PredictRequest, "predict", predict),
        wire_messages.GET_MODEL_METADATA: (
            wire_messages.GetModelMetadataRequest,
            "metadata",
            metadata,
        ),
        wire_messages.GET_MODEL_STATUS: (
            wire_messages.GetModelStatusRequest,
            "status",
            status,
        ),
    }

    class Handler(grpc.GenericRpcHandler):
        def service(self, details):
            message, kind, respond = methods[details.method]
            return grpc.unary_unary_rpc_method_handler(
                answer(kind, respond),
                message.FromString,
                lambda response: response.SerializeToString(),
            )

    server = grpc.server(futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers([Handler()])
    if credentials is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


@contextmanager
def rest_server(script, context=None):
    """Yields the port. A failure CUT closes the connection without an answer."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            kind = "metadata" if self.path.endswith("/metadata") else "status"
            self._answer(kind)

        def do_POST(self):
            self._answer("predict")

        def _answer(self, kind):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            script.calls.append(kind)
            script.connections.add(self.client_address)
            script.specs.append(self.path)
            if script.failures:
                failure = script.failures.pop(0)
                if failure == "CUT":
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self._send(failure, {"error": "told"})
            elif kind == "predict":
                x = json.loads(body)["inputs"]["x"]
                if script.dtype.startswith("int") and any(v != int(v) for v in x):
                    self._send(400, {"error": "no float32"})
                else:
                    self._send(200, {"outputs": [2 * value for value in x]})
            elif kind == "metadata":
                definitions = json_format.MessageToDict(script.definitions())
                definitions = {"signature_def": definitions["signatureDef"]}
                self._send(
                    200,
                    {
                        "model_spec": {"version": "1"},
                        "metadata": {"signature_def": definitions},
                    },
                )
            else:
                self._send(200, {"model_version_status": []})

        def _send(self, status, answer):
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
