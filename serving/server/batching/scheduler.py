"""Runs requests of one signature together, as TensorFlow Serving's batching does."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from serving.protocol.errors import DeadlineExceeded, InvalidArgument
from serving.protocol.tensor_spec import Array
from serving.server.batching.merge import concatenate_outputs, count_rows, shapes_of
from serving.server.batching.queue import Batch, BatchedRequest, BatchQueue
from serving.server.batching.run import Answer, run_batch
from serving.server.models.saved_model import Signature
from serving.server.settings.batching_config import BatchingParameters

Outputs = dict[str, Array]


@dataclass(frozen=True)
class BatchRecord:
    """What an observer is told of a batch, before it is run.

    Attributes:
        signature: The signature's name.
        requests: How many it holds.
        rows: Their rows.
        padded_rows: Rows with which it is run.
        waited_s: Seconds that its first request waited.
    """

    signature: str
    requests: int
    rows: int
    padded_rows: int
    waited_s: float


Observer = Callable[[BatchRecord], None]


class BatchScheduler:
    """Queues of requests by signature, and the threads that run their batches.

    Signatures take turns. All methods belong to one event loop's thread.

    Args:
        parameters: How requests are merged.
        observe: Is told of every batch.
    """

    def __init__(self, parameters: BatchingParameters, observe: Observer | None = None):
        self._parameters = parameters
        self._observe = observe
        self._pool = ThreadPoolExecutor(
            parameters.num_batch_threads, parameters.thread_pool_name
        )
        self._idle_threads = parameters.num_batch_threads
        # A queue lives while it has requests: it keeps its version loaded.
        self._queues: dict[int, BatchQueue] = {}
        self._is_draining = False
        self._next_look: asyncio.Handle | None = None

    @property
    def waiting(self) -> int:
        """How many requests wait for a batch, or in one for a thread."""
        return sum(map(len, self._queues.values()))

    def takes(self, signature: Signature, inputs: Mapping[str, Array]) -> bool:
        """Whether a request can share a batch: it has rows, each input as many."""
        return signature.spec.is_batchable and bool(count_rows(inputs))

    async def run(
        self,
        signature: Signature,
        inputs: Mapping[str, Array],
        deadline: float | None = None,
    ) -> Outputs:
        """The outputs, by name, of a request that `takes` accepts.

        Cancelled while it waits, a request leaves the queue.

        Args:
            signature: What to run.
            inputs: Arrays that fit its specification.
            deadline: The time after which nobody waits for the answer, on the event
                loop's clock; None for never.

        Raises:
            InvalidArgument: If the request has more rows than allowed.
            Unavailable: If too many batches wait.
            DeadlineExceeded: If the request still waits at its deadline.
            ServingError: What the graph says of this request's values.
        """
        rows = count_rows(inputs) or 0
        limit = self._parameters.max_batch_size
        if rows > limit:
            raise InvalidArgument(
                f"Task size {rows} is larger than maximum input batch size {limit}"
            )
        size = self._parameters.largest_batch
        if rows <= size:
            return await self._run_part(signature, inputs, rows, deadline)
        parts = [
            asyncio.ensure_future(self._run_part(signature, part, count, deadline))
            for part, count in _parts(inputs, rows, size)
        ]
        try:
            return concatenate_outputs(await asyncio.gather(*parts))
        finally:
            for task in parts:
                task.cancel()

    def drain(self) -> None:
        """From now on no request waits for others to share its batch."""
        self._is_draining = True
        self._look()

    def close(self) -> None:
        """Waits for the running batches and ends the threads."""
        self._pool.shutdown(wait=True)

    async def _run_part(
        self,
        signature: Signature,
        inputs: Mapping[str, Array],
        rows: int,
        deadline: float | None,
    ) -> Outputs:
        loop = asyncio.get_running_loop()
        pad = self._parameters.pad_variable_length_inputs
        shapes = shapes_of(inputs, signature.spec, pad)
        request = BatchedRequest(inputs, rows, shapes, deadline, loop.create_future())
        queue = self._queues.setdefault(
            id(signature), BatchQueue(signature, self._parameters)
        )
        queue.add(request, loop.time())
        self._look_soon()
        alarm = None
        if deadline is not None:
            alarm = loop.call_at(deadline, self._give_up, queue, request)
        try:
            return await request.answer
        finally:
            if alarm is not None:
                alarm.cancel()
            self._remove(queue, request)

    def _give_up(self, queue: BatchQueue, request: BatchedRequest) -> None:
        if self._remove(queue, request):
            _fail_late(request)

    def _remove(self, queue: BatchQueue, request: BatchedRequest) -> bool:
        waited = queue.remove(request)
        self._drop_if_empty(queue)
        return waited

    def _drop_if_empty(self, queue: BatchQueue) -> None:
        key = id(queue.signature)
        if not queue and self._queues.get(key) is queue:
            del self._queues[key]

    def _look_soon(self) -> None:
        """Looks for due batches once the loop has taken in the requests at hand."""
        if not self._idle_threads:
            return
        if self._next_look is not None:
            self._next_look.cancel()
        self._next_look = asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        """Starts due batches while threads are idle, and sees to the next look."""
        if self._next_look is not None:
            self._next_look.cancel()
            self._next_look = None
        loop = asyncio.get_running_loop()
        while self._idle_threads and (taken := self._take(loop.time())):
            self._start(*taken, loop)
        if self._idle_threads and self._queues:
            due = min(queue.next_due() for queue in self._queues.values())
            self._next_look = loop.call_at(due, self._look)

    def _take(self, now: float) -> tuple[BatchQueue, Batch] | None:
        """A due batch of the signature whose turn it is."""
        for key, queue in list(self._queues.items()):
            batch = queue.take(math.inf if self._is_draining else now)
            if batch is not None:
                self._queues[key] = self._queues.pop(key)  # to the end of the row
                self._drop_if_empty(queue)
                return queue, batch
        return None

    def _start(
        self, queue: BatchQueue, batch: Batch, loop: asyncio.AbstractEventLoop
    ) -> None:
        now = loop.time()
        requests = []
        for request in batch.requests:
            if request.deadline is not None and request.deadline <= now:
                _fail_late(request)
            else:
                requests.append(request)
        if not requests:
            return
        rows = [request.rows for request in requests]
        size = self._parameters.padded_size(sum(rows))
        if self._observe is not None:
            waited_s = now - batch.opened_at
            self._observe(
                BatchRecord(queue.signature.name, len(rows), sum(rows), size, waited_s)
            )
        self._idle_threads -= 1
        inputs = [request.inputs for request in requests]
        running = loop.run_in_executor(
            self._pool, run_batch, queue.signature, inputs, rows, size
        )
        running.add_done_callback(partial(self._finish, requests))

    def _finish(
        self, requests: list[BatchedRequest], running: asyncio.Future[list[Answer]]
    ) -> None:
        self._idle_threads += 1
        error = running.exception()
        answers = [error] * len(requests) if error else running.result()
        for request, answer in zip(requests, answers, strict=True):
            if request.answer.done():  # cancelled
                continue
            if isinstance(answer, BaseException):
                request.answer.set_exception(answer)
            else:
                request.answer.set_result(answer)
        self._look()


def _parts(
    inputs: Mapping[str, Array], rows: int, size: int
) -> Iterator[tuple[dict[str, Array], int]]:
    for start in range(0, rows, size):
        stop = min(start + size, rows)
        yield {name: array[start:stop] for name, array in inputs.items()}, stop - start


def _fail_late(request: BatchedRequest) -> None:
    if not request.answer.done():
        request.answer.set_exception(
            DeadlineExceeded("the deadline passed while the request waited for a batch")
        )
