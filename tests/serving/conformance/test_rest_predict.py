"""REST predict: g3doc/api_rest.md and util/json_tensor.cc."""

import base64
import json
import math

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.official import OFFSET, float32, predict_request
from tests.helpers.write_model import LABELS, OFFSETS

MODEL = "conformance:predict"


def b64(value: bytes) -> dict:
    return {"b64": base64.b64encode(value).decode()}


def echo(**inputs) -> dict:
    values = {
        "text": ["a"],
        "flag": [True],
        "int32": [1],
        "int64": [1],
        "float32": [1.0],
        "float64": [1.0],
    }
    return {"signature_name": "echo", "inputs": values | inputs}


def test_rows_of_one_input(rest):
    answer = rest.post(MODEL, {"instances": [[1, 2], [0.5, -3]]})
    assert answer == (200, {"predictions": [[22.0, 24.0], [21.0, 14.0]]})


def test_named_rows_of_one_input(rest):
    answer = rest.post(MODEL, {"instances": [{"x": [1, 2]}, {"x": [0, 0]}]})
    assert answer == (200, {"predictions": [[22.0, 24.0], [20.0, 20.0]]})


def test_a_column_of_one_input(rest):
    for inputs in ([[1, 2]], {"x": [[1, 2]]}):
        answer = rest.post(MODEL, {"inputs": inputs})
        assert answer == (200, {"outputs": [[22.0, 24.0]]})


def test_rows_and_columns_of_several(rest):
    rows = [{"a": 1.5, "b": 2}, {"a": -1, "b": 3}]
    answer = rest.post(MODEL, {"signature_name": "several", "instances": rows})
    assert answer == (
        200,
        {
            "predictions": [
                {"total": 3.5 + OFFSET, "double_b": 4},
                {"total": 2 + OFFSET, "double_b": 6},
            ]
        },
    )
    columns = {"a": [1.5, -1], "b": [2, 3]}
    answer = rest.post(MODEL, {"signature_name": "several", "inputs": columns})
    outputs = {"total": [3.5 + OFFSET, 2 + OFFSET], "double_b": [4, 6]}
    assert answer == (200, {"outputs": outputs})


def test_a_scalar(rest):
    answer = rest.post(MODEL, {"signature_name": "scalar", "inputs": 2.5})
    assert answer == (200, {"outputs": 2.5 + OFFSET})


def test_columns_of_different_lengths(rest):
    request = {"signature_name": "total", "inputs": [1, 2, 3]}
    answer = rest.post(MODEL, request)
    assert answer == (200, {"outputs": {"total": [6.0], "x_out": [1.0, 2.0, 3.0]}})


def test_a_column_that_the_signature_lacks_is_ignored(rest):
    # FillTensorMapFromInputsMap looks up the signature's names only.
    answer = rest.post(MODEL, {"inputs": {"x": [[1, 2]], "ignored": "?"}})
    assert answer == (200, {"outputs": [[22.0, 24.0]]})


@pytest.mark.parametrize("version", OFFSETS)
def test_a_version_by_number(rest, version):
    path = f"conformance/versions/{version}:predict"
    answer = rest.post(path, {"signature_name": "scalar", "inputs": 1})
    assert answer == (200, {"outputs": 1 + OFFSETS[version]})


@pytest.mark.parametrize(("label", "version"), LABELS.items())
def test_a_version_by_label(rest, label, version):
    path = f"conformance/labels/{label}:predict"
    answer = rest.post(path, {"signature_name": "scalar", "inputs": 1})
    assert answer == (200, {"outputs": 1 + OFFSETS[version]})


def test_base64(rest):
    status, answer = rest.post(
        MODEL,
        echo(
            text=["é", b64(b"a\xc3\xa9")],
            flag=[True, False],
            int32=[1, 2],
            int64=[1, 2],
            float32=[1, 2],
            float64=[1, 2],
        ),
    )
    assert status == 200
    # Outputs whose name ends in _bytes are binary.
    assert answer["outputs"]["text_bytes"] == [b64("é".encode()), b64(b"a\xc3\xa9")]
    assert answer["outputs"]["text_out"] == ["é", "aé"]


