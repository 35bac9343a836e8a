"""Prediction independent of the protocol: what both services call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from serving.protocol.errors import DeadlineExceeded
from serving.protocol.input_check import check_inputs, check_output_filter
from serving.protocol.tensor_spec import Array
from serving.server.batching.scheduler import BatchScheduler, Observer
from serving.server.models.model_store import ModelSpec, ModelStore
from serving.server.models.saved_model import ModelVersion, Signature
from serving.server.settings.batching_config import BatchingParameters

P = ParamSpec("P")
T = TypeVar("T")
_SMALL_BYTES = 1 << 16


@dataclass(frozen=True)
class Lease:
    """What will answer a request: it stays loaded for as long as this is held.

    Attributes:
        model: The model's name.
        version: The loaded version.
        signature: Its signature.
    """

    model: str
    version: ModelVersion
    signature: Signature


class Predictor:
    """Runs requests against a store of model versions.

    Args:
        store: The models' versions.
        workers: Threads that run requests, and decode and encode large ones.
        batching: How requests are merged into batches; None runs each on its own.
        observe_batch: Is told of every batch.
    """

    def __init__(
        self,
        store: ModelStore,
        workers: int,
        batching: BatchingParameters | None = None,
        observe_batch: Observer | None = None,
    ):
        self.store = store
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="predict")
        self._scheduler = (
            None if batching is None else BatchScheduler(batching, observe_batch)
        )

    @property
    def waiting_for_batch(self) -> int:
        """How many requests wait for a batch, or in one for a thread."""
        return 0 if self._scheduler is None else self._scheduler.waiting

    def resolve(self, model_spec: ModelSpec) -> Lease:
        """Settles which version and signature answer a request.

        Raises:
            ServingError: `NotFound` or `FailedPrecondition` for an unknown model,
                version or signature.
        """
        version = self.store.find(model_spec)
        signature = version.signature(model_spec.signature)
        return Lease(model_spec.name, version, signature)

    async def predict(
        self,
        lease: Lease,
        inputs: Mapping[str, Array],
        output_filter: Sequence[str] = (),
        deadline: float | None = None,
    ) -> dict[str, Array]:
        """Checks the inputs and runs the signature.

        Args:
            lease: What answers.
            inputs: Arrays by input name; bytes objects for strings.
            output_filter: The outputs to return; empty for all.
            deadline: The time after which nobody waits for the answer, on the event
                loop's clock; None for never.

        Returns:
            Arrays by output name; bytes objects for strings.

        Raises:
            ServingError: `InvalidArgument` for inputs that do not fit the signature, or
                what the graph refuses; `DeadlineExceeded` if the deadline passes before
                it is run; `Unavailable` if too many batches wait.
        """
        spec = lease.signature.spec
        check_inputs(inputs, spec.inputs)
        check_output_filter(output_filter, spec.outputs)
        outputs = await self._run(lease.signature, inputs, deadline)
        return {name: outputs[name] for name in output_filter or sorted(outputs)}

    async def in_worker(
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Runs a blocking function in a worker thread."""
        return await asyncio.wrap_future(self._pool.submit(function, *args, **kwargs))

    async def in_worker_if_large(
        self,
        size_bytes: int,
        function: Callable[P, T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Runs a function whose time grows with a message's size.

        For a small message, handing the function to a thread would cost more than it
        does itself.
        """
        if size_bytes <= _SMALL_BYTES:
            return function(*args, **kwargs)
        return await self.in_worker(function, *args, **kwargs)

    def drain(self) -> None:
        """From now on no request waits for others to share its batch."""
        if self._scheduler is not None:
            self._scheduler.drain()

    def close(self) -> None:
        """Waits for running requests and ends the worker threads."""
        if self._scheduler is not None:
            self._scheduler.close()
        self._pool.shutdown(wait=True)

    async def _run(
        self,
        signature: Signature,
        inputs: Mapping[str, Array],
        deadline: float | None,
    ) -> dict[str, Array]:
        scheduler = self._scheduler
        if scheduler is not None and scheduler.takes(signature, inputs):
            return await scheduler.run(signature, inputs, deadline)
        if deadline is None:
            return await self.in_worker(signature.run, inputs)
        clock = asyncio.get_running_loop().time
        return await self.in_worker(_run_in_time, signature, inputs, deadline, clock)


def _run_in_time(
    signature: Signature,
    inputs: Mapping[str, Array],
    deadline: float,
    clock: Callable[[], float],
) -> dict[str, Array]:
    if clock() >= deadline:
        raise DeadlineExceeded("the deadline passed while the request waited")
    return signature.run(inputs)
