"""What of a model can be compared with the last blessed one.

Between two runs of a folder tasks and features may come and go, labels may change their
meaning, and the last blessed model may have been deleted. What cannot be compared is
compared with nothing, as the first model is, and said.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

import tensorflow as tf
import tensorflow_model_analysis as tfma
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_model_analysis.proto import config_pb2

from pipeline.examples.label_rules import read_label_rules

COMPARISON_FILE = "comparison.json"

_NOTHING = "the new model is compared with nothing"


@dataclass(frozen=True)
class Comparison:
    """How far two models can be compared.

    Attributes:
        possible: Whether the last blessed model can score today's examples.
        new_tasks: Tasks that it does not have.
        notes: What is not compared, or by other labels than the last blessed model's,
            and why, for people to read.
    """

    possible: bool
    new_tasks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def write(self, folder: str) -> None:
        """Writes the notes for the report."""
        with tf.io.gfile.GFile(os.path.join(folder, COMPARISON_FILE), "w") as file:
            json.dump({"notes": self.notes}, file)

    def restrict(self, config: config_pb2.EvalConfig) -> config_pb2.EvalConfig:
        """The configuration in which new tasks are judged by themselves."""
        restricted = config_pb2.EvalConfig()
        restricted.CopyFrom(config)
        for spec in restricted.metrics_specs:
            if spec.output_names[0] in self.new_tasks:
                spec.model_names.append(tfma.CANDIDATE_KEY)
                for guard in spec.per_slice_thresholds.values():
                    for per_slice in guard.thresholds:
                        per_slice.threshold.ClearField("change_threshold")
        return restricted


def compare(model_dir: str, blessed_dir: str) -> Comparison:
    """Finds out how far a model can be compared with the last blessed one.

    Args:
        model_dir: The new SavedModel.
        blessed_dir: The blessed one, which may be gone or of another configuration.
    """
    blessed = _interface(blessed_dir)
    if blessed is None:
        return Comparison(
            possible=False,
            notes=(f"the last blessed model is gone ({blessed_dir}): {_NOTHING}",),
        )
    model = _interface(model_dir)
    if model is None:
        raise FileNotFoundError(f"there is no model in {model_dir}")
    unread = [
        name for name, kind in blessed.inputs.items() if model.inputs.get(name) != kind
    ]
    if unread:
        return Comparison(
            possible=False,
            notes=(
                f"the last blessed model reads {', '.join(unread)}, which the examples "
                f"have no longer or as another type: {_NOTHING}",
            ),
        )
    new = tuple(task for task in model.tasks if task not in blessed.tasks)
    if len(new) == len(model.tasks):
        return Comparison(
            possible=False,
            notes=(f"the last blessed model has none of the tasks: {_NOTHING}",),
        )
    notes = [
        f"the last blessed model has no task '{task}': it is compared with nothing"
        for task in new
    ]
    notes += _changed_rules(read_label_rules(model_dir), read_label_rules(blessed_dir))
    return Comparison(possible=True, new_tasks=new, notes=tuple(notes))


def _changed_rules(rules: Mapping[str, str], blessed: Mapping[str, str]) -> list[str]:
    """What to know of labels that are the same in name alone."""
    return [
        f"the last blessed model learned '{task}' as {blessed[task]}, the new one as "
        f"{rule}: both are judged by the new label"
        for task, rule in rules.items()
        if blessed.get(task, rule) != rule
    ]


@dataclass(frozen=True)
class _Interface:
    """A model's raw inputs, by name their type and number of dimensions, and tasks."""

    inputs: Mapping[str, tuple[int, int]]
    tasks: tuple[str, ...]


def _interface(model_dir: str) -> _Interface | None:
    """What a SavedModel reads and gives; None if there is none that is whole."""
    weights = os.path.join(model_dir, "variables", "variables.index")
    graph = os.path.join(model_dir, "saved_model.pb")
    if not (tf.io.gfile.exists(weights) and tf.io.gfile.exists(graph)):
        return None
    with tf.io.gfile.GFile(graph, "rb") as file:
        message = saved_model_pb2.SavedModel.FromString(file.read())
    signatures = message.meta_graphs[0].signature_def
    inputs = {
        name: (tensor.dtype, len(tensor.tensor_shape.dim))
        for name, tensor in signatures["predict_raw"].inputs.items()
    }
    return _Interface(inputs, tuple(sorted(signatures["serving_default"].outputs)))
