"""The HTTP server under the REST API; what it does against slow and huge requests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

# Of the request line, and of one header field; there may be 128 fields.
_MAX_LINE_BYTES = 8190


def http_server(
    handle: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
    max_body_bytes: int,
    idle_s: float,
) -> web.Server:
    """An HTTP server that hands all requests to one handler.

    A client that hangs up cancels its request.

    Args:
        handle: Answers a request, whatever its method and path.
        max_body_bytes: Largest body, unpacked.
        idle_s: Seconds after which a connection is closed that has sent no whole
            header, whether it is new, slow or done.
    """
    loop = asyncio.get_running_loop()

    def request(
        message: Any, payload: Any, protocol: Any, writer: Any, task: Any
    ) -> web.BaseRequest:
        return web.BaseRequest(
            message,
            payload,
            protocol,
            writer,
            task,
            loop,
            client_max_size=max_body_bytes,
        )

    return web.Server(
        handle,
        request_factory=request,
        handler_cancellation=True,
        access_log=None,
        logger=_client_faults_in_one_line(),
        keepalive_timeout=idle_s,
        max_line_size=_MAX_LINE_BYTES,
        max_field_size=_MAX_LINE_BYTES,
    )


def _client_faults_in_one_line() -> logging.Logger:
    """The log of aiohttp's server, where what is no HTTP leaves no traceback."""
    logger = logging.getLogger(__name__)
    logger.addFilter(_shorten)
    return logger


def _shorten(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        reason = " ".join(error.message.split())
        record.msg, record.args = f"{record.getMessage()}: {reason[:200]}", ()
        record.levelno, record.levelname = logging.INFO, "INFO"
        record.exc_info = None
    return True
