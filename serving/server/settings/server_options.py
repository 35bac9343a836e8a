"""What a server is told besides its models."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the command line takes its defaults from here, and loads nothing
    from serving.server.settings.batching_config import BatchingParameters
    from serving.server.settings.monitoring_config import MonitoringConfig
    from serving.server.settings.tls_config import TlsConfig


@dataclass(frozen=True)
class ServerOptions:
    """Options of an embedded server.

    Attributes:
        name: The model's name in requests, where one model's folder is given.
        num_versions: How many of its newest versions to serve.
        host: Address to listen on.
        grpc_port: 0 picks a free one; the server's `grpc_port` tells which.
        rest_port: Likewise.
        poll_s: Seconds between two looks for new versions; 0 looks at the start alone.
        config_poll_s: Seconds between two readings of a `models.config` file; 0 reads
            it at the start alone.
        allow_version_labels_for_unavailable_models: Whether a label that is new may
            name a version that is not loaded; needed for labels at the start.
        workers: Threads that run requests; None takes the number of cores less one, for
            the thread that receives and answers them.
        max_request_bytes: Largest request taken by either protocol.
        max_in_flight: Most predictions answered at once, over both protocols; more
            are refused as UNAVAILABLE. Times `max_request_bytes`, it bounds the memory
            that requests take.
        rest_timeout_s: Seconds that a REST request's body, and then its answer, may
            take; gRPC's clients set their own deadlines.
        idle_s: Seconds after which a REST connection without a whole request is closed.
        drain_s: Seconds that `stop` leaves to requests in flight.
        batching: How requests are merged into batches; None runs each on its own.
        tls: Certificates of both ports; None for plain text.
        monitoring: Whether and where Prometheus finds metrics; None for the REST
            port's `/monitoring/prometheus/metrics`.
        request_log: Folder where a share of the answered Predict requests is written,
            ids of users included; None writes none.
        request_log_share: That share, each request drawn at random; 0 writes none.
    """

    name: str = "ranker"
    num_versions: int = 1
    host: str = "127.0.0.1"
    grpc_port: int = 8500
    rest_port: int = 8501
    poll_s: float = 1.0
    config_poll_s: float = 0.0
    allow_version_labels_for_unavailable_models: bool = False
    workers: int | None = None
    max_request_bytes: int = 16 * 2**20
    max_in_flight: int = 512
    rest_timeout_s: float = 30.0
    idle_s: float = 60.0
    drain_s: float = 10.0
    batching: BatchingParameters | None = None
    tls: TlsConfig | None = None
    monitoring: MonitoringConfig | None = None
    request_log: str | Path | None = None
    request_log_share: float = 0.01

    def __post_init__(self) -> None:
        if not 0 <= self.request_log_share <= 1:
            raise ValueError(
                "request_log_share must be from 0 to 1. "
                f"Received: {self.request_log_share}"
            )
