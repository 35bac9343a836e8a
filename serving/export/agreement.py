"""What the inputs of a request must have in common, checked in the graph itself.

So every server says it, by INVALID_ARGUMENT: TensorFlow Serving compares neither
lengths nor batches. An `Assert` shows what it is given, each part in brackets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import tensorflow as tf

Tensors = Mapping[str, Any]

_ONE_LENGTH = (
    "the columns of a sequence have an entry per event each, so they must have one "
    "length, or 0 for a column that is not known. Received the lengths"
)


def with_agreed_shapes(inputs: Tensors, rule: str) -> dict[str, Any]:
    """The same tensors, once they are found to have their ranks and a common batch.

    Inputs whose first dimension is not known to the graph must have one size in it, the
    others theirs. A list [batch, length] of no rows may come as [0], which is all that
    JSON can say of it, and leaves as [0, 0].

    Args:
        inputs: Dense tensors by name, each a vector or a matrix.
        rule: What is expected. A refusal shows it, and the shapes of the first input
            that breaks it and of one that has the common batch.
    """
    free = [name for name, value in inputs.items() if value.shape[0] is None]
    names = [*free, *(name for name in inputs if name not in free)]
    # Without what is known of their shapes, lest the check be optimized away.
    hidden = {
        name: tf.raw_ops.PlaceholderWithDefault(input=inputs[name], shape=None)
        for name in names
    }
    shapes = [tf.shape(hidden[name]) for name in names]
    ranks = tf.stack([tf.size(shape) for shape in shapes])
    # A size more, so that there is one after a scalar that is the last.
    sizes = tf.concat([*shapes, [-1]], axis=0)
    starts = tf.cumsum(ranks, exclusive=True)
    first = tf.gather(sizes, starts)
    wrong = _have_wrong_shapes(ranks, first, [inputs[name].shape for name in names])
    culprit = tf.argmax(wrong, output_type=tf.int32)
    start, rank = starts[culprit], ranks[culprit]
    shown = tf.strided_slice(sizes, start[None], (start + rank)[None], [1])
    data = [f"{rule}. Received the shapes", tf.constant(names)[culprit], shown]
    data += [names[0], shapes[0]] if free else []
    lists = [name for name in free if inputs[name].shape.rank == 2]
    given = {**inputs, **_only(hidden, lists)}
    checked = _after(tf.logical_not(tf.reduce_any(wrong)), data, given)
    return {**checked, **{name: _matrix(checked[name]) for name in lists}}


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
        inputs = {**inputs, **_after(fits, _shown(sizes), _only(inputs, names))}
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
        inputs = {**inputs, **_after(fits, _shown(sizes), _only(inputs, names))}
    return dict(inputs)


def _have_wrong_shapes(
    ranks: tf.Tensor, first: tf.Tensor, wanted: Sequence[tf.TensorShape]
) -> tf.Tensor:
    """Whether each input has another rank or first dimension [inputs] than it should.

    Args:
        ranks: Of each input.
        first: Each input's first dimension; anything for a scalar.
        wanted: Each input's static shape; those with a free first dimension come first.
    """
    is_free = [shape[0] is None for shape in wanted]
    fixed = [shape[0] for shape in wanted if shape[0] is not None]
    batch = tf.concat([tf.repeat(first[:1], sum(is_free)), fixed], axis=0)
    other_rank = tf.not_equal(ranks, [shape.rank for shape in wanted])
    no_rows = tf.equal(ranks, 1) & tf.equal(first, 0) & tf.constant(is_free)
    return (other_rank & ~no_rows) | tf.not_equal(first, batch)


def _matrix(value: tf.Tensor) -> tf.Tensor:
    """A matrix as it is, and a vector without elements as [0, 0]."""
    shape = tf.concat([tf.shape(value), [0]], axis=0)[:2]
    value = tf.reshape(value, shape)
    value.set_shape([None, None])
    return value


def _shown(lengths: Tensors) -> list[Any]:
    return [_ONE_LENGTH, *chain.from_iterable(lengths.items())]


def _only(inputs: Tensors, names: Sequence[str]) -> Tensors:
    return {name: inputs[name] for name in names}


def _after(fits: tf.Tensor, data: Sequence[Any], inputs: Tensors) -> dict[str, Any]:
    """The inputs, which nothing can read before the check.

    Args:
        fits: Whether they are right.
        data: What the refusal shows if not: texts, names and sizes.
        inputs: Tensors by name.
    """
    with tf.control_dependencies([tf.Assert(fits, data)]):
        parts = tf.nest.flatten(inputs, expand_composites=True)
        checked = tf.nest.pack_sequence_as(
            inputs, tf.identity_n(parts), expand_composites=True
        )
    return dict(checked)
