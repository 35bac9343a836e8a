"""Prediction independent of the protocol: what both services call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from serving.errors import DeadlineExceeded
from serving.input_check import check_inputs, check_output_filter
from serving.model_store import ModelSpec, ModelStore
from serving.saved_model import ModelVersion, Signature
from serving.tensor_spec import Array

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Prediction:
    """What a signature answered.

    Attributes:
        version: The version that answered.
        signature: The signature's name.
        outputs: Arrays by output name; bytes objects for strings.
    """

    version: int
    signature: str
    outputs: Mapping[str, Array]


@dataclass(frozen=True)
class Target:
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
        workers: Threads that decode, run and encode requests.
    """

    def __init__(self, store: ModelStore, workers: int):
        self.store = store
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="predict")

    def resolve(self, model_spec: ModelSpec) -> Target:
        """Settles which version and signature answer a request.

        Raises:
            ServingError: `NotFound` or `FailedPrecondition` for an unknown model,
                version or signature.
        """
        version = self.store.find(model_spec)
        signature = version.signature(model_spec.signature)
        return Target(model_spec.name, version, signature)

    async def predict(
        self,
        target: Target,
        inputs: Mapping[str, Array],
        output_filter: Sequence[str] = (),
        deadline: float | None = None,
    ) -> Prediction:
        """Checks the inputs and runs the signature.

        Args:
            target: What answers.
            inputs: Arrays by input name; bytes objects for strings.
            output_filter: The outputs to return; empty for all.
            deadline: When the answer is of no more use, in the event loop's seconds.

        Raises:
            ServingError: `InvalidArgument` for inputs that do not fit the signature,
                or what the graph refuses; `DeadlineExceeded` if it is too late to
                begin.
        """
        spec = target.signature.spec
        check_inputs(inputs, spec.inputs)
        check_output_filter(output_filter, spec.outputs)
        if deadline is not None and asyncio.get_running_loop().time() > deadline:
            raise DeadlineExceeded("the deadline passed before the model was run")
        outputs = await self.in_worker(target.signature.run, inputs)
        wanted = output_filter or sorted(outputs)
        return Prediction(
            target.version.number,
            target.signature.name,
            {name: outputs[name] for name in wanted},
        )

    async def in_worker(
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Runs a blocking function in a worker thread."""
        return await asyncio.wrap_future(self._pool.submit(function, *args, **kwargs))

    def close(self) -> None:
        """Waits for running requests and ends the worker threads."""
        self._pool.shutdown(wait=True)