def test_every_type_comes_back(rest):
    values = {
        "text": ["", "ü"],
        "flag": [True, False],
        "int32": [-(2**31), 2**31 - 1],
        "int64": [-(2**63), 2**63 - 1],
        "float32": [0.2, 16777215],
        "float64": [0.1, 1e300],
    }
    status, answer = rest.post(MODEL, echo(**values))
    assert status == 200
    outputs = answer["outputs"]
    for name in ("text", "flag", "int32", "int64", "float64"):
        assert outputs[f"{name}_out"] == values[name]
    # As many digits as it takes to tell the float32.
    assert (
        np.float32(outputs["float32_out"]).tolist()
        == np.float32(values["float32"]).tolist()
    )


def test_whole_floats_are_written_as_floats(rest):
    # WriteDecimal adds .0, so that a list does not mix types.
    _, _, text = rest.raw("POST", f"/v1/models/{MODEL}", {"instances": [[1, 2]]})
    (row,) = json.loads(text)["predictions"]
    assert [type(value) for value in row] == [float, float]


def test_nan_and_infinity(rest):
    status, answer = rest.post(MODEL, b'{"inputs": [[NaN, -Infinity]]}')
    assert status == 200
    assert math.isnan(answer["outputs"][0][0])
    assert answer["outputs"][0][1] == -math.inf


def test_the_answer_is_json(rest):
    _, headers, _ = rest.raw("POST", f"/v1/models/{MODEL}", {"instances": [[1, 2]]})
    assert headers.get_content_type() == "application/json"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b"[]",
        b"null",
        b'{"inputs": 1e999}',
        {},
        {"inputs": [[1, 2]], "instances": [[1, 2]]},
        {"instances": []},
        {"instances": {}},
        {"instances": 1},
        {"signature_name": 3, "instances": [[1, 2]]},
        {"signature_name": "nope", "instances": [[1, 2]]},
        {"instances": [[1, "a"]]},
        {"instances": [[1, True]]},
        {"instances": [[1, None]]},
        {"instances": [[1, {"b64": "AA=="}]]},
        {"instances": [[1, 2], [3]]},
        {"instances": [[1, 2], 3]},
        {"instances": [[1, 2], {"x": [1, 2]}]},
        {"instances": [{"x": [1, 2]}, [1, 2]]},
        {"instances": [{"x": [1, 2], "z": 1}]},
        {"instances": [{"z": [1, 2]}]},
        {"inputs": [[1, 2], [3]]},
        {"inputs": [[1, 2], 3]},
        {"inputs": {}},
        {"inputs": {"z": [[1, 2]]}},
        {"inputs": [[1, 16777217]]},
        {"inputs": [[1, 3.5e38]]},
        {"signature_name": "several", "inputs": [1]},
        {"signature_name": "several", "instances": [1]},
        {"signature_name": "several", "instances": [{"a": 1}]},
        {"signature_name": "total", "instances": [1, 2]},
        echo(int32=[1.0]),
        echo(int32=["1"]),
        echo(int32=[2**31]),
        echo(int64=[2**63]),
        echo(flag=[1]),
        echo(flag=["true"]),
        echo(text=[1]),
        echo(text=[{"b64": "%%%"}]),
        echo(text=[{"b64": 1}]),
    ],
)
def test_a_body_that_is_refused(rest, body):
    assert rest.refused(MODEL, body) == 400


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("nope:predict", 404),
        ("conformance/versions/9:predict", 404),
        ("conformance/versions/99999999999999999999:predict", 400),
        ("conformance/labels/nope:predict", 400),
        ("conformance/versions/x:predict", 400),
        ("conformance:explain", 400),
        # The pattern ignores case, the verb does not: http_rest_api_handler.cc.
        ("conformance:PREDICT", 400),
        ("conformance", 400),
        ("conformance/metadata:predict", 400),
        (":predict", 400),
    ],
)
def test_a_path_that_is_refused(rest, path, status):
    assert rest.refused(path, {"instances": [[1, 2]]}) == status


def test_an_unknown_model_is_told_before_a_wrong_tensor(rest):
    # FillPredictRequestFromJson asks for the signature before it reads `instances`.
    assert rest.refused("nope:predict", {"instances": 1}) == 404


def test_json_and_grpc_agree(rest, predictions):
    inputs = float32([0.1, 1e-7], [123456.79, -3.3])
    _, answer = rest.post(MODEL, {"inputs": inputs.tolist()})
    response = predictions.Predict(predict_request("", {"x": inputs}))
    expected = tf.make_ndarray(response.outputs["y"])
    np.testing.assert_array_equal(np.float32(answer["outputs"]), expected)
