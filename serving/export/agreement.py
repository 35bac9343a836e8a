"""What the inputs of a request must have in common, checked in the graph itself.

So every server says it, by INVALID_ARGUMENT: TensorFlow Serving compares neither
lengths nor batches. An `Assert` shows what it is given, each part in brackets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

Tensors = Mapping[str, Any]

_ONE_LENGTH = (
    "the columns of a sequence have an entry per event each, so they must have one "
    "length, or 0 for a column that is not known. Received the lengths"
)


def with_one_batch(inputs: Tensors, what: str) -> dict[str, Any]:
    """The same tensors, once their first dimensions are found to be equal.

    Args:
        inputs: Dense tensors by name.
        what: What they have a value for each of, such as `candidate`.
    """
    if len(inputs) < 2:
        return dict(inputs)
    shapes = {name: tf.shape(value) for name, value in inputs.items()}
    # A shape of one size is that size, so most need no slicing.
    first = [
        shape if inputs[name].shape.rank == 1 else shape[:1]
        for name, shape in shapes.items()
    ]
    each = tf.concat(first, axis=0)
    rule = f"these inputs must have one entry per {what} each. Received the shapes"
    return _after(tf.reduce_all(each == each[:1]), rule, shapes, inputs)


def with_one_width(
    inputs: Tensors, sequences: Sequence[Sequence[str]]
) -> dict[str, Any]:
    """The same tensors, once each sequence's columns are found to be equally long.

    Args:
        inputs: Dense tensors by name; columns of sequences are [batch, length].
        sequences: Names of the columns of each sequence.
    """
    for names in sequences:
        sizes = {name: tf.shape(inputs[name])[1] for name in names}
        each = tf.stack(list(sizes.values()))
        fits = tf.reduce_all((each == tf.reduce_max(each)) | (each == 0))
        inputs = {**inputs, **_after(fits, _ONE_LENGTH, sizes, _only(inputs, names))}
    return dict(inputs)


def with_one_row_length(
    inputs: Tensors, sequences: Sequence[Sequence[str]]
) -> dict[str, Any]:
    """The same ragged tensors, once each row is found to be equally long in each.

    Args:
        inputs: Parsed examples by name; columns of sequences are ragged.
        sequences: Names of the columns of each sequence.
    """
    for names in sequences:
        lengths = tf.cast(
            tf.stack([inputs[name].row_lengths() for name in names]), tf.int32
        )
        wrong = (lengths != tf.reduce_max(lengths, axis=0)) & (lengths != 0)
        # A row more, which is right, so that there is a first one.
        wrong = tf.pad(tf.reduce_any(wrong, axis=0), [[0, 1]])
        row = tf.argmax(wrong, output_type=tf.int32)
        shown = tf.pad(lengths, [[0, 0], [0, 1]])[:, row]
        sizes = {"example": row, **dict(zip(names, tf.unstack(shown), strict=True))}
        fits = tf.logical_not(tf.reduce_any(wrong))
        inputs = {**inputs, **_after(fits, _ONE_LENGTH, sizes, _only(inputs, names))}
    return dict(inputs)


def _only(inputs: Tensors, names: Sequence[str]) -> Tensors:
    return {name: inputs[name] for name in names}


def _after(
    fits: tf.Tensor, rule: str, sizes: Tensors, inputs: Tensors
) -> dict[str, Any]:
    """The inputs, which nothing can read before the check."""
    data = [rule]
    for name, size in sizes.items():
        data += [name, size]
    with tf.control_dependencies([tf.Assert(fits, data)]):
        parts = tf.nest.flatten(inputs, expand_composites=True)
        checked = tf.nest.pack_sequence_as(
            inputs, tf.identity_n(parts), expand_composites=True
        )
    return dict(checked)
