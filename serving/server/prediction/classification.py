"""Classify: class labels and scores of examples, by TensorFlow Serving's rules.

The method name of the signature is not looked at, which is TensorFlow Serving's
default (`--enable_signature_method_name_check=false`): TensorFlow 2 cannot set it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from tensorflow_serving.apis import classification_pb2

from serving.protocol.errors import InvalidArgument
from serving.protocol.tensor_spec import Array, SignatureSpec

INPUT = "inputs"
CLASSES, SCORES = "classes", "scores"


def check_classification(spec: SignatureSpec) -> None:
    """Checks that a signature can classify.

    It needs one input, `inputs`, and one or two outputs, of which one is `classes` or
    `scores`.

    Raises:
        InvalidArgument: If it has not.
    """
    if len(spec.inputs) != 1:
        raise InvalidArgument("Expected one input Tensor.")
    if len(spec.outputs) not in (1, 2):
        raise InvalidArgument(
            f"Expected one or two output Tensors, found {len(spec.outputs)}"
        )
    if INPUT not in spec.inputs:
        raise InvalidArgument(
            "No classification inputs found in SignatureDef: expected an input named "
            f"{INPUT!r}, the signature has {', '.join(spec.inputs)!r}"
        )
    if not {CLASSES, SCORES} & set(spec.outputs):
        raise InvalidArgument(
            "Expected classification signature outputs to contain at least one of "
            f'"{CLASSES}" or "{SCORES}". Signature has: {", ".join(spec.outputs)}'
        )


def classification_result(
    outputs: Mapping[str, Array], batch: int
) -> classification_pb2.ClassificationResult:
    """The classes of each example.

    Args:
        outputs: `classes` [batch, classes] of strings, `scores` of the same shape of
            float32, or both.
        batch: Number of examples.

    Raises:
        InvalidArgument: If the model's outputs have another shape or type.
    """
    classes, scores = outputs.get(CLASSES), outputs.get(SCORES)
    if classes is not None:
        _check(CLASSES, classes, "DT_STRING", np.dtype(object), batch)
    if scores is not None:
        _check(SCORES, scores, "DT_FLOAT", np.dtype(np.float32), batch)
    if classes is not None and scores is not None and classes.shape != scores.shape:
        raise InvalidArgument(
            "Tensors class and score should match in dim_size(1). Got "
            f"{classes.shape[1]} vs. {scores.shape[1]}"
        )
    count = next(array.shape[1] for array in (classes, scores) if array is not None)
    result = classification_pb2.ClassificationResult()
    for row in range(batch):
        answer = result.classifications.add()
        for column in range(count):
            entry = answer.classes.add()
            if classes is not None:
                # A label is a string of the protocol, which must be UTF-8.
                entry.label = classes[row, column].decode(errors="replace")
            if scores is not None:
                entry.score = scores[row, column]
    return result


def _check(
    name: str, array: Array, type_name: str, dtype: np.dtype, batch: int
) -> None:
    if array.ndim != 2:
        raise InvalidArgument(
            "Expected Tensor shape: [batch_size num_classes] but got "
            f"{list(array.shape)}"
        )
    if array.dtype != dtype:
        raise InvalidArgument(
            f"Expected {name} Tensor of {type_name}. Got: {array.dtype}"
        )
    if array.shape[0] != batch:
        raise InvalidArgument(
            f"Expected {name} output batch size of {batch}. Got: {array.shape[0]}"
        )
