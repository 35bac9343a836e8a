"""Classify, Regress and MultiInference independent of the protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from serving.protocol.errors import InvalidArgument, Unimplemented
from serving.protocol.tensor_spec import Array, SignatureSpec
from serving.server.models.model_store import ModelSpec
from serving.server.models.saved_model import DEFAULT_SIGNATURE, ModelVersion, Signature
from serving.server.prediction.classification import (
    check_classification,
    classification_result,
)
from serving.server.prediction.predictor import Lease, Predictor
from serving.server.prediction.regression import check_regression, regression_result

CLASSIFY_METHOD = "tensorflow/serving/classify"
REGRESS_METHOD = "tensorflow/serving/regress"
_INPUT = "inputs"


@dataclass(frozen=True)
class Method:
    """What one of the methods asks of a signature and makes of its outputs.

    Attributes:
        name: Its name in a `SignatureDef` and in a MultiInference task.
        check: Raises `InvalidArgument` for a signature that cannot serve it.
        result: From outputs and number of examples to the protocol's result message.
    """

    name: str
    check: Callable[[SignatureSpec], None]
    result: Callable[[Mapping[str, Array], int], Any]


CLASSIFY = Method(CLASSIFY_METHOD, check_classification, classification_result)
REGRESS = Method(REGRESS_METHOD, check_regression, regression_result)
_METHODS = {method.name: method for method in (CLASSIFY, REGRESS)}


@dataclass(frozen=True)
class Inference:
    """A method's answer.

    Attributes:
        lease: What answered.
        method: The method.
        batch: Number of examples.
        result: A `ClassificationResult` or `RegressionResult` message.
    """

    lease: Lease
    method: Method
    batch: int
    result: Any


async def infer(
    predictor: Predictor,
    method: Method,
    spec: ModelSpec,
    read: Callable[[], Array],
    deadline: float | None = None,
) -> Inference:
    """Runs a signature on examples.

    Args:
        predictor: What runs it.
        method: `CLASSIFY` or `REGRESS`.
        spec: The model and the signature.
        read: Makes the serialized examples [batch]; called in a worker, and only if
            the signature can serve the method.
        deadline: The time after which nobody waits for the answer, on the event
            loop's clock; None for never.

    Raises:
        ServingError: As `Predictor.predict`; `InvalidArgument` for a signature that
            does not exist or cannot serve the method.
    """
    version = predictor.store.find(spec)
    signature = _signature(version, spec, "No signature was found with the name: {}")
    method.check(signature.spec)
    examples = await predictor.in_worker(read)
    lease = Lease(spec.name, version, signature)
    return await _run(predictor, method, lease, examples, deadline)


async def infer_all(
    predictor: Predictor,
    tasks: Sequence[tuple[ModelSpec, str]],
    read: Callable[[], Array],
    deadline: float | None = None,
) -> list[Inference]:
    """Runs several signatures of one model on the same examples.

    As in TensorFlow Serving, the first task settles the version, and the signatures
    must be fed by one tensor of the graph, which those that TensorFlow 2 exports are
    not: each has its own.

    Args:
        predictor: What runs them.
        tasks: Model and signature, and the method's name, of each task.
        read: Makes the serialized examples [batch]; called in a worker.
        deadline: The time after which nobody waits for the answer, on the event
            loop's clock; None for never.

    Raises:
        ServingError: As `infer`; `Unimplemented` for another method.
    """
    first = tasks[0][0] if tasks else ModelSpec("")
    version = predictor.store.find(first)
    chosen: dict[str, tuple[Method, Lease]] = {}
    fed = set()
    for spec, name in tasks:
        _check_model(spec, first)
        signature = _signature(
            version, spec, "Requested signature not found in model graph: {}"
        )
        if signature.name in chosen:
            raise InvalidArgument(
                f"Duplicate evaluation of signature: {signature.name}"
            )
        if name not in _METHODS:
            raise Unimplemented(f"Unsupported signature method_name: {name}")
        method = _METHODS[name]
        method.check(signature.spec)
        fed.add(version.definitions[signature.name].inputs[_INPUT].name)
        if len(fed) > 1:
            raise InvalidArgument("Input tensor must be the same for all Signatures.")
        chosen[signature.name] = (method, Lease(first.name, version, signature))
    examples = await predictor.in_worker(read)
    return [
        await _run(predictor, method, lease, examples, deadline)
        for method, lease in chosen.values()
    ]


async def _run(
    predictor: Predictor,
    method: Method,
    lease: Lease,
    examples: Array,
    deadline: float | None,
) -> Inference:
    outputs = await predictor.predict(lease, {_INPUT: examples}, deadline=deadline)
    batch = len(examples)
    result = await predictor.in_worker(method.result, outputs, batch)
    return Inference(lease, method, batch, result)


def _signature(version: ModelVersion, spec: ModelSpec, message: str) -> Signature:
    name = spec.signature or DEFAULT_SIGNATURE
    if name not in version.signatures:
        raise InvalidArgument(message.format(name))
    return version.signatures[name]


def _check_model(spec: ModelSpec, first: ModelSpec) -> None:
    if not spec.name:
        raise InvalidArgument("Found ModelSpec with an empty model name.")
    if spec.name != first.name:
        raise InvalidArgument(
            "All ModelSpecs in a MultiInferenceRequest must access the same model name."
        )
