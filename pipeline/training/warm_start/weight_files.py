"""A trained model's weights and vocabularies, in files beside the model.

The SavedModel cannot be trained on: its dense weights are constants of its graph.

weights/arrays/NAME.npy  by the weights' names, without the model's own
weights/inputs.json      what the inputs and the rows of tables mean (`InputMeaning`)
weights/vocabularies/*   a token per line; row 1 of a table is the first one's
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import tensorflow as tf
import tensorflow_transform as tft

from pipeline.config import TrainerPart
from pipeline.training.strategies.trained_weights import parts_by_name
from pipeline.training.warm_start.input_meaning import InputMeaning
from preprocessing.transform.input_specs import input_specs

_FOLDER, _ARRAYS, _VOCABULARIES = "weights", "arrays", "vocabularies"
_INPUTS = "inputs.json"


def weights_folder(serving_model_dir: str) -> str:
    """Where the weights of an exported model lie: beside its folder.

    Pusher copies that folder alone, so servers are not sent the weights.
    """
    return os.path.join(os.path.dirname(serving_model_dir.rstrip("/")), _FOLDER)


def has_weights(serving_model_dir: str) -> bool:
    """Whether a training can start from an exported model."""
    path = os.path.join(weights_folder(serving_model_dir), _INPUTS)
    return bool(tf.io.gfile.exists(path))


def write_weights(
    weights: Iterable[tf.Variable],
    config: TrainerPart,
    transform_output: tft.TFTransformOutput,
    folder: str,
) -> None:
    """Writes what a later training can start from.

    Args:
        weights: The trainable variables of a trained model, whole and of this process.
        config: What training read of the configuration.
        transform_output: Has the vocabularies.
        folder: `weights_folder` of the model: a path or a URI.
    """
    vocabularies = os.path.join(folder, _VOCABULARIES)
    tf.io.gfile.makedirs(vocabularies)
    for table in vocabulary_tables(config):
        with tf.io.gfile.GFile(os.path.join(vocabularies, table), "wb") as file:
            for token in transform_output.vocabulary_by_name(table):
                file.write(token + b"\n")
    with tf.io.gfile.GFile(os.path.join(folder, _INPUTS), "w") as file:
        json.dump(InputMeaning.of(config).to_dict(), file, indent=1)
    for name, [variable] in parts_by_name(weights).items():
        path = _array_file(folder, name)
        tf.io.gfile.makedirs(os.path.dirname(path))
        with tf.io.gfile.GFile(path, "wb") as file:
            np.lib.format.write_array(file, variable.numpy(), allow_pickle=False)


def vocabulary_tables(config: TrainerPart) -> Sequence[str]:
    """The tables whose rows are the ids of a vocabulary, and not hashed ids."""
    tables = {s.table: None for s in input_specs(config.features, config.transform)}
    return [
        table
        for table in tables
        if table and not config.transform.vocabulary(table).hash_buckets
    ]


class WeightFiles:
    """The weights of an earlier model, each read when it is asked for.

    Args:
        folder: What `write_weights` wrote to.

    Raises:
        FileNotFoundError: There are no weights.
    """

    def __init__(self, folder: str):
        path = os.path.join(folder, _INPUTS)
        if not tf.io.gfile.exists(path):
            raise FileNotFoundError(f"{path} is not there")
        self._folder = folder
        with tf.io.gfile.GFile(path) as file:
            self.meaning = InputMeaning.from_dict(json.load(file))

    def array(self, name: str) -> npt.NDArray[np.generic] | None:
        """A weight by its name; None if there is none."""
        path = _array_file(self._folder, name)
        if not tf.io.gfile.exists(path):
            return None
        with tf.io.gfile.GFile(path, "rb") as file:
            array: npt.NDArray[np.generic] = np.lib.format.read_array(file)
        return array

    def tokens(self, table: str) -> pa.Array:
        """A table's vocabulary, in the order of its rows from 1 on."""
        path = os.path.join(self._folder, _VOCABULARIES, table)
        with tf.io.gfile.GFile(path, "rb") as file:
            return pa.array(file.read().split(b"\n")[:-1], pa.binary())


def _array_file(folder: str, name: str) -> str:
    return os.path.join(folder, _ARRAYS, f"{name}.npy")
