"""Regress: one number per example, by TensorFlow Serving's rules.

As in `classification`, the signature's method name is not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from tensorflow_serving.apis import regression_pb2

from serving.protocol.errors import InvalidArgument
from serving.protocol.tensor_spec import Array, SignatureSpec

INPUT, OUTPUT = "inputs", "outputs"


def check_regression(spec: SignatureSpec) -> None:
    """Checks that a signature can regress.

    It needs one input, `inputs`, and one output, `outputs`.

    Raises:
        InvalidArgument: If it has not.
    """
    if len(spec.inputs) != 1:
        raise InvalidArgument("Expected one input Tensor.")
    if len(spec.outputs) != 1:
        raise InvalidArgument("Expected one output Tensor.")
    if INPUT not in spec.inputs:
        raise InvalidArgument(
            "No regression inputs found in SignatureDef: expected an input named "
            f"{INPUT!r}, the signature has {', '.join(spec.inputs)!r}"
        )
    if OUTPUT not in spec.outputs:
        raise InvalidArgument(
            "No regression outputs found in SignatureDef: expected an output named "
            f"{OUTPUT!r}, the signature has {', '.join(spec.outputs)!r}"
        )


def regression_result(
    outputs: Mapping[str, Array], batch: int
) -> regression_pb2.RegressionResult:
    """The number of each example.

    Args:
        outputs: `outputs`, [batch] or [batch, 1] of float32.
        batch: Number of examples.

    Raises:
        InvalidArgument: If the model's output has another shape or type.
    """
    values = outputs[OUTPUT]
    if not (values.ndim == 1 or (values.ndim == 2 and values.shape[1] == 1)):
        raise InvalidArgument(
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] "
            f"but got {list(values.shape)}"
        )
    if values.shape[0] != batch:
        raise InvalidArgument(
            f"Input batch size did not match output batch size: {batch} vs. "
            f"{values.shape[0]}"
        )
    if values.dtype != np.float32:
        raise InvalidArgument(
            f"Expected output Tensor of DT_FLOAT.  Got: {values.dtype}"
        )
    result = regression_pb2.RegressionResult()
    for value in values.ravel().tolist():
        result.regressions.add().value = value
    return result
