"""The described services are those of the official stubs and servicers."""

from types import SimpleNamespace

import pytest
from google.protobuf import descriptor_pool
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from serving.server.grpc_api import model_service, prediction_service


def described_methods(service_name):
    """Request and answer by path, as reflection would tell a client."""
    service = descriptor_pool.Default().FindServiceByName(service_name)
    return {
        f"/{service.full_name}/{method.name}": (method.input_type, method.output_type)
        for method in service.methods
    }


def official_methods(stub, add_servicer):
    """The same from the official code: answers by its stub, requests by its server."""
    answers, handlers = {}, []

    def unary_unary(path, response_deserializer, **_):
        answers[path] = response_deserializer.__self__.DESCRIPTOR

    stub(SimpleNamespace(unary_unary=unary_unary))
    server = SimpleNamespace(
        add_generic_rpc_handlers=handlers.extend,
        add_registered_method_handlers=lambda *_: None,
    )
    names = (path.rsplit("/", 1)[1] for path in answers)
    add_servicer(SimpleNamespace(**dict.fromkeys(names)), server)
    (handler,) = handlers
    requests = {
        path: handler.service(SimpleNamespace(method=path)).request_deserializer
        for path in answers
    }
    return {
        path: (requests[path].__self__.DESCRIPTOR, answer)
        for path, answer in answers.items()
    }


@pytest.mark.parametrize(
    ("ours", "stub", "add_servicer"),
    [
        (
            prediction_service,
            prediction_service_pb2_grpc.PredictionServiceStub,
            prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server,
        ),
        (
            model_service,
            model_service_pb2_grpc.ModelServiceStub,
            model_service_pb2_grpc.add_ModelServiceServicer_to_server,
        ),
    ],
)
def test_methods_are_the_official_ones(ours, stub, add_servicer):
    assert described_methods(ours.SERVICE) == official_methods(stub, add_servicer)
