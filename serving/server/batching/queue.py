"""Requests of one signature that wait for a batch: who shares one, when it is due.

Nothing here waits or reads a clock; the scheduler does and passes the time in.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from serving.protocol.errors import Unavailable
from serving.protocol.tensor_spec import Array
from serving.server.batching.merge import Shapes
from serving.server.models.saved_model import Signature
from serving.server.settings.batching_config import BatchingParameters


@dataclass(eq=False)
class BatchedRequest:
    """A request, or a part of a large one, on its way through a batch.

    Attributes:
        inputs: Arrays by input name, all with `rows` rows.
        rows: How many.
        shapes: What the requests of a batch have in common.
        deadline: The time after which nobody waits for the answer, on the event
            loop's clock; None for never.
        answer: Gets the outputs by name, or the error.
    """

    inputs: Mapping[str, Array]
    rows: int
    shapes: Shapes
    deadline: float | None
    answer: asyncio.Future[dict[str, Array]]


@dataclass(eq=False)
class Batch:
    """Requests that will be run together.

    Attributes:
        shapes: What they have in common.
        opened_at: When the first came, in the event loop's seconds.
        requests: In the order in which they came.
        rows: The sum of their rows.
        is_closed: Whether it takes no more.
    """

    shapes: Shapes
    opened_at: float
    requests: list[BatchedRequest] = field(default_factory=list)
    rows: int = 0
    is_closed: bool = False


class BatchQueue:
    """Batches of one signature that wait for a thread.

    Args:
        signature: What runs the batches.
        parameters: Sizes, limits and the timeout.
    """

    def __init__(self, signature: Signature, parameters: BatchingParameters):
        self.signature = signature
        self._parameters = parameters
        self._batches: list[Batch] = []

    def __len__(self) -> int:
        """How many requests wait."""
        return sum(len(batch.requests) for batch in self._batches)

    def add(self, request: BatchedRequest, now: float) -> None:
        """Puts a request into the open batch of its shapes, or opens another.

        Raises:
            Unavailable: If that would be a batch too many.
        """
        largest = self._parameters.largest_batch
        batch = self._open_batch(request)
        if batch is None or batch.rows + request.rows > largest:
            if len(self._batches) >= self._parameters.max_enqueued_batches:
                raise Unavailable(
                    "The batch scheduling queue to which this task was submitted is "
                    f"full: {len(self._batches)} batches wait"
                )
            if batch is not None:
                batch.is_closed = True
            batch = Batch(request.shapes, now)
            self._batches.append(batch)
        batch.requests.append(request)
        batch.rows += request.rows
        batch.is_closed = batch.rows >= largest

    def remove(self, request: BatchedRequest) -> bool:
        """Takes out a request that needs no answer; false if it waits no more."""
        for batch in self._batches:
            if request in batch.requests:
                batch.requests.remove(request)
                batch.rows -= request.rows
                if not batch.requests:
                    self._batches.remove(batch)
                return True
        return False

    def take(self, now: float) -> Batch | None:
        """The oldest batch that is full, or has waited long enough; None without."""
        for batch in self._batches:
            if now >= self._due(batch):
                self._batches.remove(batch)
                return batch
        return None

    def next_due(self) -> float:
        """When the first batch is due, in the event loop's seconds; inf without."""
        return min(map(self._due, self._batches), default=math.inf)

    def _due(self, batch: Batch) -> float:
        if batch.is_closed:
            return batch.opened_at
        return batch.opened_at + self._parameters.timeout_s

    def _open_batch(self, request: BatchedRequest) -> Batch | None:
        """The one batch of these shapes that may take more."""
        for batch in reversed(self._batches):
            if batch.shapes == request.shapes and not batch.is_closed:
                return batch
        return None
