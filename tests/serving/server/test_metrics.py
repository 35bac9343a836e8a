"""What the conformance suite cannot ask of metrics: our own, and their bounds."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from serving.server.embedded_server import EmbeddedServer
from serving.server.metrics import ServingMetrics
from serving.server.models.loading import counted_loader
from serving.server.models.saved_model import ModelLoadError
from serving.server.settings.monitoring_config import (
    MonitoringConfig,
    read_monitoring_config,
)
from serving.server.settings.server_options import ServerOptions
from serving.server.settings.text_config import ServerConfigError

COUNT = ":tensorflow:serving:request_count"


def counted(is_served) -> ServingMetrics:
    metrics = ServingMetrics()
    metrics.count_by_name(is_served)
    return metrics


def samples(metrics: ServingMetrics, name: str) -> dict[tuple, float]:
    families = text_string_to_metric_families(metrics.page().decode())
    return {
        tuple(sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
        if sample.name.removesuffix("_total") == name.removesuffix("_total")
    }


def test_names_that_are_not_served_share_one_series():
    metrics = counted(lambda name: name == "ranker")
    for name in ["ranker", *map(str, range(100)), "ranker"]:
        metrics.record_request(name, "Predict", "GRPC", "NOT_FOUND", 0.001)
    assert samples(metrics, COUNT) == {
        (("model_name", "ranker"), ("status", "NOT_FOUND")): 2,
        (("model_name", ""), ("status", "NOT_FOUND")): 100,
    }


def test_names_end_as_tensorflow_serving_s():
    metrics = counted(lambda name: True)
    metrics.record_request("ranker", "Predict", "GRPC", "OK", 0.001)
    metrics.record_examples("ranker", 3)
    metrics.record_load("/models/1", True, 2.0)
    metrics.record_load("/models/2", False, 1.0)
    lines = metrics.page().decode().splitlines()
    loads = ":tensorflow:cc:saved_model:load"
    for line in [
        f"# TYPE {COUNT} counter",
        f'{COUNT}{{model_name="ranker",status="OK"}} 1.0',
        ':tensorflow:serving:request_example_count_total{model="ranker"} 3.0',
        f'{loads}_attempt_count{{model_path="/models/1",status="success"}} 1.0',
        f'{loads}_attempt_count{{model_path="/models/2",status="fail"}} 1.0',
        f'{loads}_latency{{model_path="/models/1"}} 2e+06',
    ]:
        assert line in lines
    assert not [line for line in lines if "_created" in line]


def test_latency_is_of_answers_only():
    metrics = counted(lambda name: True)
    metrics.record_request("ranker", "Predict", "GRPC", "OK", 0.002)
    metrics.record_request("ranker", "Predict", "GRPC", "UNAVAILABLE", 9.0)
    labels = (
        ("API", "Predict"),
        ("entrypoint", "GRPC"),
        ("model_name", "ranker"),
    )
    name = ":tensorflow:serving:request_latency"
    assert samples(metrics, f"{name}_count") == {labels: 1}
    assert samples(metrics, f"{name}_sum")[labels] == pytest.approx(2000)


def test_our_own_and_the_process_s(rest):
    text = rest.text("/monitoring/prometheus/metrics")
    for name in ("poso_requests_in_flight", "process_resident_memory_bytes"):
        assert f"\n{name} " in text


def test_loads_are_counted():
    def load(model, number, folder):
        if number == 2:
            raise ModelLoadError(folder)
        return folder

    metrics = ServingMetrics()
    counted_load = counted_loader(load, metrics)
    assert counted_load("ranker", 1, "/models/1") == "/models/1"
    with pytest.raises(ModelLoadError):
        counted_load("ranker", 2, "/models/2")
    assert samples(metrics, ":tensorflow:cc:saved_model:load_attempt_count") == {
        (("model_path", "/models/1"), ("status", "success")): 1,
        (("model_path", "/models/2"), ("status", "fail")): 1,
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("prometheus_config { enable: true }", MonitoringConfig()),
        (
            'prometheus_config { enable: true path: "/metrics" }',
            MonitoringConfig(True, "/metrics"),
        ),
        ("", MonitoringConfig(False)),
        ('prometheus_config { path: "/m" }', MonitoringConfig(False, "/m")),
    ],
)
def test_the_configuration(tmp_path, text, expected):
    path = tmp_path / "monitoring.config"
    path.write_text(text)
    assert read_monitoring_config(path) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prometheus {}", "MonitoringConfig"),
        ('prometheus_config { path: "metrics" }', "'metrics'"),
        ('prometheus_config { path: "/v1/metrics" }', "'/v1/metrics'"),
    ],
)
def test_what_is_no_configuration(tmp_path, text, words):
    path = tmp_path / "monitoring.config"
    path.write_text(text)
    with pytest.raises(ServerConfigError, match=words):
        read_monitoring_config(path)


@pytest.mark.e2e
@pytest.mark.parametrize("enabled", [False, True])
def test_metrics_where_they_are_configured(model_dir, make_rest, enabled):
    monitoring = MonitoringConfig(enabled, "/numbers")
    with EmbeddedServer(
        model_dir,
        ServerOptions(
            grpc_port=0,
            rest_port=0,
            num_versions=1,
            monitoring=monitoring,
        ),
    ) as server:
        rest = make_rest(server)
        assert rest.status("/numbers") == (200 if enabled else 404)
        assert rest.status("/monitoring/prometheus/metrics") == 404
