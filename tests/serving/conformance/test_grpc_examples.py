"""Classify, Regress and MultiInference.

Rules: servables/tensorflow/{classifier,regressor,multi_inference,util}.cc. A server
with `--enable_signature_method_name_check`, which is off by default, refuses all of
these signatures, for TensorFlow 2 writes only Predict's method name.
"""

import pytest
from tensorflow_serving.apis import (
    classification_pb2,
    inference_pb2,
    input_pb2,
    regression_pb2,
)

from tests.helpers.official import OFFSET, example, input_of, set_spec
from tests.helpers.write_model import NAME, OFFSETS

ONE = example(x=1.0, name="ann")
CLASSIFY, REGRESS = "tensorflow/serving/classify", "tensorflow/serving/regress"


def classification(signature, given, **spec):
    request = classification_pb2.ClassificationRequest(input=given)
    return set_spec(request, signature, **spec)


def regression(signature, given, **spec):
    return set_spec(regression_pb2.RegressionRequest(input=given), signature, **spec)


def multi(given, *tasks):
    request = inference_pb2.MultiInferenceRequest(input=given)
    for signature, method in tasks:
        set_spec(request.tasks.add(method_name=method), signature)
    return request


def pairs(result):
    return [
        [(entry.label, entry.score) for entry in answer.classes]
        for answer in result.classifications
    ]


def values(result):
    return [entry.value for entry in result.regressions]


def test_classify(predictions):
    given = input_of(ONE, example(x=0.5))
    response = predictions.Classify(classification("classify", given))
    assert pairs(response.result) == [
        [("ann", 1 + OFFSET), ("other", -1 - OFFSET)],
        [("nobody", 0.5 + OFFSET), ("other", -0.5 - OFFSET)],
    ]
    assert response.model_spec.name == NAME
    assert response.model_spec.version.value == max(OFFSETS)
    assert response.model_spec.signature_name == "classify"


def test_classes_without_scores_and_scores_without_classes(predictions):
    scores = predictions.Classify(classification("classify_scores", input_of(ONE)))
    assert pairs(scores.result) == [[("", 1 + OFFSET)]]
    classes = predictions.Classify(classification("classify_classes", input_of(ONE)))
    assert pairs(classes.result) == [[("ann", 0)]]


@pytest.mark.parametrize("signature", ["regress", "regress_column"])
def test_regress(predictions, signature):
    given = input_of(ONE, example(x=-2.0, weight=3))
    response = predictions.Regress(regression(signature, given))
    assert values(response.result) == [1 + OFFSET, -6 + OFFSET]
    assert response.model_spec.signature_name == signature


def test_the_context_s_features_are_every_example_s(predictions):
    given = input_of(ONE, example(x=2.0), context=example(weight=10))
    response = predictions.Regress(regression("regress", given))
    assert values(response.result) == [10 + OFFSET, 20 + OFFSET]


def test_a_version_by_number(predictions):
    response = predictions.Regress(regression("regress", input_of(ONE), version=1))
    assert values(response.result) == [1 + OFFSETS[1]]
    assert response.model_spec.version.value == 1


@pytest.mark.parametrize(
    "given", [input_pb2.Input(), input_of(), input_of(context=ONE)]
)
def test_no_example(predictions, given):
    for method, request in [
        ("Classify", classification("classify", given)),
        ("Regress", regression("regress", given)),
        ("MultiInference", multi(given, ("regress", REGRESS))),
    ]:
        assert predictions.refused(method, request) == (
            "INVALID_ARGUMENT",
            "Input is empty.",
        )


@pytest.mark.parametrize(
    ("signature", "words"),
    [
        ("nope", "No signature was found with the name: nope"),
        ("several", "Expected one input Tensor."),
        ("three_outputs", "Expected one or two output Tensors, found 3"),
        ("other_input", "No classification inputs found in SignatureDef"),
        ("regress", "Expected classification signature outputs to contain"),
        ("classify_flat", "Expected Tensor shape: [batch_size num_classes]"),
        ("", "No classification inputs found in SignatureDef"),
    ],
)
def test_a_signature_that_cannot_classify(predictions, signature, words):
    request = classification(signature, input_of(ONE))
    code, message = predictions.refused("Classify", request)
    assert code == "INVALID_ARGUMENT"
    assert message.startswith(words)


