"""gRPC health checking and reflection, asked by their official clients."""

import asyncio

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from serving.server.grpc_api.health import HealthService

pytestmark = pytest.mark.e2e

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICES = ["tensorflow.serving.PredictionService", "tensorflow.serving.ModelService"]


@pytest.fixture
def check(channel):
    stub = health_pb2_grpc.HealthStub(channel)

    def call(service=""):
        request = health_pb2.HealthCheckRequest(service=service)
        return stub.Check(request, timeout=30).status

    return call


@pytest.mark.parametrize("service", ["", *SERVICES])
def test_a_running_server_is_serving(check, service):
    assert check(service) == SERVING


def test_an_unknown_service(check):
    with pytest.raises(grpc.RpcError) as raised:
        check("nope")
    assert raised.value.code() is grpc.StatusCode.NOT_FOUND


def test_watching_begins_with_the_state(channel):
    stub = health_pb2_grpc.HealthStub(channel)
    states = stub.Watch(health_pb2.HealthCheckRequest(), timeout=30)
    assert next(states).status == SERVING
    states.cancel()


def test_it_follows_the_models_and_ends_with_the_server():
    ready = [False]

    async def states():
        service = HealthService(SERVICES, lambda: ready[0])
        await service.start()
        seen = [await state(service)]
        ready[0] = True
        seen.append(await state(service))
        await service.stop()
        seen.append(await state(service))
        return seen

    async def state(service):
        request = health_pb2.HealthCheckRequest(service=SERVICES[0])
        return (await service.Check(request, None)).status

    assert asyncio.run(states()) == [NOT_SERVING, SERVING, NOT_SERVING]


def test_reflection_describes_the_services(channel):
    database = ProtoReflectionDescriptorDatabase(channel)
    assert set(SERVICES) <= set(database.get_services())
    file = database.FindFileContainingSymbol("tensorflow.serving.PredictionService")
    methods = {method.name for method in file.service[0].method}
    assert methods == {
        "Classify",
        "Regress",
        "Predict",
        "MultiInference",
        "GetModelMetadata",
    }
