"""TensorFlow Serving's batching parameters: how requests are merged into batches.

Example:
    max_batch_size { value: 64 }
    batch_timeout_micros { value: 1000 }
    allowed_batch_sizes: 16
    allowed_batch_sizes: 64
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from serving.server.settings import batching_parameters_pb2
from serving.server.settings.cores import usable_cores
from serving.server.settings.text_config import ServerConfigError, read_text_config


@dataclass(frozen=True)
class BatchingParameters:
    """How requests of one signature are merged; the defaults are TensorFlow Serving's.

    Attributes:
        max_batch_size: Most rows of one request, and of a batch unless
            `max_execution_batch_size` says less.
        batch_timeout_micros: How long a request waits for others, in microseconds,
            while a thread is idle; 0 never keeps an idle thread waiting.
        max_enqueued_batches: Most batches of a signature that wait for a thread; a
            request that would need a further one is refused (`UNAVAILABLE`).
        num_batch_threads: Batches run at once; by default as many as usable cores.
        thread_pool_name: Name of the threads.
        allowed_batch_sizes: Sizes to which batches are filled up by copies of a row, in
            increasing order up to `max_batch_size`; empty for any size.
        pad_variable_length_inputs: Whether requests whose inputs differ in length
            (histories) share a batch, the shorter ones filled up by the absent value;
            otherwise only equally long ones do.
        enable_large_batch_splitting: Whether a request larger than
            `max_execution_batch_size` is split.
        max_execution_batch_size: Most rows of a batch with splitting; None takes
            `max_batch_size`.

    Raises:
        ValueError: If a parameter is out of range or contradicts another.
    """

    max_batch_size: int = 1000
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 10
    num_batch_threads: int = field(default_factory=usable_cores)
    thread_pool_name: str = "batch_threads"
    allowed_batch_sizes: Sequence[int] = ()
    pad_variable_length_inputs: bool = False
    enable_large_batch_splitting: bool = False
    max_execution_batch_size: int | None = None

    def __post_init__(self) -> None:
        for name in _POSITIVE:
            _check_at_least(1, name, getattr(self, name))
        _check_at_least(0, "batch_timeout_micros", self.batch_timeout_micros)
        self._check_execution_size()
        self._check_allowed_sizes()

    @property
    def largest_batch(self) -> int:
        """Most rows that are run together."""
        return self.max_execution_batch_size or self.max_batch_size

    @property
    def timeout_s(self) -> float:
        """How long a request waits for others, in seconds."""
        return self.batch_timeout_micros / 1e6

    def padded_size(self, rows: int) -> int:
        """Rows with which a batch of so many rows is run."""
        return next((size for size in self.allowed_batch_sizes if size >= rows), rows)

    def _check_execution_size(self) -> None:
        size = self.max_execution_batch_size
        if size is None:
            return
        _check_at_least(1, "max_execution_batch_size", size)
        if not self.enable_large_batch_splitting:
            raise ValueError(
                "max_execution_batch_size: expected only with "
                f"enable_large_batch_splitting, received {size} without"
            )
        if size > self.max_batch_size:
            raise ValueError(
                f"max_execution_batch_size: expected at most max_batch_size "
                f"({self.max_batch_size}), received {size}"
            )

    def _check_allowed_sizes(self) -> None:
        sizes = list(self.allowed_batch_sizes)
        if not sizes:
            return
        if sizes[0] < 1 or any(low >= high for low, high in pairwise(sizes)):
            raise ValueError(
                f"allowed_batch_sizes: expected increasing positive sizes, received "
                f"{sizes}"
            )
        if sizes[-1] != self.max_batch_size:
            raise ValueError(
                f"allowed_batch_sizes: expected the last to be max_batch_size "
                f"({self.max_batch_size}), received {sizes[-1]}"
            )


_POSITIVE = ("max_batch_size", "max_enqueued_batches", "num_batch_threads")


def read_batching_config(path: str | Path) -> BatchingParameters:
    """Reads a `--batching-parameters-file`.

    Raises:
        ServerConfigError: If it cannot be read, has an unknown field or a wrong value.
    """
    message = read_text_config(path, batching_parameters_pb2.BatchingParameters)
    try:
        return BatchingParameters(**_values(message))
    except ValueError as error:
        raise ServerConfigError(f"{path}: {error}") from error


def _values(message: Any) -> Mapping[str, Any]:
    """What the file sets; a field that it leaves out keeps the default."""
    values = {field.name: value for field, value in message.ListFields()}
    for name, value in values.items():
        if name == "allowed_batch_sizes":
            values[name] = tuple(value)
        elif name != "pad_variable_length_inputs":
            values[name] = value.value
    return values


def _check_at_least(least: int, name: str, value: int) -> None:
    if value < least:
        raise ValueError(f"{name}: expected at least {least}, received {value}")
