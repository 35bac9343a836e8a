"""The embedded server's two ports: opened together, drained together."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import grpc
from aiohttp import web

from serving.grpc_model_service import add_model_service
from serving.grpc_service import add_prediction_service
from serving.prediction import Predictor
from serving.rest_service import rest_application


class ListenError(OSError):
    """A port that cannot be listened on; the message names it and the way out."""


@dataclass(frozen=True)
class ServerOptions:
    """Where and how to listen.

    Attributes:
        host: Address to listen on.
        grpc_port: 0 picks a free one.
        rest_port: 0 picks a free one.
        max_request_bytes: Largest request taken by either protocol.
        drain_s: Seconds left to requests in flight when stopping.
    """

    host: str
    grpc_port: int
    rest_port: int
    max_request_bytes: int
    drain_s: float


class Listeners:
    """A gRPC and a REST server of one predictor on the running event loop."""

    def __init__(self, predictor: Predictor, options: ServerOptions):
        self._options = options
        self._grpc = grpc.aio.server(
            options=[
                # Without this, two servers could share a port unnoticed.
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", options.max_request_bytes),
                ("grpc.max_send_message_length", -1),
            ]
        )
        add_prediction_service(self._grpc, predictor)
        add_model_service(self._grpc, predictor)
        self._rest = web.AppRunner(
            rest_application(predictor, options.max_request_bytes),
            access_log=None,
            shutdown_timeout=options.drain_s,
        )

    async def start(self) -> tuple[int, int]:
        """Opens both ports.

        Returns:
            The gRPC and the REST port.

        Raises:
            ListenError: If one cannot be listened on; then neither is.
        """
        try:
            grpc_port = self._bind_grpc()
            await self._grpc.start()
            return grpc_port, await self._start_rest()
        except ListenError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Closes both ports and waits for requests in flight, `drain_s` at most."""
        await asyncio.gather(
            self._grpc.stop(self._options.drain_s), self._rest.cleanup()
        )

    def _bind_grpc(self) -> int:
        options = self._options
        address = f"{options.host}:{options.grpc_port}"
        try:
            port: int = self._grpc.add_insecure_port(address)
        except RuntimeError as error:
            raise _cannot_listen("gRPC", address, "grpc_port") from error
        if port == 0:
            raise _cannot_listen("gRPC", address, "grpc_port")
        return port

    async def _start_rest(self) -> int:
        options = self._options
        await self._rest.setup()
        site = web.TCPSite(
            self._rest, options.host, options.rest_port, reuse_address=True
        )
        try:
            await site.start()
        except OSError as error:
            address = f"{options.host}:{options.rest_port}"
            raise _cannot_listen("REST", address, "rest_port") from error
        port: int = self._rest.addresses[0][1]
        return port


def _cannot_listen(protocol: str, address: str, argument: str) -> ListenError:
    return ListenError(
        f"cannot listen on {address} for {protocol}: the port is in use or the address "
        f"is not this machine's; choose another {argument}, 0 for any free one"
    )
