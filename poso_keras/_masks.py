"""The mask of a sequence: which of its steps are valid."""

import functools
from typing import Any

from poso_keras._backend import Shape, Tensor, ops, tensorflow
from poso_keras._inputs import check_is_dense, static_shape

_MAX_RANK = 4  # [batch, heads, queries, seq]
_RULE = (
    "must have the shape [batch, seq], or [1, seq] for all rows; an axis of size 1 "
    "may stand in between"
)


def as_mask(name: str, mask: Any, value: Tensor, *others: Tensor) -> Tensor:
    """Returns a mask argument of `call` as booleans, [batch or 1, seq].

    Args:
        name: the argument, for errors.
        mask: [batch, seq] or [1, seq], of booleans or of 0 and 1; or with the axes that
            `keras.layers.MultiHeadAttention` has for heads and queries in between, of
            size 1: [batch, 1, seq] or [batch, 1, 1, seq].
        value: [batch, seq, value_dim], or [1, seq, value_dim].
        *others: arguments that have the batch too, or one row.

    Raises:
        ValueError: the mask has another shape, or is of text. Sizes that are known only
            when a TensorFlow graph runs are checked there, by
            `tf.errors.InvalidArgumentError`.
    """
    check_is_dense(name, mask)
    shape, sequence = static_shape(mask), static_shape(value)
    batch = _batch(value, *others)
    seq = None if sequence is None else sequence[1]
    if shape is not None and not _may_fit(shape, batch, seq):
        raise ValueError(
            f"`{name}` {_RULE}: expected ({_shown(batch)}, {_shown(seq)}). "
            f"Received: {name}.shape={shape}"
        )
    if tensorflow is not None:
        mask = _checked_in_graph(name, mask, shape, batch, seq, (value, *others))
    if shape is not None and len(shape) > 2:
        mask = mask[(slice(None),) + (0,) * (len(shape) - 2)]
    return ops.cast(mask, "bool")


def without_invalid(value: Tensor, valid: Tensor | None) -> Tensor:
    """Returns a sequence whose invalid steps are zero, whatever they hold.

    A weight of zero is not enough: 0 times NaN or infinity is NaN.

    Args:
        value: [batch or 1, seq, value_dim].
        valid: [batch or 1, seq], or None.
    """
    if valid is None:
        return value
    return ops.where(ops.expand_dims(valid, -1), value, ops.zeros_like(value))


def padded(value: Any) -> tuple[Tensor, Tensor]:
    """Returns ragged rows as [batch, seq, value_dim], and their steps [batch, seq]."""
    lengths = value.row_lengths()
    value = value.to_tensor()
    return value, tensorflow.sequence_mask(lengths, tensorflow.shape(value)[1])


def _batch(*tensors: Tensor) -> int | None:
    """The batch size of all together, None if it is not known yet."""
    sizes = {(static_shape(tensor) or (None,))[0] for tensor in tensors}
    known = sizes - {None, 1}
    return known.pop() if known else None if None in sizes else 1


def _may_fit(shape: Shape, batch: int | None, seq: int | None) -> bool:
    if not 2 <= len(shape) <= _MAX_RANK or set(shape[1:-1]) - {None, 1}:
        return False
    fits_seq = None in (shape[-1], seq) or shape[-1] == seq
    return fits_seq and (batch is None or shape[0] in (None, 1, batch))


def _is_known(shape: Shape, batch: int | None, seq: int | None) -> bool:
    """Whether nothing is left to check when the graph runs."""
    rows_known = shape[0] == 1 or None not in (shape[0], batch)
    return rows_known and seq is not None and None not in shape[1:]


def _shown(size: int | None) -> str:
    return "?" if size is None else str(size)


def _checked_in_graph(
    name: str,
    mask: Any,
    shape: Shape | None,
    batch: int | None,
    seq: int | None,
    tensors: tuple[Tensor, ...],
) -> Tensor:
    """The mask, once a graph has checked what is not known before it runs."""
    tf = tensorflow
    mask = tf.convert_to_tensor(mask)
    checks = []
    if mask.dtype.is_floating:
        text = (
            f"`{name}` must be true (or 1) for a valid step and false (or 0) for any "
            "other; a mask that is added to scores is not taken. Received:"
        )
        checks.append(tf.Assert(tf.reduce_all(mask >= 0), [text, mask]))
    if shape is None or not _is_known(shape, batch, seq):
        sizes = tf.shape(mask)
        rows = _largest_batch(tensors)
        expected = tf.stack([rows, tf.shape(tensors[0])[1]])
        if shape is not None and len(shape) == 2:
            first, last = tf.unstack(sizes)
            fits = (last == expected[1]) & ((first == 1) | (first == rows))
        else:
            fits = _fits_with_axes(sizes, rows, expected[1])
        texts = f"`{name}` {_RULE}: expected", f"Received: {name}.shape="
        data = [texts[0], expected, texts[1], sizes]
        checks.append(tf.Assert(fits, data, summarize=2 * _MAX_RANK))
    with tf.control_dependencies([check for check in checks if check is not None]):
        mask = tf.identity(mask)
    if shape is None:
        sizes = tf.shape(mask)
        mask = tf.reshape(mask, [sizes[0], sizes[-1]])
    return mask


def _largest_batch(tensors: tuple[Tensor, ...]) -> Tensor:
    """The batch size of all together, of which each has that or 1."""
    tf = tensorflow
    known_as_one = [(static_shape(tensor) or (None,))[0] == 1 for tensor in tensors]
    sizes = [
        tf.shape(tensor)[0]
        for tensor, one in zip(tensors, known_as_one, strict=True)
        if not one
    ]
    return functools.reduce(tf.maximum, sizes) if sizes else tf.constant(1)


def _fits_with_axes(sizes: Tensor, rows: Tensor, seq: Tensor) -> Tensor:
    """Whether a mask of any rank has the sizes, and 1 in between."""
    tf = tensorflow
    rank = tf.size(sizes)
    # Ones before and after, so that there are two sizes whatever the rank is.
    ends = tf.concat([[1], sizes, [1]], axis=0)
    return (
        (rank >= 2)
        & (rank <= _MAX_RANK)
        & (tf.reduce_prod(ends[2:-2]) == 1)
        & (ends[-2] == seq)
        & ((ends[1] == 1) | (ends[1] == rows))
    )
