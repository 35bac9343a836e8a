"""The `Input` of Classify, Regress and MultiInference: a batch of `tf.Example`s."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from serving.protocol.errors import InvalidArgument
from serving.protocol.tensor_spec import Array


def read_input(message: Any) -> Array:
    """Serialized examples [batch] of an `Input` message; bytes objects.

    Raises:
        InvalidArgument: If it holds no example.
    """
    kind = message.WhichOneof("kind")
    if kind is None:
        raise InvalidArgument("Input is empty.")
    examples = getattr(message, kind)
    context = b""
    if kind == "example_list_with_context":
        context = examples.context.SerializeToString()
    return serialized_examples(examples.examples, context)


def example_count(message: Any) -> int:
    """Number of examples in an `Input` message."""
    kind = message.WhichOneof("kind")
    return len(getattr(message, kind).examples) if kind else 0


def serialized_examples(examples: Sequence[Any], context: bytes = b"") -> Array:
    """Serialized examples [batch], each with the context's features before its own.

    Two messages one after the other are one that has the fields of both, so the
    context is serialized once.

    Args:
        examples: `tf.Example` messages.
        context: A serialized `tf.Example` that all of them share.

    Raises:
        InvalidArgument: If there is no example.
    """
    if not examples:
        raise InvalidArgument("Input is empty.")
    serialized = np.empty(len(examples), object)
    for row, example in enumerate(examples):
        serialized[row] = context + example.SerializeToString()
    return serialized
