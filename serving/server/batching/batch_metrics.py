"""What Prometheus is told of batches."""

from __future__ import annotations

from functools import partial

from prometheus_client import Counter, Histogram

from serving.server.batching.scheduler import BatchRecord
from serving.server.metrics import ServingMetrics

_SIZES = [2.0**step for step in range(15)]
# 100 µs to a second in steps of 1.2, as TensorFlow Serving's.
_LATENCY_US = [100 * 1.2**step for step in range(52)]


class BatchMetrics:
    """Sizes of batches and the time that requests waited for them, by signature.

    Args:
        metrics: Where they are shown.
    """

    def __init__(self, metrics: ServingMetrics):
        histogram = partial(
            Histogram, labelnames=["signature"], registry=metrics.registry
        )
        self._waited_us = histogram(
            ":tensorflow:serving:batching_session:queuing_latency",
            "Microseconds that the first request of a batch waited.",
            buckets=_LATENCY_US,
        )
        self._requests = histogram(
            "poso_batch_requests", "Requests of a batch.", buckets=_SIZES
        )
        self._rows = histogram("poso_batch_rows", "Rows of a batch.", buckets=_SIZES)
        self._padding = Counter(
            "poso_batch_padding_rows",
            "Rows that were run to fill batches up to an allowed size.",
            ["signature"],
            registry=metrics.registry,
        )

    def record(self, batch: BatchRecord) -> None:
        """Counts a batch."""
        self._waited_us.labels(batch.signature).observe(batch.waited_s * 1e6)
        self._requests.labels(batch.signature).observe(batch.requests)
        self._rows.labels(batch.signature).observe(batch.rows)
        self._padding.labels(batch.signature).inc(batch.padded_rows - batch.rows)
