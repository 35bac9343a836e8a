"""The JSON bodies of TensorFlow Serving's predict requests and answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from tensorflow_serving.apis import regression_pb2

from serving.protocol.errors import InvalidArgument
from serving.protocol.input_check import check_names
from serving.protocol.tensor_json import array_from_json, array_to_json, is_base64
from serving.protocol.tensor_spec import Array, TensorSpec

# Outputs whose names end so are binary.
_BYTES_SUFFIX = "_bytes"


def is_by_row(fields: Mapping[str, Any]) -> bool:
    """Whether a request gives `instances`, row by row, or `inputs`, by column.

    Raises:
        InvalidArgument: If it gives neither or both.
    """
    if "instances" in fields and "inputs" in fields:
        raise InvalidArgument(
            "Not formatted correctly expecting only one of 'inputs' or 'instances' "
            "keys to exist"
        )
    if "instances" not in fields and "inputs" not in fields:
        raise InvalidArgument("Missing 'inputs' or 'instances' key")
    return "instances" in fields


def read_inputs(
    fields: Mapping[str, Any], specs: Mapping[str, TensorSpec]
) -> dict[str, Array]:
    """The arrays of a request.

    Columns that the signature does not have are ignored, as TensorFlow Serving does;
    instances must have the signature's names exactly.

    Args:
        fields: The request's JSON object.
        specs: The signature's inputs.

    Raises:
        InvalidArgument: If names, nesting or values do not fit.
    """
    if not specs:
        raise InvalidArgument("Failed to get input map: the signature has no inputs")
    if is_by_row(fields):
        named = _columns_of_rows(_instances(fields["instances"]), specs)
    else:
        named = _columns(fields["inputs"], specs)
    return {name: array_from_json(named[name], spec) for name, spec in specs.items()}


def write_outputs(outputs: Mapping[str, Array], by_row: bool) -> bytes:
    """The body of an answer: bare values for one output, by name for several.

    Args:
        outputs: Arrays by output name.
        by_row: Whether the request came by row; then the answer also does.

    Raises:
        InvalidArgument: If an answer by row is asked for and the outputs have no
            common batch.
    """
    if by_row:
        _check_batch(outputs)
    values = {
        name: array_to_json(array, as_bytes=name.endswith(_BYTES_SUFFIX))
        for name, array in outputs.items()
    }
    bare = next(iter(values.values())) if len(values) == 1 else None
    answer: dict[str, Any]
    if not by_row:
        answer = {"outputs": values if bare is None else bare}
    elif bare is not None:
        answer = {"predictions": bare}
    else:
        rows = zip(*values.values(), strict=True)
        answer = {"predictions": [dict(zip(values, row, strict=True)) for row in rows]}
    return json.dumps(answer, ensure_ascii=False, indent=4).encode()


def write_results(result: Any) -> bytes:
    """The body of a classify or regress answer.

    Args:
        result: A `ClassificationResult`: [label, score] of each class of each example;
            or a `RegressionResult`: a number per example.
    """
    if isinstance(result, regression_pb2.RegressionResult):
        results: list[Any] = _float32([entry.value for entry in result.regressions])
    else:
        results = [
            [
                [entry.label, score]
                for entry, score in zip(
                    answer.classes,
                    _float32([entry.score for entry in answer.classes]),
                    strict=True,
                )
            ]
            for answer in result.classifications
        ]
    return json.dumps({"results": results}, ensure_ascii=False, indent=4).encode()


def _float32(values: list[float]) -> list[float]:
    shortest: list[float] = array_to_json(np.array(values, np.float32), as_bytes=False)
    return shortest


def _instances(instances: Any) -> list[Any]:
    if not isinstance(instances, list):
        raise InvalidArgument("Expecting 'instances' to be a list/array")
    if not instances:
        raise InvalidArgument("No values in 'instances' array")
    return instances


def _columns(values: Any, specs: Mapping[str, TensorSpec]) -> dict[str, Any]:
    if not isinstance(values, dict) or is_base64(values):
        return {_only_input("inputs is a plain value/list", specs): values}
    for name in specs:
        if name not in values:
            raise InvalidArgument(f"Missing named input: {name} in 'inputs' object.")
    return values


def _columns_of_rows(
    instances: list[Any], specs: Mapping[str, TensorSpec]
) -> dict[str, list[Any]]:
    named = [_is_named(instance) for instance in instances]
    if not any(named):
        return {_only_input("instances is a plain list", specs): instances}
    for number, instance in enumerate(instances):
        if not named[number]:
            raise InvalidArgument(f"Expecting object at item {number} of 'instances'")
        try:
            check_names(instance, specs)
        except InvalidArgument as error:
            raise InvalidArgument(
                f"Failed to process element: {number} of 'instances' list. "
                f"{error.message}"
            ) from error
    return {name: [instance[name] for instance in instances] for name in specs}


def _is_named(instance: Any) -> bool:
    return isinstance(instance, dict) and not is_base64(instance)


def _only_input(what: str, specs: Mapping[str, TensorSpec]) -> str:
    if len(specs) != 1:
        raise InvalidArgument(
            f"{what}, but expecting an object as the signature has the inputs "
            f"{{{', '.join(specs)}}}"
        )
    return next(iter(specs))


def _check_batch(outputs: Mapping[str, Array]) -> None:
    batches = {name: array.shape[:1] for name, array in outputs.items()}
    first = next(iter(batches.values()))
    for name, batch in batches.items():
        if not batch:
            raise InvalidArgument(f"Tensor name: {name} has no shape information")
        if batch[0] < 1:
            raise InvalidArgument(f"Tensor name: {name} has invalid batch size: 0")
        if batch != first:
            raise InvalidArgument(
                f"Tensor name: {name} has inconsistent batch size: {batch[0]} "
                f"expecting: {first[0] if first else 'a scalar'}; ask by column, with "
                "'inputs' for 'instances'"
            )
