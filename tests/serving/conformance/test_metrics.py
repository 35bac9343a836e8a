"""The metrics' page: util/prometheus_exporter.cc, model_servers/http_server.cc.

TensorFlow Serving needs `--monitoring_config_file` for it, which `write_model` writes.
"""

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tensorflow_serving.apis import regression_pb2

from tests.helpers.official import example, input_of, predict_request, set_spec
from tests.helpers.write_model import NAME

PATH = "/monitoring/prometheus/metrics"
COUNT = ":tensorflow:serving:request_count"
LATENCY = ":tensorflow:serving:request_latency"


@pytest.fixture
def samples(rest):
    """The samples of one name now, by their labels."""

    def read(name: str) -> dict[frozenset, float]:
        status, headers, text = rest.raw("GET", PATH)
        assert (status, headers.get_content_type()) == (200, "text/plain")
        families = text_string_to_metric_families(text.decode())
        return {
            frozenset(sample.labels.items()): sample.value
            for family in families
            for sample in family.samples
            # The parser, of OpenMetrics, adds _total to a counter that lacks it.
            if sample.name.removesuffix("_total") == name.removesuffix("_total")
        }

    return read


def labels(**values):
    return frozenset(values.items())


def test_requests_are_counted_by_model_and_status(samples, predictions, rest):
    before = samples(COUNT)
    predictions.Predict(predict_request("scalar", {"x": np.float32(1)}))
    rest.post(f"{NAME}:predict", {"signature_name": "scalar", "inputs": 1})
    rest.refused(f"{NAME}:predict", {})
    after = samples(COUNT)
    for status, more in [("OK", 2), ("INVALID_ARGUMENT", 1)]:
        key = labels(model_name=NAME, status=status)
        assert after[key] - before.get(key, 0) == more


def test_latency_by_method_and_protocol(samples, predictions, rest):
    count, total = f"{LATENCY}_count", f"{LATENCY}_sum"
    before = samples(count)
    predictions.Predict(predict_request("scalar", {"x": np.float32(1)}))
    request = regression_pb2.RegressionRequest(input=input_of(example(x=1.0)))
    predictions.Regress(set_spec(request, "regress"))
    body = {"signature_name": "regress", "examples": [{"x": 1.0}]}
    rest.post(f"{NAME}:regress", body)
    after, microseconds = samples(count), samples(total)
    for api, entrypoint in [
        ("Predict", "GRPC"),
        ("Regress", "GRPC"),
        ("regress", "REST"),
    ]:
        key = labels(model_name=NAME, API=api, entrypoint=entrypoint)
        assert after[key] - before.get(key, 0) == 1
        assert microseconds[key] / after[key] > 10  # no request takes 10 µs


def test_the_buckets_are_tensorflow_serving_s(samples, predictions):
    # Exponential(10, 1.8, 33) of servables/tensorflow/util.cc, and infinity.
    predictions.Predict(predict_request("scalar", {"x": np.float32(1)}))
    bounds = sorted(
        float(dict(key)["le"])
        for key in samples(f"{LATENCY}_bucket")
        if {("model_name", NAME), ("API", "Predict")} <= key
    )
    expected = [10 * 1.8**step for step in range(33)] + [np.inf]
    np.testing.assert_allclose(bounds, expected, rtol=1e-5)


def test_examples_are_counted(samples, predictions):
    name = ":tensorflow:serving:request_example_count_total"
    before = samples(name)
    request = regression_pb2.RegressionRequest(input=input_of(*[example(x=1.0)] * 3))
    predictions.Regress(set_spec(request, "regress"))
    key = labels(model=NAME)
    assert samples(name)[key] - before.get(key, 0) == 3
