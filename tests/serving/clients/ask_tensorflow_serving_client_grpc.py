"""tensorflow-serving-client-grpc, prebuilt stubs of TensorFlow Serving 2.3."""

import sys

import grpc
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)


def asking(request, signature=""):
    request.model_spec.name = "conformance"
    request.model_spec.signature_name = signature
    return request


def with_example(request):
    example = request.input.example_list.examples.add()
    example.features.feature["x"].float_list.value.append(1.5)
    return request


channel = grpc.insecure_channel(sys.argv[1])
predictions = prediction_service_pb2_grpc.PredictionServiceStub(channel)
models = model_service_pb2_grpc.ModelServiceStub(channel)

request = asking(predict_pb2.PredictRequest(), "several")
vector = {"dim": [{"size": 1}]}
request.inputs["a"].CopyFrom(
    tensor_pb2.TensorProto(dtype=1, tensor_shape=vector, float_val=[1.5])
)
request.inputs["b"].CopyFrom(
    tensor_pb2.TensorProto(dtype=9, tensor_shape=vector, int64_val=[2])
)
outputs = predictions.Predict(request, 10).outputs
assert list(outputs["total"].float_val) == [23.5], outputs
assert list(outputs["double_b"].int64_val) == [4], outputs

request = asking(with_example(regression_pb2.RegressionRequest()), "regress")
values = [entry.value for entry in predictions.Regress(request, 10).result.regressions]
assert values == [21.5], values

request = asking(with_example(classification_pb2.ClassificationRequest()), "classify")
(answer,) = predictions.Classify(request, 10).result.classifications
pairs = [(entry.label, entry.score) for entry in answer.classes]
assert pairs == [("nobody", 21.5), ("other", -21.5)], pairs

status = models.GetModelStatus(asking(get_model_status_pb2.GetModelStatusRequest()), 10)
assert {entry.version for entry in status.model_version_status} == {1, 2}, status

request = asking(get_model_metadata_pb2.GetModelMetadataRequest())
request.metadata_field.append("signature_def")
signatures = get_model_metadata_pb2.SignatureDefMap()
metadata = predictions.GetModelMetadata(request, 10).metadata["signature_def"]
assert metadata.Unpack(signatures)
assert "several" in signatures.signature_def
print("Predict", outputs["total"].float_val, "Regress", values, "Classify", pairs)
