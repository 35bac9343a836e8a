"""The JSON bodies of TensorFlow Serving's predict requests and answers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from serving.errors import InvalidArgument
from serving.input_check import check_names
from serving.tensor_json import array_from_json, array_to_json, is_base64
from serving.tensor_spec import Array, TensorSpec

# Outputs whose names end so are binary.
_BYTES_SUFFIX = "_bytes"


@dataclass(frozen=True)
class PredictBody:
    """A predict request as it came, before its values are read.

    Attributes:
        signature: The signature's name; empty for the default one.
        by_row: Whether `values` are instances, else named columns.
        values: The JSON under `instances` or `inputs`.
    """

    signature: str
    by_row: bool
    values: Any


def parse_body(body: bytes) -> PredictBody:
    """Reads a request's JSON; NaN, Infinity and -Infinity are numbers.

    Raises:
        InvalidArgument: If it is not JSON, or not a predict request.
    """
    request = _parse_json(body)
    if not isinstance(request, dict):
        raise InvalidArgument("JSON Value: Is not object")
    signature = request.get("signature_name", "")
    if not isinstance(signature, str):
        raise InvalidArgument("'signature_name' key must be a string value.")
    if "instances" in request and "inputs" in request:
        raise InvalidArgument(
            "Not formatted correctly expecting only one of 'inputs' or 'instances' "
            "keys to exist"
        )
    if "inputs" in request:
        return PredictBody(signature, False, request["inputs"])
    if "instances" not in request:
        raise InvalidArgument("Missing 'inputs' or 'instances' key")
    instances = request["instances"]
    if not isinstance(instances, list):
        raise InvalidArgument("Expecting 'instances' to be a list/array")
    if not instances:
        raise InvalidArgument("No values in 'instances' array")
    return PredictBody(signature, True, instances)


def read_inputs(body: PredictBody, specs: Mapping[str, TensorSpec]) -> dict[str, Array]:
    """The arrays of a request.

    Columns that the signature does not have are ignored, as TensorFlow Serving does;
    instances must have the signature's names exactly.

    Args:
        body: The request.
        specs: The signature's inputs.

    Raises:
        InvalidArgument: If names, nesting or values do not fit.
    """
    columns = _columns_of_rows if body.by_row else _columns
    named = columns(body.values, specs)
    return {name: array_from_json(named[name], spec) for name, spec in specs.items()}


def write_outputs(outputs: Mapping[str, Array], by_row: bool) -> bytes:
    """The body of an answer: bare values for one output, by name for several.

    Args:
        outputs: Arrays by output name.
        by_row: Whether the request came by row: then the answer does, too.

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


def _parse_json(body: bytes) -> Any:
    try:
        return json.loads(body.decode(), parse_float=_finite)
    except RecursionError as error:
        raise InvalidArgument("JSON Parse error: nested too deeply") from error
    except ValueError as error:
        raise InvalidArgument(
            f"JSON Parse error: {error if body else 'The document is empty.'}"
        ) from error


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError("Number too big to be stored in double.")
    return value


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
        if batch != first:
            raise InvalidArgument(
                f"Tensor name: {name} has inconsistent batch size: {batch[0]} "
                f"expecting: {first[0] if first else 'a scalar'}; ask by column, with "
                "'inputs' for 'instances'"
            )
