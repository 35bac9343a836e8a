"""What the labels of a model's tasks mean, kept beside the model itself.

Between two runs a label may keep its name and change its rule. The name is all that a
SavedModel's signature has.
"""

from __future__ import annotations

import json
import os

import tensorflow as tf

from pipeline.config import TrainerPart
from preprocessing.contract.config import LabelConfig

_FILE = os.path.join("assets.extra", "label_rules.json")


def write_label_rules(model_dir: str, config: TrainerPart) -> None:
    """Writes the rule of each task's label, in words.

    Args:
        model_dir: The exported version; a path or a URI of TensorFlow's file systems.
        config: What training reads of the configuration.
    """
    labels = config.features.labels
    rules = {task: _in_words(labels[task]) for task in config.task_names}
    path = os.path.join(model_dir, _FILE)
    tf.io.gfile.makedirs(os.path.dirname(path))
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(json.dumps(rules, indent=1) + "\n")


def read_label_rules(model_dir: str) -> dict[str, str]:
    """The rules by task; none where a model was exported without them."""
    path = os.path.join(model_dir, _FILE)
    if not tf.io.gfile.exists(path):
        return {}
    with tf.io.gfile.GFile(path) as file:
        return json.loads(file.read())


def _in_words(label: LabelConfig) -> str:
    if label.rule == "long_view":
        return f"long_view of {label.percent:g} %"
    if label.rule is not None:
        return label.rule
    graded = "" if label.at_least is None else f" of at least {label.at_least:g}"
    return f"column {label.column}{graded}"
