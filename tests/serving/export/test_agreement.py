"""Inputs that do not belong together are named with their lengths, by the graph."""

import pytest
import tensorflow as tf

from serving.export.agreement import (
    with_one_batch,
    with_one_row_length,
    with_one_width,
)

HISTORY = [["videos", "authors", "gaps"]]


def in_graph(check, *arguments, **inputs):
    """What a check gives in a graph that knows ranks alone; in a session's order."""

    def specification(value):
        if isinstance(value, tf.RaggedTensor):
            return tf.RaggedTensorSpec([None, None], value.dtype)
        return tf.TensorSpec([None] * value.shape.rank, value.dtype)

    @tf.function(autograph=False)
    def run(**given):
        return check(given, *arguments)

    function = run.get_concrete_function(
        **{name: specification(value) for name, value in inputs.items()}
    )
    return function(**inputs)


def columns(**lengths):
    return {name: tf.zeros([length]) for name, length in lengths.items()}


@pytest.mark.parametrize("size", [0, 1, 3])
def test_inputs_of_one_batch_stay_what_they_are(size):
    inputs = columns(a=size, b=size) | {"tags": tf.zeros([size, 2])}
    checked = in_graph(with_one_batch, "candidate", **inputs)
    assert {n: v.shape for n, v in checked.items()} == {
        n: v.shape for n, v in inputs.items()
    }


@pytest.mark.parametrize("sizes", [(2, 1, 2), (2, 3, 2), (0, 2, 2), (2, 2, 1)])
def test_another_batch_is_named(sizes):
    a, b, rows = sizes
    inputs = columns(a=a, b=b) | {"tags": tf.zeros([rows, 4])}
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        in_graph(with_one_batch, "candidate", **inputs)
    assert "one entry per candidate each" in str(caught.value)
    assert f"[a] [{a}] [b] [{b}] [tags] [{rows} 4]" in str(caught.value)


def test_what_reads_the_inputs_does_not_come_first():
    """Or its own error, which names no input, might be the one that is reported."""

    def summed(inputs):
        return tf.add_n(list(with_one_batch(inputs, "row").values()))

    for _ in range(20):
        with pytest.raises(tf.errors.InvalidArgumentError, match="one entry per row"):
            in_graph(summed, **columns(a=3, b=2))


def wide(**lengths):
    return {name: tf.zeros([2, length]) for name, length in lengths.items()}


@pytest.mark.parametrize("widths", [(3, 3, 3), (0, 0, 0), (3, 0, 3), (0, 5, 0)])
def test_columns_of_a_sequence_have_one_width_or_none(widths):
    inputs = dict(zip(HISTORY[0], widths, strict=True))
    checked = in_graph(with_one_width, HISTORY, **wide(**inputs, other=7))
    assert {n: v.shape[1] for n, v in checked.items()} == {**inputs, "other": 7}


@pytest.mark.parametrize("widths", [(3, 2, 3), (3, 3, 4), (0, 1, 2)])
def test_another_width_is_named(widths):
    inputs = dict(zip(HISTORY[0], widths, strict=True))
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        in_graph(with_one_width, HISTORY, **wide(**inputs))
    for name, width in inputs.items():
        assert f"[{name}] [{width}]" in str(caught.value)


def rows(*lengths):
    return tf.RaggedTensor.from_row_lengths(tf.zeros([sum(lengths)]), lengths)


def test_rows_of_parsed_examples_have_one_length_or_none():
    inputs = {"videos": rows(2, 0, 3), "authors": rows(2, 0, 0), "gaps": rows(0, 0, 3)}
    checked = in_graph(with_one_row_length, HISTORY, **inputs)
    for name, value in inputs.items():
        assert checked[name].row_lengths().numpy().tolist() == (
            value.row_lengths().numpy().tolist()
        )
    none = in_graph(with_one_row_length, HISTORY, **dict.fromkeys(HISTORY[0], rows()))
    assert none["videos"].nrows() == 0


def test_the_example_whose_lengths_differ_is_named():
    inputs = {"videos": rows(2, 3), "authors": rows(2, 2), "gaps": rows(2, 3)}
    message = r"\[example\] \[1\] \[videos\] \[3\] \[authors\] \[2\] \[gaps\] \[3\]"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        in_graph(with_one_row_length, HISTORY, **inputs)
