"""Prometheus metrics under the names and labels of TensorFlow Serving's.

Those of this server alone begin with `poso_`, those of the process with `process_`.
Latencies are microseconds, as TensorFlow Serving's are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

_SERVING = ":tensorflow:serving:"
_REQUEST_COUNT = f"{_SERVING}request_count"
_LOAD_COUNT = ":tensorflow:cc:saved_model:load_attempt_count"
_LOAD_LATENCY = ":tensorflow:cc:saved_model:load_latency"
# Counters whose names do not end in _total, as OpenMetrics would have it.
_BARE = (_REQUEST_COUNT, _LOAD_COUNT, _LOAD_LATENCY)
# 10 µs to 20 minutes in steps of 1.8, and powers of two to 2^14 examples or rows.
_LATENCY_US = [10 * 1.8**step for step in range(33)]
_COUNTS = [2.0**step for step in range(15)]


class ServingMetrics:
    """The metrics of one server.

    Requests for models that are not served are counted under an empty model name:
    names are the clients' to choose, and each would be kept for good.

    Attributes:
        registry: Where further metrics may be registered.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._is_served: Callable[[str], bool] = lambda name: False
        self._served: set[str] = set()
        counter = partial(Counter, registry=self.registry)
        histogram = partial(Histogram, registry=self.registry)
        self._requests = counter(
            _REQUEST_COUNT, "Requests by model and outcome.", ["model_name", "status"]
        )
        self._latency_us = histogram(
            f"{_SERVING}request_latency",
            "Microseconds in the server of requests that were answered.",
            ["model_name", "API", "entrypoint"],
            buckets=_LATENCY_US,
        )
        self._examples = histogram(
            f"{_SERVING}request_example_counts",
            "Examples in a Classify, Regress or MultiInference request.",
            ["model"],
            buckets=_COUNTS,
        )
        self._examples_total = counter(
            f"{_SERVING}request_example_count",
            "Examples in such requests together.",
            ["model"],
        )
        self._loads = counter(
            _LOAD_COUNT,
            "Attempts to load a version by folder and outcome.",
            ["model_path", "status"],
        )
        self._load_us = counter(
            _LOAD_LATENCY,
            "Microseconds that the loads of a version took.",
            ["model_path"],
        )
        ProcessCollector(registry=self.registry)

    def count_by_name(self, is_served: Callable[[str], bool]) -> None:
        """Says of which models requests are counted by name.

        Args:
            is_served: Whether a model of this name is served.
        """
        self._is_served = is_served

    def record_request(
        self, model: str, api: str, entrypoint: str, code: str, seconds: float
    ) -> None:
        """Counts a request.

        Args:
            model: The name that it asked for.
            api: `Predict`, `Classify` or `Regress`; in lower case over REST.
            entrypoint: `GRPC` or `REST`.
            code: Name of the gRPC status code of its answer.
            seconds: Time from its arrival to its answer.
        """
        name = self._label(model)
        self._requests.labels(name, code).inc()
        if code == "OK":
            self._latency_us.labels(name, api, entrypoint).observe(seconds * 1e6)

    def record_examples(self, model: str, count: int) -> None:
        """Counts the examples of a request that was answered."""
        name = self._label(model)
        self._examples.labels(name).observe(count)
        self._examples_total.labels(name).inc(count)

    def record_load(self, folder: str, loaded: bool, seconds: float) -> None:
        """Counts an attempt to load a version.

        Args:
            folder: The version's folder.
            loaded: Whether it can be served.
            seconds: How long it took.
        """
        self._loads.labels(folder, "success" if loaded else "fail").inc()
        if loaded:
            self._load_us.labels(folder).inc(seconds * 1e6)

    def show(self, name: str, help_text: str, value: Callable[[], float]) -> None:
        """Adds a gauge that is read whenever the metrics are.

        Args:
            name: Its name, from `poso_` on.
            help_text: What it tells.
            value: Its value now.
        """
        Gauge(name, help_text, registry=self.registry).set_function(value)

    def page(self) -> bytes:
        """All metrics in Prometheus' text format."""
        text = generate_latest(_AsTensorFlowServing(self.registry))
        for name in _BARE:
            text = text.replace(f" {name}_total ".encode(), f" {name} ".encode())
        return text

    def _label(self, model: str) -> str:
        if model in self._served:
            return model
        if not self._is_served(model):
            return ""
        self._served.add(model)
        return model


class _AsTensorFlowServing(Collector):
    """Takes off the endings that OpenMetrics demands and TensorFlow does not have."""

    def __init__(self, registry: CollectorRegistry):
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [
                _renamed(metric, sample)
                for sample in metric.samples
                if not sample.name.endswith("_created")
            ]
            yield metric


def _renamed(metric: Metric, sample: Sample) -> Sample:
    return sample._replace(name=metric.name) if metric.name in _BARE else sample
