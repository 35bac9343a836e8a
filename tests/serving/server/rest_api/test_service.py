"""The REST API, asked with plain HTTP."""

import base64
import gzip
import json

import numpy as np
import pytest

from tests.helpers.toy_model import CANDIDATES, USER, example

RANK = USER | CANDIDATES


def b64(value: bytes) -> dict:
    return {"b64": base64.b64encode(value).decode()}


def doubled(x) -> dict:
    return {"signature_name": "doubled", "inputs": x}


def echo(**inputs) -> dict:
    values = {"text": ["a"], "number": [1.0], "count": [1], "flag": [True]} | inputs
    return {"signature_name": "echo", "inputs": values}


def test_columns_equal_the_model_in_process(rest, in_process):
    status, answer = rest.predict({"signature_name": "rank", "inputs": RANK})
    assert status == 200
    expected = in_process("rank", RANK)
    outputs = answer["outputs"]
    np.testing.assert_array_equal(np.float32(outputs["scores"]), expected["scores"])
    np.testing.assert_array_equal(np.float32(outputs["fused"]), expected["fused"])
    assert outputs["tasks"] == ["long_view", "like"]


def test_named_rows_equal_columns(rest, in_process):
    rows = [
        {
            "user_id": "u1",
            "avc": 12,
            "history_video_ids": ["v7", "v2"],
            "history_gap_ms": [5, 5000],
            "video_id": video,
            "video_tags": ["music"],
            "video_age_hours": age,
        }
        for video, age in [("v1", 1.5), ("v2", 3)]
    ]
    status, answer = rest.predict({"signature_name": "predict_raw", "instances": rows})
    assert status == 200
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    expected = in_process("predict_raw", columns)
    for task, values in expected.items():
        assert [np.float32(row[task]) for row in answer["predictions"]] == list(values)


def test_base64_in_and_out(rest):
    serialized = [example("u", "video", 7), example("u", "v", 14)]
    status, answer = rest.predict({"instances": [b64(value) for value in serialized]})
    assert (status, answer) == (200, {"predictions": [6.0, 3.0]})
    named = {"instances": [{"examples": b64(value)} for value in serialized]}
    assert rest.predict(named) == (200, {"predictions": [6.0, 3.0]})
    status, answer = rest.predict(
        echo(
            text=["é", b64(b"\xff\x00")],
            number=[1, 2],
            count=[1, 2],
            flag=[True, False],
        )
    )
    assert status == 200
    assert answer["outputs"]["text_out"] == ["é", b64(b"\xff\x00")]
    assert answer["outputs"]["text_bytes"] == [b64("é".encode()), b64(b"\xff\x00")]


def test_numbers_keep_their_shortest_form(rest):
    numbers = [0.2, 1e-30, 16777215, 3.4e38]
    status, answer = rest.predict(
        echo(number=numbers, text=[""] * 4, count=[0] * 4, flag=[True] * 4)
    )
    assert status == 200
    assert answer["outputs"]["number_out"] == numbers


def test_no_rows_by_column(rest):
    no_candidates = {name: [] for name in CANDIDATES} | {"video_tags": []}
    status, answer = rest.predict(
        {"signature_name": "rank", "inputs": USER | no_candidates}
    )
    # An empty list tells one dimension of two; the signature tells the other.
    assert status == 200
    outputs = {"scores": [], "fused": [], "tasks": ["long_view", "like"]}
    assert answer == {"outputs": outputs}


