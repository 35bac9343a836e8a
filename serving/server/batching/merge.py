"""Requests of one signature put together row by row, and their answers taken apart."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from serving.protocol.tensor_spec import ABSENT, Array, SignatureSpec, TensorSpec

Arrays = Mapping[str, Array]
# Of each input, in the order of the specification: its dimensions after the first.
Shapes = tuple[tuple[int, ...], ...]
_ONE_CLASS_UP_TO = 64


def count_rows(inputs: Arrays) -> int | None:
    """The first dimension of all inputs; None if they do not agree in it."""
    lengths = {array.shape[0] for array in inputs.values()}
    return lengths.pop() if len(lengths) == 1 else None


def shapes_of(inputs: Arrays, spec: SignatureSpec, pad: bool) -> Shapes:
    """What requests must have in common to share a batch.

    Args:
        inputs: Arrays that fit the specification.
        spec: The signature's inputs and outputs.
        pad: Whether inputs may be filled up to a common length, where their type has an
            absent value; only much longer ones are then kept apart.
    """
    return tuple(
        _length_classes(inputs[name].shape[1:])
        if pad and _can_be_padded(tensor)
        else inputs[name].shape[1:]
        for name, tensor in spec.inputs.items()
    )


def merge_inputs(requests: Sequence[Arrays], rows: int, size: int) -> dict[str, Array]:
    """The requests' rows below each other.

    A shorter input is filled up at its end by the absent value: "", -1 or NaN. That is
    how a dense request of the ranking model says that there is no value, so scores stay
    what they are. (TensorFlow Serving repeats the input's first value instead, which
    would lengthen a history.)

    A request that the graph refuses for the lengths of its inputs is refused in a batch
    too: where two inputs of a request differ in length, they still do in the result.

    Args:
        requests: Inputs by name; after padding, equal in all dimensions but the first.
        rows: The sum of their rows.
        size: Rows of the result; the further ones repeat the last request's first row,
            as in TensorFlow Serving.
    """
    if len(requests) == 1 and size == rows:
        return dict(requests[0])
    lengths = _common_lengths(requests)
    return {
        name: _concatenated(
            [request[name] for request in requests], lengths[name], size - rows
        )
        for name in requests[0]
    }


def split_outputs(outputs: Arrays, rows: Sequence[int]) -> list[dict[str, Array]]:
    """Each request's outputs: its rows of the batch's.

    Args:
        outputs: Outputs of at least as many rows as the requests have together.
        rows: Rows of each request.
    """
    answers = []
    start = 0
    for count in rows:
        stop = start + count
        answers.append({name: array[start:stop] for name, array in outputs.items()})
        start = stop
    return answers


def concatenate_outputs(parts: Sequence[Arrays]) -> dict[str, Array]:
    """The outputs of a request that was split."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _length_classes(lengths: tuple[int, ...]) -> tuple[int, ...]:
    """Each length's next power of two, so that a long one cannot blow up the others."""
    return tuple(
        max(_ONE_CLASS_UP_TO, 1 << (length - 1).bit_length()) for length in lengths
    )


def _can_be_padded(tensor: TensorSpec) -> bool:
    return tensor.dtype is not None and tensor.dtype.numpy.kind in ABSENT


def _common_lengths(requests: Sequence[Arrays]) -> dict[str, tuple[int, ...]]:
    """Dimensions after the first that hold every request's, by input.

    An input whose length would equal another's that it differs from in some request
    gets one more. An input of length 0 is not known and fits any other.
    """
    shapes = {
        name: [request[name].shape[1:] for request in requests] for name in requests[0]
    }
    lengths: dict[str, tuple[int, ...]] = {}
    # Those that are not padded come first: they have the length that they have.
    for name in sorted(shapes, key=lambda name: len(set(shapes[name]))):
        longest = tuple(map(max, zip(*shapes[name], strict=True)))
        if len(set(shapes[name])) > 1:
            unlike = {
                lengths[other][0]
                for other in lengths
                if lengths[other] and _differ(shapes[name], shapes[other])
            }
            first = next(n for n in itertools.count(longest[0]) if n not in unlike)
            longest = (first, *longest[1:])
        lengths[name] = longest
    return lengths


def _differ(
    shapes: Sequence[tuple[int, ...]], others: Sequence[tuple[int, ...]]
) -> bool:
    """Whether two inputs have different lengths in one of the requests."""
    return any(
        0 not in (shape[0], other[0]) and shape[0] != other[0]
        for shape, other in zip(shapes, others, strict=True)
    )


def _concatenated(
    arrays: list[Array], lengths: tuple[int, ...], extra_rows: int
) -> Array:
    arrays = [_padded(array, lengths) for array in arrays]
    if extra_rows:
        arrays = [*arrays, np.repeat(arrays[-1][:1], extra_rows, axis=0)]
    return np.concatenate(arrays)


def _padded(array: Array, lengths: tuple[int, ...]) -> Array:
    if array.shape[1:] == lengths:
        return array
    padded = np.full((len(array), *lengths), ABSENT[array.dtype.kind], array.dtype)
    padded[tuple(map(slice, array.shape))] = array
    return padded
