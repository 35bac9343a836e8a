"""How many requests are answered at once, and that none is when shutting down."""

from __future__ import annotations

import asyncio
from types import TracebackType

from serving.protocol.errors import Unavailable


class Admission:
    """Admits requests, `with` one entry each, up to a limit and until closed.

    It is entered and left on one event loop. Together with the largest size of a
    request, the limit bounds the memory that requests take.

    Args:
        limit: Most requests in flight.

    Attributes:
        in_flight: Requests that have entered and not left.
    """

    def __init__(self, limit: int):
        if limit < 1:
            raise ValueError(f"limit must be at least 1; received {limit}")
        self._limit = limit
        self._closed = False
        self._empty: asyncio.Event | None = None
        self.in_flight = 0

    def __enter__(self) -> Admission:
        """Enters a request.

        Raises:
            Unavailable: If there are too many, or the server is shutting down.
        """
        if self._closed:
            raise Unavailable("the server is shutting down")
        if self.in_flight >= self._limit:
            raise Unavailable(
                f"the server already has {self._limit} requests in flight, its limit"
            )
        self.in_flight += 1
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.in_flight -= 1
        if self.in_flight == 0 and self._empty is not None:
            self._empty.set()

    async def close(self, timeout_s: float) -> bool:
        """Admits no more and waits for those in flight.

        Returns:
            Whether all of them left within `timeout_s` seconds.
        """
        self._closed = True
        self._empty = asyncio.Event()
        if self.in_flight == 0:
            return True
        try:
            await asyncio.wait_for(self._empty.wait(), timeout_s)
        except asyncio.TimeoutError:
            return False
        return True
