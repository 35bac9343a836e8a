"""PredictionService.Predict. Codes: servables/tensorflow/predict_util.cc."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import predict_pb2

from tests.helpers.official import OFFSET, float32, predict_request
from tests.helpers.write_model import LABELS, NAME, OFFSETS

X = float32([1, 2], [3, 4])


def test_the_answer_names_what_gave_it(predictions):
    response = predictions.Predict(predict_request("", {"x": X}))
    assert response.model_spec.name == NAME
    assert response.model_spec.version.value == max(OFFSETS)
    assert response.model_spec.signature_name == "serving_default"
    np.testing.assert_array_equal(
        tf.make_ndarray(response.outputs["y"]), 2 * X + OFFSET
    )


def test_values_are_answered_in_typed_fields(predictions):
    # PostProcessPredictionResult: kAsProtoField.
    output = predictions.Predict(predict_request("", {"x": X})).outputs["y"]
    assert output.dtype == tf.float32.as_datatype_enum
    assert [dimension.size for dimension in output.tensor_shape.dim] == [2, 2]
    assert list(output.float_val) == [22, 24, 26, 28]
    assert not output.tensor_content


@pytest.mark.parametrize("version", OFFSETS)
def test_a_version_by_number(predictions, version):
    request = predict_request("scalar", {"x": np.float32(1)}, version=version)
    response = predictions.Predict(request)
    assert response.model_spec.version.value == version
    assert list(response.outputs["y"].float_val) == [1 + OFFSETS[version]]


@pytest.mark.parametrize(("label", "version"), LABELS.items())
def test_a_version_by_label(predictions, label, version):
    request = predict_request("scalar", {"x": np.float32(1)}, label=label)
    response = predictions.Predict(request)
    assert response.model_spec.version.value == version
    assert list(response.outputs["y"].float_val) == [1 + OFFSETS[version]]


def test_every_type_comes_back(predictions):
    inputs = {
        "text": np.array([b"\xff\x00", b""], object),
        "flag": np.array([True, False]),
        "int32": np.int32([-(2**31), 2**31 - 1]),
        "int64": np.int64([-(2**63), 2**63 - 1]),
        "float32": float32(np.nan, -np.inf),
        "float64": np.float64([1e300, 5e-324]),
    }
    outputs = predictions.Predict(predict_request("echo", inputs)).outputs
    assert set(outputs) == {f"{name}_out" for name in inputs} | {"text_bytes"}
    for name, value in inputs.items():
        np.testing.assert_array_equal(tf.make_ndarray(outputs[f"{name}_out"]), value)


def test_inputs_by_typed_fields_and_by_content(predictions):
    shape = {"dim": [{"size": 2}, {"size": 2}]}
    request = predict_request()
    for proto in (
        tensor_pb2.TensorProto(dtype=1, tensor_shape=shape, float_val=[1, 2, 3, 4]),
        tensor_pb2.TensorProto(dtype=1, tensor_shape=shape, tensor_content=X.tobytes()),
    ):
        request.inputs["x"].CopyFrom(proto)
        output = predictions.Predict(request).outputs["y"]
        assert list(output.float_val) == [22, 24, 26, 28]


@pytest.mark.parametrize(
    ("values", "filled"), [([], [0] * 4), ([7], [7] * 4), ([7, 8], [7, 8, 8, 8])]
)
def test_a_short_list_is_filled_up_with_its_last_value(predictions, values, filled):
    # tensorflow/core/framework/tensor.proto says so.
    request = predict_request()
    request.inputs["x"].CopyFrom(
        tensor_pb2.TensorProto(
            dtype=1,
            tensor_shape={"dim": [{"size": 2}, {"size": 2}]},
            float_val=values,
        )
    )
    output = tf.make_ndarray(predictions.Predict(request).outputs["y"])
    assert output.ravel().tolist() == [2 * value + OFFSET for value in filled]


def test_output_filter(predictions):
    request = predict_request("several", {"a": float32(1), "b": np.int64([2])})
    request.output_filter.append("double_b")
    assert set(predictions.Predict(request).outputs) == {"double_b"}


def test_output_filter_errors(predictions):
    for names, words in [(["nope"], "nope"), (["y", "y"], "duplicate")]:
        request = predict_request("", {"x": X})
        request.output_filter.extend(names)
        code, message = predictions.refused("Predict", request)
        assert code == "INVALID_ARGUMENT"
        assert words in message


def test_a_missing_model_spec(predictions):
    assert predictions.refused("Predict", predict_pb2.PredictRequest()) == (
        "INVALID_ARGUMENT",
        "Missing ModelSpec",
    )


@pytest.mark.parametrize(
    ("signature", "inputs", "spec", "code"),
    [
        ("", {"x": X}, {"name": "nope"}, "NOT_FOUND"),
        ("", {"x": X}, {"name": ""}, "INVALID_ARGUMENT"),
        ("", {"x": X}, {"version": 9}, "NOT_FOUND"),
        ("", {"x": X}, {"label": "nope"}, "INVALID_ARGUMENT"),
        ("nope", {"x": X}, {}, "FAILED_PRECONDITION"),
        ("", {}, {}, "INVALID_ARGUMENT"),
        ("", {"x": X, "z": X}, {}, "INVALID_ARGUMENT"),
        ("", {"z": X}, {}, "INVALID_ARGUMENT"),
        ("several", {"a": float32(1)}, {}, "INVALID_ARGUMENT"),
        ("", {"x": X.astype(np.int64)}, {}, "INVALID_ARGUMENT"),
        ("", {"x": np.array([[b"a", b"b"]], object)}, {}, "INVALID_ARGUMENT"),
        ("regress", {"inputs": np.array([b"junk"], object)}, {}, "INVALID_ARGUMENT"),
    ],
)
def test_what_is_refused(predictions, signature, inputs, spec, code):
    request = predict_request(signature, inputs, **spec)
    received, message = predictions.refused("Predict", request)
    assert received == code, message


@pytest.mark.parametrize(
    "proto",
    [
        tensor_pb2.TensorProto(),
        tensor_pb2.TensorProto(dtype=1, tensor_content=b"123"),
        tensor_pb2.TensorProto(dtype=1, tensor_shape={"unknown_rank": True}),
        tensor_pb2.TensorProto(dtype=1, tensor_shape={"dim": [{"size": -1}]}),
    ],
)
def test_a_malformed_tensor(predictions, proto):
    # "tensor parsing error": Tensor::FromProto gives up.
    request = predict_request()
    request.inputs["x"].CopyFrom(proto)
    assert predictions.refused("Predict", request)[0] == "INVALID_ARGUMENT"
