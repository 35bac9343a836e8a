"""TensorFlow Serving's monitoring configuration: whether and where metrics are shown.

Example:
    prometheus_config { enable: true path: "/monitoring/prometheus/metrics" }
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from serving.server.settings import config_files_pb2
from serving.server.settings.text_config import ServerConfigError, read_text_config


@dataclass(frozen=True)
class MonitoringConfig:
    """Where Prometheus finds the metrics, on the REST port.

    Attributes:
        enabled: Whether metrics are shown at all.
        path: Their path.
    """

    enabled: bool = True
    path: str = "/monitoring/prometheus/metrics"


def read_monitoring_config(path: str | Path) -> MonitoringConfig:
    """Reads a `--monitoring-config-file`.

    As in TensorFlow Serving, metrics are off unless the file has `enable: true`.
    Without a file, this server shows them, which TensorFlow Serving does not.

    Raises:
        ServerConfigError: If it cannot be read, or its path could never be asked for.
    """
    message = read_text_config(path, config_files_pb2.MonitoringConfig)
    prometheus = message.prometheus_config
    shown_at = prometheus.path or MonitoringConfig.path
    if not shown_at.startswith("/") or shown_at.lower().startswith("/v1/"):
        raise ServerConfigError(
            f"{path}: expected a path that begins with / and not with /v1/, received "
            f"{shown_at!r}"
        )
    return MonitoringConfig(prometheus.enable, shown_at)
