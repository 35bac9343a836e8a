"""REST classify and regress: g3doc/api_rest.md and util/json_tensor.cc."""

import base64

import pytest

from tests.helpers.official import OFFSET
from tests.helpers.write_model import OFFSETS

CLASSIFY, REGRESS = "conformance:classify", "conformance:regress"


def regress(examples, **more):
    return {"signature_name": "regress", "examples": examples} | more


def test_classify(rest):
    request = {
        "signature_name": "classify",
        "examples": [{"x": 1.0, "name": "ann"}, {"x": [0.5]}],
    }
    assert rest.post(CLASSIFY, request) == (
        200,
        {
            "results": [
                [["ann", 1 + OFFSET], ["other", -1 - OFFSET]],
                [["nobody", 0.5 + OFFSET], ["other", -0.5 - OFFSET]],
            ]
        },
    )


def test_a_missing_label_is_empty_and_a_missing_score_zero(rest):
    request = {"examples": [{"x": 1.5, "name": "ann"}]}
    answer = rest.post(CLASSIFY, request | {"signature_name": "classify_scores"})
    assert answer == (200, {"results": [[["", 1.5 + OFFSET]]]})
    answer = rest.post(CLASSIFY, request | {"signature_name": "classify_classes"})
    assert answer == (200, {"results": [[["ann", 0.0]]]})


def test_regress(rest):
    answer = rest.post(REGRESS, regress([{"x": 1.0}, {"x": -2.5, "weight": 3}]))
    assert answer == (200, {"results": [1 + OFFSET, -7.5 + OFFSET]})


def test_the_context_s_features_are_every_example_s(rest):
    request = regress([{"x": 1.0}, {"x": 2.0}], context={"weight": 10})
    assert rest.post(REGRESS, request) == (200, {"results": [10 + OFFSET, 20 + OFFSET]})


def test_a_version_by_number(rest):
    path = "conformance/versions/1:regress"
    answer = rest.post(path, regress([{"x": 1.0}]))
    assert answer == (200, {"results": [1 + OFFSETS[1]]})


def test_bytes_and_booleans(rest):
    name = {"b64": base64.b64encode("zoë".encode()).decode()}
    request = {
        "signature_name": "classify_classes",
        "examples": [{"x": 1.0, "name": name}],
    }
    assert rest.post(CLASSIFY, request)[1] == {"results": [[["zoë", 0.0]]]}
    answer = rest.post(REGRESS, regress([{"x": 3.0, "weight": False}]))
    assert answer == (200, {"results": [OFFSET]})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        {"signature_name": "regress"},
        {"signature_name": "regress", "instances": [{"x": 1.0}]},
        {"signature_name": 1, "examples": [{"x": 1.0}]},
        regress([]),
        regress({}),
        regress("x"),
        regress([1]),
        regress([{"x": None}]),
        regress([{"x": [[1.0]]}]),
        regress([{"x": {"y": 1.0}}]),
        regress([{"x": [1.0, 2]}]),
        regress([{"x": [1.0, "a"]}]),
        regress([{"x": 1e39}]),
        regress([{"x": 2**63}]),
        regress([{"x": {"b64": "%"}}]),
        regress([{"x": 1.0}], context=[]),
        regress([{"x": 1.0}], context={"weight": None}),
        # A whole number makes an int64 feature, and `x` is a float.
        regress([{"x": 1}]),
        regress([{"weight": 1}]),
        {"signature_name": "nope", "examples": [{"x": 1.0}]},
        {"signature_name": "classify", "examples": [{"x": 1.0}]},
        {"examples": [{"x": 1.0}]},
    ],
)
def test_a_body_that_regress_refuses(rest, body):
    assert rest.refused(REGRESS, body) == 400


@pytest.mark.parametrize(
    "signature", ["regress", "several", "three_outputs", "other_input", "", "nope"]
)
def test_a_signature_that_cannot_classify(rest, signature):
    body = {"signature_name": signature, "examples": [{"x": 1.0}]}
    assert rest.refused(CLASSIFY, body) == 400


@pytest.mark.parametrize("verb", ["classify", "regress"])
def test_unknown_models_and_versions(rest, verb):
    for path in (f"nope:{verb}", f"conformance/versions/9:{verb}"):
        assert rest.refused(path, regress([{"x": 1.0}])) == 404
