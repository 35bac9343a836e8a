"""grpc-requests, which knows no service but by reflection."""

import sys

from grpc_requests import Client

client = Client.get_by_endpoint(sys.argv[1])
spec = {"name": "conformance"}
health = client.request("grpc.health.v1.Health", "Check", {"service": ""})
assert health == {"status": "SERVING"}, health
status = client.request(
    "tensorflow.serving.ModelService", "GetModelStatus", {"model_spec": spec}
)
states = {entry["version"]: entry["state"] for entry in status["model_version_status"]}
assert states == {"1": "AVAILABLE", "2": "AVAILABLE"}, states
answer = client.request(
    "tensorflow.serving.PredictionService",
    "Predict",
    {
        "model_spec": spec | {"signature_name": "scalar"},
        "inputs": {"x": {"dtype": "DT_FLOAT", "float_val": [1.5], "tensor_shape": {}}},
    },
)
assert answer["outputs"]["y"]["float_val"] == [21.5], answer
print(sorted(client.service_names), health, answer["outputs"]["y"]["float_val"])
