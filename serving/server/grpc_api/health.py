"""gRPC health checking: whether the server, and each of its services, can answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from grpc_health.v1 import health, health_pb2

_REFRESH_S = 1.0
_OVERALL = ""


class HealthService(health.aio.HealthServicer):
    """`grpc.health.v1.Health`, SERVING while the models are ready.

    Args:
        services: Full names of the services beside the overall "".
        is_ready: Whether every configured model has a version to answer.
    """

    def __init__(self, services: Sequence[str], is_ready: Callable[[], bool]):
        super().__init__()
        self._services = [_OVERALL, *services]
        self._is_ready = is_ready
        self._following: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Sets the state, and keeps it up to date for those who watch it."""
        await self._refresh()
        self._following = asyncio.create_task(self._follow())

    async def Check(self, request: Any, context: Any) -> Any:
        """The state at this moment."""
        await self._refresh()
        return await super().Check(request, context)

    async def stop(self) -> None:
        """NOT_SERVING from now on."""
        await self.enter_graceful_shutdown()
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(_REFRESH_S)
            await self._refresh()

    async def _refresh(self) -> None:
        states = health_pb2.HealthCheckResponse
        state = states.SERVING if self._is_ready() else states.NOT_SERVING
        for service in self._services:
            await self.set(service, state)
