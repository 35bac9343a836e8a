"""The trained weights in a model of this process alone: what is exported."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tf_keras


def copy_weights(trained: Sequence[tf.Variable], fresh: Sequence[tf.Variable]) -> None:
    """Copies weights that are on other machines, or there in parts, to whole ones.

    Args:
        trained: Trainable variables of a model of any strategy. The parts of a split
            variable follow one another, split by rows.
        fresh: Those of the same model outside any strategy.

    Raises:
        ValueError: The models are not the same.
    """
    parts = iter(trained)
    for variable in fresh:
        variable.assign(_whole(parts, variable))
    if next(parts, None) is not None:
        raise ValueError("`fresh` must have all weights of `trained`; it has fewer")


def parts_by_name(variables: Iterable[tf.Variable]) -> dict[str, list[tf.Variable]]:
    """Weights by their names without the model's own; of a split one, all its parts.

    Args:
        variables: Of a model of any strategy. The parts of a split variable follow one
            another, split by rows.
    """
    found: dict[str, list[tf.Variable]] = {}
    for variable in variables:
        found.setdefault(_name(variable), []).append(variable)
    return found


def copy_by_checkpoint(trained: tf_keras.Model, fresh: tf_keras.Model) -> None:
    """Copies what is in a checkpoint: on a TPU, tables that are no Keras weights, too.

    Args:
        trained: A model of one process.
        fresh: The same outside any strategy, its weights made.

    Raises:
        AssertionError: The models are not the same.
    """
    here = tf.train.CheckpointOptions(experimental_io_device="/job:localhost")
    with tempfile.TemporaryDirectory() as folder:
        path = tf.train.Checkpoint(model=trained).write(f"{folder}/trained", here)
        status = tf.train.Checkpoint(model=fresh).read(path, here)
        status.assert_existing_objects_matched().expect_partial()


def _whole(
    parts: Iterator[tf.Variable], variable: tf.Variable
) -> npt.NDArray[np.generic]:
    taken: list[npt.NDArray[np.generic]] = []
    rows, wanted = 0, variable.shape[0] if variable.shape.rank else 0
    while not taken or rows < wanted:
        part = next(parts, None)
        if part is None or _name(part) != _name(variable):
            raise ValueError(
                f"`trained` must have the weight {variable.name}. "
                f"Received: {'no more' if part is None else part.name}"
            )
        taken.append(part.numpy())
        rows += len(taken[-1]) if taken[-1].ndim else 0
    return taken[0] if len(taken) == 1 else np.concatenate(taken)


def _name(variable: tf.Variable) -> str:
    """Without the model's own name, and what a strategy adds for a part."""
    path = variable.name.split(":")[0].split("/part_")[0]
    return path.split("/", 1)[-1]
