"""Prediction independent of the protocol: what both services call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import ParamSpec, TypeVar

from serving.input_check import check_inputs, check_output_filter
from serving.model_store import ModelSpec, ModelStore
from serving.tensor_spec import Array, SignatureSpec

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


class Predictor:
    """Runs requests against a store of model versions.

    Args:
        store: The model's versions.
        workers: Threads that decode, run and encode requests.
    """

    def __init__(self, store: ModelStore, workers: int):
        self.store = store
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="predict")

    def resolve(self, model_spec: ModelSpec) -> tuple[ModelSpec, SignatureSpec]:
        """Settles which version answers and by which signature its inputs are read.

        Returns:
            The same model specification with the version's number, and the signature's.

        Raises:
            ServingError: `NotFound` or `FailedPrecondition` for an unknown model,
                version or signature.
        """
        version = self.store.find(model_spec)
        signature = version.signature(model_spec.signature)
        return replace(model_spec, version=version.number), signature.spec

    def predict(
        self,
        model_spec: ModelSpec,
        inputs: Mapping[str, Array],
        output_filter: Sequence[str] = (),
    ) -> Prediction:
        """Checks the inputs and runs the signature, in the calling thread.

        Args:
            model_spec: Model, version and signature.
            inputs: Arrays by input name; bytes objects for strings.
            output_filter: The outputs to return; empty for all.

        Raises:
            ServingError: `NotFound` or `FailedPrecondition` for an unknown model,
                version or signature, `InvalidArgument` for inputs that do not fit it.
        """
        version = self.store.find(model_spec)
        signature = version.signature(model_spec.signature)
        check_inputs(inputs, signature.spec.inputs)
        check_output_filter(output_filter, signature.spec.outputs)
        outputs = signature.run(inputs)
        wanted = output_filter or sorted(outputs)
        return Prediction(
            version.number, signature.name, {name: outputs[name] for name in wanted}
        )

    async def in_worker(
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Runs a blocking function in a worker thread."""
        return await asyncio.wrap_future(self._pool.submit(function, *args, **kwargs))

    def close(self) -> None:
        """Waits for running requests and ends the worker threads."""
        self._pool.shutdown(wait=True)