def test_gzipped_body(rest):
    body = gzip.compress(json.dumps(doubled([[1, 2]])).encode())
    answer = rest.call(
        "POST", "/v1/models/ranker:predict", body, **{"Content-Encoding": "gzip"}
    )
    assert answer == (200, {"outputs": [[3.0, 5.0]]})


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (b"", ["JSON Parse error", "empty"]),
        (b"{", ["JSON Parse error"]),
        (b"\xff\xfe", ["JSON Parse error"]),
        (b"[" * 100_000, ["JSON Parse error"]),
        (b'{"inputs": 1e999}', ["too big"]),
        (b'{"inputs": ' + b"9" * 5000 + b"}", []),
        (b"[]", ["not object"]),
        (b"null", ["not object"]),
        ({}, ["Missing 'inputs' or 'instances'"]),
        ({"inputs": [], "instances": []}, ["only one of"]),
        ({"instances": []}, ["No values"]),
        ({"instances": {}}, ["list"]),
        ({"signature_name": 3, "instances": [1]}, ["signature_name"]),
        ({"signature_name": "nope", "instances": [1]}, ["nope"]),
        (doubled([[1, "a"]]), ["'x'", "float32", "'a'"]),
        (doubled([[1, True]]), ["'x'", "float32", "true"]),
        (doubled([[1, None]]), ["'x'", "float32", "null"]),
        (doubled([[1, {"b64": "AA=="}]]), ["'x'", "an object"]),
        (doubled([[1, 2], [3]]), ["'x'", "equal length"]),
        (doubled([[1, 2], 3]), ["'x'", "equal length"]),
        (doubled([1, [2]]), ["'x'", "a list"]),
        (doubled([1, 2]), ["'x'", "float32 [?, 2]", "[2]"]),
        (doubled([[1, 2, 3]]), ["'x'", "[1, 3]"]),
        (doubled([[1, 16777217]]), ["'x'", "loss of precision"]),
        (doubled([[1, 3.5e38]]), ["'x'", "loss of precision"]),
        (doubled([[1, 10**400]]), ["'x'", "loss of precision"]),
        (doubled({}), ["Missing named input: x"]),
        (echo(count=[1.0]), ["'count'", "int32", "1.0"]),
        (echo(count=[2**31]), ["'count'", "range"]),
        (echo(count=[-(10**300)]), ["'count'", "range"]),
        (echo(count=["1"]), ["'count'", "int32", "'1'"]),
        (echo(flag=[1]), ["'flag'", "bool", "1"]),
        (echo(text=[1]), ["'text'", "string", "1"]),
        (echo(text=[{"b64": "%%%"}]), ["'text'", "base64"]),
        (echo(text=[{"b64": 1}]), ["'text'", "b64"]),
        (b'{"signature_name":"echo","inputs":{"text":["\\ud800"],"number":[1],'
         b'"count":[1],"flag":[true]}}', ["'text'", "Unicode"]),
        ({"signature_name": "rank", "inputs": [1]}, ["plain value", "avc"]),
        ({"signature_name": "rank", "instances": [1]}, ["plain list", "avc"]),
        ({"signature_name": "rank", "instances": [{"avc": 1}]}, ["element: 0"]),
        ({"signature_name": "doubled", "instances": [{"x": [1, 2]}, 3]}, ["item 1"]),
        ({"signature_name": "doubled", "instances": [{"x": [1, 2], "z": 1}]}, ["{z}"]),
        ({"instances": [b64(b"junk")]}, ["could not be found"]),
    ],
)  # fmt: skip
def test_wrong_bodies(rest, request_, words):
    status, answer = rest.predict(request_)
    assert status == 400, answer
    assert list(answer) == ["error"]
    for word in words:
        assert word in answer["error"]


def test_outputs_without_a_common_batch_cannot_come_by_row(rest):
    rows = [{name: value[0] for name, value in RANK.items()}]
    status, answer = rest.predict({"signature_name": "rank", "instances": rows})
    assert status == 400
    assert "inconsistent batch size" in answer["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/models/a%0Ab", 404),
        ("GET", "/v1/models/nope", 404),
        ("GET", "/v1/models/nope/metadata", 404),
        ("GET", "/v1/models/ranker/versions/9", 404),
        ("GET", "/v1/models/ranker/versions/9/metadata", 404),
        ("GET", "/v1/models/ranker/versions/99999999999999999999", 400),
        ("GET", "/v1/models/ranker/versions/x", 400),
        ("GET", "/v1/models/ranker/labels/stable/metadata", 400),
        ("GET", "/v1/models/ranker:predict", 400),
        ("GET", "/v1/models/", 400),
        ("GET", "/v1/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd", 404),
        ("GET", "/v1/models/../../etc/passwd", 400),
        ("GET", "/etc/passwd", 404),
        ("GET", "/", 404),
        ("PUT", "/v1/models/ranker:predict", 400),
        ("DELETE", "/v1/models/ranker", 400),
        ("POST", "/v1/models/ranker", 400),
        ("POST", "/v1/models/ranker:explain", 400),
        ("POST", "/v1/models/nope:predict", 404),
        ("POST", "/v1/models/ranker/versions/9:predict", 404),
        ("POST", "/v1/models/ranker/labels/stable:predict", 400),
        ("POST", "/v1/models/ranker:classify", 400),
        ("POST", "/v1/models/ranker:regress", 400),
    ],
)
def test_wrong_paths(rest, method, path, status):
    body = json.dumps(doubled([[1, 2]])).encode() if method != "GET" else None
    received, answer = rest.call(method, path, body)
    assert received == status, answer
    assert list(answer) == ["error"]


def test_a_body_above_the_limit(rest):
    status, answer = rest.predict(doubled([[1.5, 2.5]] * 2**17))
    assert (status, list(answer)) == (413, ["error"])