@pytest.mark.parametrize(
    ("signature", "words"),
    [
        ("nope", "No signature was found with the name: nope"),
        ("several", "Expected one input Tensor."),
        ("classify", "Expected one output Tensor."),
        ("other_input", "No regression inputs found in SignatureDef"),
        ("classify_flat", "No regression outputs found in SignatureDef"),
        ("regress_wide", "Expected output Tensor shape to be either [batch_size]"),
    ],
)
def test_a_signature_that_cannot_regress(predictions, signature, words):
    request = regression(signature, input_of(ONE))
    code, message = predictions.refused("Regress", request)
    assert code == "INVALID_ARGUMENT"
    assert message.startswith(words)


def test_an_example_without_a_required_feature(predictions):
    request = regression("regress", input_of(example(weight=1)))
    assert predictions.refused("Regress", request)[0] == "INVALID_ARGUMENT"


def test_an_example_of_another_type(predictions):
    request = regression("regress", input_of(example(x=1)))
    assert predictions.refused("Regress", request)[0] == "INVALID_ARGUMENT"


def test_unknown_models_and_versions(predictions):
    for spec in ({"name": "nope"}, {"version": 9}):
        for method, request in [
            ("Classify", classification("classify", input_of(ONE), **spec)),
            ("Regress", regression("regress", input_of(ONE), **spec)),
        ]:
            assert predictions.refused(method, request)[0] == "NOT_FOUND"


def test_a_missing_model_spec(predictions):
    for method, request in [
        ("Classify", classification_pb2.ClassificationRequest(input=input_of(ONE))),
        ("Regress", regression_pb2.RegressionRequest(input=input_of(ONE))),
    ]:
        assert predictions.refused(method, request) == (
            "INVALID_ARGUMENT",
            "Missing ModelSpec",
        )


def test_multi_inference(predictions):
    request = multi(input_of(ONE), ("classify", CLASSIFY))
    (result,) = predictions.MultiInference(request).results
    assert pairs(result.classification_result)[0][0] == ("ann", 1 + OFFSET)
    assert result.model_spec.signature_name == "classify"
    request = multi(input_of(ONE), ("regress", REGRESS))
    (result,) = predictions.MultiInference(request).results
    assert values(result.regression_result) == [1 + OFFSET]


@pytest.mark.parametrize(
    ("tasks", "code", "words"),
    [
        # TensorFlow 2 feeds each signature by a tensor of its own.
        (
            [("classify", CLASSIFY), ("regress", REGRESS)],
            "INVALID_ARGUMENT",
            "Input tensor must be the same for all Signatures.",
        ),
        (
            [("regress", REGRESS), ("regress", REGRESS)],
            "INVALID_ARGUMENT",
            "Duplicate evaluation of signature: regress",
        ),
        (
            [("nope", REGRESS)],
            "INVALID_ARGUMENT",
            "Requested signature not found in model graph: nope",
        ),
        (
            [("regress", "tensorflow/serving/predict")],
            "UNIMPLEMENTED",
            "Unsupported signature method_name: tensorflow/serving/predict",
        ),
        ([("several", REGRESS)], "INVALID_ARGUMENT", "Expected one input Tensor."),
    ],
)
def test_multi_inference_errors(predictions, tasks, code, words):
    request = multi(input_of(ONE), *tasks)
    assert predictions.refused("MultiInference", request) == (code, words)


def test_multi_inference_of_two_models(predictions):
    request = multi(input_of(ONE), ("regress", REGRESS), ("classify", CLASSIFY))
    request.tasks[1].model_spec.name = "other"
    code, message = predictions.refused("MultiInference", request)
    assert (code, "same model name" in message) == ("INVALID_ARGUMENT", True)
