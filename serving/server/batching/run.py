"""Runs one batch and gives each request its answer."""

from __future__ import annotations

from collections.abc import Sequence

from serving.protocol.errors import ServingError
from serving.protocol.tensor_spec import Array
from serving.server.batching.merge import Arrays, merge_inputs, split_outputs
from serving.server.models.saved_model import Signature

Answer = dict[str, Array] | ServingError


def run_batch(
    signature: Signature, requests: Sequence[Arrays], rows: Sequence[int], size: int
) -> list[Answer]:
    """The outputs of each request, or its error.

    If the graph refuses the batch, or does not answer row by row, the requests are run
    one by one: no request suffers from another's values.

    Args:
        signature: What to run.
        requests: Inputs by name.
        rows: Rows of each request.
        size: Rows to run, at least their sum.
    """
    try:
        outputs = signature.run(merge_inputs(requests, sum(rows), size))
    except ServingError as error:
        if len(requests) == 1:
            return [error]
    else:
        if all(array.shape[:1] == (size,) for array in outputs.values()):
            return [*split_outputs(outputs, rows)]
    return [_run_alone(signature, request) for request in requests]


def _run_alone(signature: Signature, request: Arrays) -> Answer:
    try:
        return signature.run(request)
    except ServingError as error:
        return error
