"""The registered methods are the official services'."""

import pytest
from tensorflow_serving.apis import model_service_pb2, prediction_service_pb2

from serving.server.grpc_api import model_service, prediction_service


@pytest.mark.parametrize(
    ("ours", "official"),
    [
        (prediction_service, prediction_service_pb2),
        (model_service, model_service_pb2),
    ],
)
def test_methods_are_the_official_ones(ours, official):
    name = ours.SERVICE.removeprefix("tensorflow.serving.")
    service = official.DESCRIPTOR.services_by_name[name]
    assert service.full_name == ours.SERVICE
    assert {
        name: (request.DESCRIPTOR, answer.DESCRIPTOR)
        for name, (request, answer) in ours._METHODS.items()
    } == {
        method.name: (method.input_type, method.output_type)
        for method in service.methods
    }
