"""The embedded server's two ports: opened together, drained together."""

from __future__ import annotations

import asyncio
import ipaddress
import logging

import grpc
from aiohttp import web
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from serving.server.grpc_api import model_service, prediction_service
from serving.server.grpc_api.health import HealthService
from serving.server.metrics import ServingMetrics
from serving.server.ports import ListenError, bracketed, cannot_listen
from serving.server.prediction.admission import Admission
from serving.server.prediction.predictor import Predictor
from serving.server.request_log.request_log import RequestLog
from serving.server.rest_api.http_server import http_server
from serving.server.rest_api.service import RestService
from serving.server.settings.monitoring_config import MonitoringConfig
from serving.server.settings.server_options import ServerOptions

_LOG = logging.getLogger(__name__)
_SERVICES = (prediction_service.SERVICE, model_service.SERVICE)
# Health checks and questions about models must come through when predictions do not.
_SPARE_CALLS = 64
_MAX_METADATA_BYTES = 8 * 1024
_HANDSHAKE_MS = 10_000
# For answers on their way, after the requests in flight are done.
_CLOSING_S = 1.0


class Listeners:
    """A gRPC and a REST server of one predictor on the running event loop.

    Args:
        predictor: What answers.
        metrics: Where requests are counted.
        options: Where and how to listen.
        request_log: Where Predict requests are logged, if at all.
    """

    def __init__(
        self,
        predictor: Predictor,
        metrics: ServingMetrics,
        options: ServerOptions,
        request_log: RequestLog | None = None,
    ):
        self._options = options
        self._admission = Admission(options.max_in_flight)
        metrics.show(
            "poso_requests_in_flight",
            "Predictions that are being answered.",
            lambda: self._admission.in_flight,
        )
        self._grpc = grpc.aio.server(
            options=[
                # Without this, two servers could share a port unnoticed.
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", options.max_request_bytes),
                ("grpc.max_send_message_length", -1),
                ("grpc.max_metadata_size", _MAX_METADATA_BYTES),
                ("grpc.absolute_max_metadata_size", 2 * _MAX_METADATA_BYTES),
                ("grpc.server_handshake_timeout_ms", _HANDSHAKE_MS),
            ],
            # Before their messages are read.
            maximum_concurrent_rpcs=options.max_in_flight + _SPARE_CALLS,
        )
        prediction_service.PredictionService(
            predictor, self._admission, metrics, request_log
        ).register(self._grpc)
        model_service.ModelService(predictor.store).register(self._grpc)
        self._health = HealthService(_SERVICES, predictor.store.ready)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._grpc)
        reflection.enable_server_reflection(
            [*_SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME], self._grpc
        )
        self._rest_service = RestService(
            predictor,
            self._admission,
            metrics,
            options.monitoring or MonitoringConfig(),
            options.rest_timeout_s,
            request_log,
        )
        self._rest: web.ServerRunner | None = None

    async def start(self) -> tuple[int, int]:
        """Opens both ports.

        Returns:
            The gRPC and the REST port.

        Raises:
            ListenError: If one cannot be listened on; then neither is.
        """
        _warn_if_open(self._options)
        try:
            grpc_port = self._bind_grpc()
            await self._health.start()
            await self._grpc.start()
            return grpc_port, await self._start_rest()
        except ListenError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Says NOT_SERVING, refuses what is new, finishes what is not, and closes.

        Requests in flight have `drain_s` seconds.
        """
        await self._health.stop()
        await self._admission.close(self._options.drain_s)
        closing = [self._grpc.stop(_CLOSING_S)]
        if self._rest is not None:
            closing.append(self._rest.cleanup())
        await asyncio.gather(*closing)

    def _bind_grpc(self) -> int:
        options = self._options
        address = f"{bracketed(options.host)}:{options.grpc_port}"
        listened = ("gRPC", options.host, options.grpc_port, "grpc_port")
        try:
            if options.tls is None:
                port: int = self._grpc.add_insecure_port(address)
            else:
                credentials = options.tls.grpc_credentials()
                port = self._grpc.add_secure_port(address, credentials)
        except RuntimeError as error:
            raise cannot_listen(*listened) from error
        if port == 0:
            raise cannot_listen(*listened)
        return port

    async def _start_rest(self) -> int:
        options = self._options
        server = http_server(
            self._rest_service.handle, options.max_request_bytes, options.idle_s
        )
        self._rest = web.ServerRunner(server, shutdown_timeout=_CLOSING_S)
        await self._rest.setup()
        site = web.TCPSite(
            self._rest,
            options.host,
            options.rest_port,
            reuse_address=True,
            ssl_context=options.tls.ssl_context() if options.tls else None,
        )
        try:
            await site.start()
        except OSError as error:
            raise cannot_listen(
                "REST", options.host, options.rest_port, "rest_port"
            ) from error
        port: int = self._rest.addresses[0][1]
        return port


def _warn_if_open(options: ServerOptions) -> None:
    if options.tls is None and not _is_loopback(options.host):
        _LOG.warning(
            "listening on %s without TLS: whoever reaches this machine can send "
            "requests and read answers; --ssl-config-file sets certificates",
            options.host,
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
