"""Inputs that do not belong together are named with their lengths, by the graph."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2

from serving.export.agreement import (
    with_agreed_shapes,
    with_one_row_length,
    with_one_width,
)

HISTORY = [["videos", "authors", "gaps"]]


def run_in_session(check, specifications, *arguments, **inputs):
    """What a check gives in a session, which does not hold inputs against their shapes.

    So it is in TensorFlow Serving; a `tf.function` would refuse them itself.
    """
    tf1 = tf.compat.v1
    with tf.Graph().as_default(), tf1.Session() as session:
        given = {
            name: tf1.placeholder(spec.dtype, spec.shape, name)
            for name, spec in specifications.items()
        }
        checked = check(given, *arguments)
        # `run` and `make_callable` would refuse other shapes.
        options = config_pb2.CallableOptions(
            feed=[value.name for value in given.values()],
            fetch=[value.name for value in checked.values()],
        )
        run = session._make_callable_from_options(options)
        answers = run(*[inputs[name] for name in given])
        return dict(zip(checked, answers, strict=True))


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


# A user, whose history has any length, and videos, which are any number.
SPECIFICATIONS = {
    "age": tf.TensorSpec([None], tf.float32),
    "avc": tf.TensorSpec([1], tf.int64),
    "history": tf.TensorSpec([1, None], tf.string),
    "tags": tf.TensorSpec([None, None], tf.string),
    "video": tf.TensorSpec([None], tf.string),
}
RULE = "expected one user and M videos"


def shaped(**shapes):
    """Inputs of these shapes; else one user with two events and three videos."""
    shapes = {
        "age": [3],
        "avc": [1],
        "history": [1, 2],
        "tags": [3, 2],
        "video": [3],
        **shapes,
    }
    types = {name: spec.dtype for name, spec in SPECIFICATIONS.items()}
    return {
        name: np.full(
            shape, b"" if types[name] == tf.string else 0, types[name].as_numpy_dtype
        )
        for name, shape in shapes.items()
    }


def checked_shapes(**shapes):
    return run_in_session(with_agreed_shapes, SPECIFICATIONS, RULE, **shaped(**shapes))


@pytest.mark.parametrize("size", [0, 1, 3])
@pytest.mark.parametrize("length", [0, 2])
def test_inputs_of_agreed_shapes_stay_what_they_are(size, length):
    shapes = {"age": [size], "video": [size], "tags": [size, length]}
    shapes["history"] = [1, length]
    inputs = shaped(**shapes)
    for name, value in checked_shapes(**shapes).items():
        assert (value.shape, value.dtype) == (inputs[name].shape, inputs[name].dtype)


def test_lists_of_no_rows_may_come_as_json_says_them():
    checked = checked_shapes(age=[0], video=[0], tags=[0])
    assert checked["tags"].shape == (0, 0)


@pytest.mark.parametrize(
    ("shapes", "shown"),
    [
        ({"video": [2]}, "[video] [2] [age] [3]"),
        ({"video": [0]}, "[video] [0] [age] [3]"),
        ({"video": []}, "[video] [] [age] [3]"),
        ({"video": [3, 1]}, "[video] [3 1] [age] [3]"),
        ({"tags": [2, 2]}, "[tags] [2 2] [age] [3]"),
        ({"tags": [3]}, "[tags] [3] [age] [3]"),
        ({"tags": [0]}, "[tags] [0] [age] [3]"),
        ({"tags": [3, 1, 1]}, "[tags] [3 1 1] [age] [3]"),
        ({"age": [1]}, "[tags] [3 2] [age] [1]"),
        ({"age": []}, "[age] [] [age] []"),
        ({"avc": [2]}, "[avc] [2] [age] [3]"),
        ({"avc": [0]}, "[avc] [0] [age] [3]"),
        ({"avc": []}, "[avc] [] [age] [3]"),
        ({"avc": [1, 1]}, "[avc] [1 1] [age] [3]"),
        ({"avc": [3], "history": [3, 2]}, "[avc] [3] [age] [3]"),
        ({"history": [0]}, "[history] [0] [age] [3]"),
        ({"history": [2, 2]}, "[history] [2 2] [age] [3]"),
        ({"history": [2]}, "[history] [2] [age] [3]"),
        # Ranks that make up for each other.
        ({"avc": [], "history": [1, 1, 2]}, "[avc] [] [age] [3]"),
    ],
)
def test_an_input_of_another_shape_is_named(shapes, shown):
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        checked_shapes(**shapes)
    assert f"[{RULE}. Received the shapes] {shown}" in str(caught.value)


def test_a_signature_without_a_common_batch_names_the_input_alone():
    fixed = {name: SPECIFICATIONS[name] for name in ("avc", "history")}
    inputs = shaped(avc=[2])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"\[avc\] \[2\]\s"):
        run_in_session(
            with_agreed_shapes, fixed, RULE, **{name: inputs[name] for name in fixed}
        )


def columns(**lengths):
    return {name: tf.zeros([length]) for name, length in lengths.items()}


def test_what_reads_the_inputs_does_not_come_first():
    """Or its own error, which names no input, might be the one that is reported."""

    def summed(inputs):
        return tf.add_n(list(with_agreed_shapes(inputs, "expected [B]").values()))

    for _ in range(20):
        with pytest.raises(tf.errors.InvalidArgumentError, match="expected \\[B"):
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
