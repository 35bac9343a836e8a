"""The client of a ranking server, without TensorFlow.

`RankingClient`, what it takes and answers, and the errors that it raises.
"""

from __future__ import annotations

import importlib
from typing import Any

from serving.protocol.errors import (
    DeadlineExceeded,
    FailedPrecondition,
    Internal,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
    ServingError,
    Unavailable,
    Unimplemented,
)

# Imported when first asked for, so that a part of the client loads no other.
_LAZY = {
    "RankingClient": "ranking_client",
    "RankResult": "ranking_client",
    "ModelMetadata": "transport",
    "VersionStatus": "transport",
    "Retries": "retries",
    "RetryPolicy": "retries",
    "TlsFiles": "tls",
}

__all__ = [
    "DeadlineExceeded",
    "FailedPrecondition",
    "Internal",
    "InvalidArgument",
    "NotFound",
    "ResourceExhausted",
    "ServingError",
    "Unavailable",
    "Unimplemented",
    *_LAZY,
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
